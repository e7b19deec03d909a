// SPDX-License-Identifier: BSL-1.0
// The engines behaviour tests run on, compiled in engines/ and nowhere else.
#ifndef TOFU_TEST_SUPPORT_ENGINES_HPP
#define TOFU_TEST_SUPPORT_ENGINES_HPP

#include "any_reactor.hpp"
#include "engine_calls.hpp"
#include "setting.hpp"

#include <tofu/options.hpp>

#include <memory>
#include <system_error>

namespace tofu_test {

struct script;

/// Makes engines with one set of policies. With a null `error`, an error is thrown.
struct engine_maker {
    using made = std::unique_ptr<reactor_calls>;

    made (*plain)(const tofu::options& opts, tofu::driven_by who, std::error_code* error);
    made (*narrow)(const tofu::options& opts, tofu::driven_by who); ///< null: a variation, see unvaried_only
    made (*scripted)(const tofu::options& opts, tofu::driven_by who, script& play);
};

/// The engines with one poller.
template <poller Which>
const engine_maker& engines_with();
// Variations of the default poller's engines.
extern const engine_maker growing_pool_engines;
extern const engine_maker pointer_key_engines;
extern const engine_maker handle_key_engines;
extern const engine_maker sorted_timer_engines;
extern const engine_maker no_timers_engines;

/// The maker for the setting's policies.
[[nodiscard]] const engine_maker& engines_of(const setting& here);

/// An engine with three channels, to test a full pool.
[[nodiscard]] any_reactor narrow_engine(const setting& here, const tofu::options& opts = {});
/// An engine in a system in which the script decides names, clock and refusals.
[[nodiscard]] any_reactor scripted_engine(const setting& here, script& play, const tofu::options& opts = {});

} // namespace tofu_test

#endif
