// SPDX-License-Identifier: BSL-1.0
// Compiles the engines of one part of the product.
#ifndef TOFU_TEST_PRODUCT_PART_HPP
#define TOFU_TEST_PRODUCT_PART_HPP

#include "combination.hpp"
#include "lists.hpp"
#include "support/reactor_of.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace tofu_test {

template <class Set>
struct engine_of {
    using reactor = tofu::basic_reactor<typename Set::poll, typename Set::pool, typename Set::key, typename Set::timer>;
    static constexpr bool is_manual = std::is_same_v<typename Set::timer, tofu::manual_timer>;

    static_assert(has_later_updates<typename reactor::group_type> == Set::timer::has_timers,
                  "a set of policies without timers has no update_receiver_after, and each with timers has");

    static std::unique_ptr<reactor_calls> make(const tofu::options& opts, tofu::driven_by who,
                                               const tofu::manual_clock& clock) {
        if constexpr (is_manual)
            return std::make_unique<reactor_of<reactor>>(opts, who, nullptr, tofu::manual_timer(clock));
        else
            return std::make_unique<reactor_of<reactor>>(opts, who, nullptr);
    }

    static timekeeping time() noexcept {
        if (is_manual) return timekeeping::manual;
        return Set::timer::has_timers ? timekeeping::real : timekeeping::none;
    }
};

/// As the engine itself says, but with nothing that ends the name of a case in --run_test.
template <class Set>
std::string name_of() {
    std::string name(Set::name);
    for (std::size_t at = name.find(", "); at != std::string::npos; at = name.find(", ")) name.replace(at, 2, ".");
    return name;
}

template <class Set>
combination combination_of() {
    return {.name = name_of<Set>(),
            .time = engine_of<Set>::time(),
            .most_channels = most_channels_of<typename Set::pool>,
            .make = &engine_of<Set>::make};
}

/// Every product_parts-th, beginning with this one.
template <std::size_t Part>
void add_part(std::vector<combination>& to) {
    mp::mp_for_each<mp::mp_iota_c<mp::mp_size<product>::value>>([&to](auto index) {
        if constexpr (index % product_parts == Part)
            to.push_back(combination_of<mp::mp_at<product, decltype(index)>>());
    });
}

} // namespace tofu_test

#endif
