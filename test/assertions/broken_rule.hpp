// SPDX-License-Identifier: BSL-1.0
// A call that breaks a rule of the engine. The programs here look at what its assertion does.
#ifndef TOFU_TEST_ASSERTIONS_BROKEN_RULE_HPP
#define TOFU_TEST_ASSERTIONS_BROKEN_RULE_HPP

#include <tofu/engine/threads/driver.hpp>

#include <string_view>

namespace tofu_test {

/// The condition of the assertion, as it is reported.
inline constexpr std::string_view rule = "is_acquired()";
inline constexpr std::string_view place = "driver.hpp";

/// Releases the driver's role, which no thread has.
inline void break_a_rule() noexcept {
    tofu::engine::driver role;
    role.release();
}

} // namespace tofu_test

#endif
