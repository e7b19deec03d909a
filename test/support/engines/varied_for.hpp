// SPDX-License-Identifier: BSL-1.0
// The engines with one policy that is not the default. Only one type is compiled: without a script, an empty script is
// used.
#ifndef TOFU_TEST_SUPPORT_ENGINES_VARIED_FOR_HPP
#define TOFU_TEST_SUPPORT_ENGINES_VARIED_FOR_HPP

#include "support/engines.hpp"
#include "support/reactor_of.hpp"
#include "support/scripted_system.hpp"

#include <pollers.hpp>

namespace tofu_test {

template <class Pool, class Key, class Timer>
constexpr engine_maker varied_for() {
    using poll = default_poll_over<scripted_network>;
    using clock = scripted<Timer>;
    using reactor = reactor_of<tofu::basic_reactor<poll, Pool, Key, clock>>;
    using made = engine_maker::made;
    return {.plain = [](const tofu::options& opts, tofu::driven_by who, std::error_code* error) -> made {
                static script silent;
                return std::make_unique<reactor>(opts, who, error, poll(scripted_network(silent)), clock(silent));
            },
            .narrow = nullptr,
            .scripted = [](const tofu::options& opts, tofu::driven_by who, script& play) -> made {
                return std::make_unique<reactor>(opts, who, nullptr, poll(scripted_network(play)), clock(play));
            }};
}

} // namespace tofu_test

#endif
