// SPDX-License-Identifier: BSL-1.0
// The category of the status codes. Programs do not include this header.
#ifndef TOFU_IMPL_STATUS_HPP
#define TOFU_IMPL_STATUS_HPP

#include <tofu/config.hpp>
#include <tofu/options_problem.hpp>
#include <tofu/status.hpp>

#include <cstddef>
#include <new>
#include <string>
#include <system_error>

namespace tofu::inline TOFU_ABI {

namespace detail {

inline namespace TOFU_RTTI_ABI {

class status_error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "tofu"; }

    std::string message(int value) const override {
        const int detail = value / detail_unit;
        const bool is_refusal = value % detail_unit == static_cast<int>(status::not_allowed);
        if (is_refusal && detail > 0 && detail < static_cast<int>(options_problem_count))
            return std::string(to_string(static_cast<options_problem>(detail)));
        const bool known = value >= 0 && value < static_cast<int>(status_count);
        return std::string(words_of(known ? static_cast<status>(value) : status::unknown_error).sentence);
    }
};

/// Makes the category object for units with (or without) run-time type information. It is never destroyed.
inline const std::error_category* make_status_category() noexcept {
    alignas(status_error_category) static std::byte memory[sizeof(status_error_category)];
    return ::new (static_cast<void*>(memory)) status_error_category;
}

} // namespace TOFU_RTTI_ABI

} // namespace detail

TOFU_FUNCTION const std::error_category& status_category() noexcept {
    static const std::error_category* const instance = detail::make_status_category(); // one for all kinds of units
    return *instance;
}

} // namespace tofu::inline TOFU_ABI

#endif
