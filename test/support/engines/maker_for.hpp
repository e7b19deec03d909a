// SPDX-License-Identifier: BSL-1.0
// Defines the engines with one poll policy. An include of this header compiles three engines.
#ifndef TOFU_TEST_SUPPORT_ENGINES_MAKER_FOR_HPP
#define TOFU_TEST_SUPPORT_ENGINES_MAKER_FOR_HPP

#include "support/engines.hpp"
#include "support/reactor_of.hpp"
#include "support/scripted_system.hpp"

#include <pollers.hpp>

#include <boost/mp11/algorithm.hpp>

#include <cstddef>

namespace tofu_test {

/// `Poll<Network>` is the poll policy over a network.
template <template <class> class Poll>
constexpr engine_maker maker_for() {
    using plain = tofu::basic_reactor<Poll<tofu::platform::network<>>>;
    using narrow = tofu::basic_reactor<Poll<tofu::platform::network<>>, tofu::fixed_channel_pool<3>>;
    using scripted_poll = Poll<scripted_network>;
    using scripted = tofu::basic_reactor<scripted_poll, tofu::default_pool, tofu::default_key, scripted_clock>;
    using made = engine_maker::made;
    return {.plain = [](const tofu::options& opts, tofu::driven_by who, std::error_code* error) -> made {
                return std::make_unique<reactor_of<plain>>(opts, who, error);
            },
            .narrow = [](const tofu::options& opts, tofu::driven_by who) -> made {
                return std::make_unique<reactor_of<narrow>>(opts, who, nullptr);
            },
            .scripted = [](const tofu::options& opts, tofu::driven_by who, script& play) -> made {
                return std::make_unique<reactor_of<scripted>>(opts, who, nullptr, scripted_poll(scripted_network(play)),
                                                              scripted_clock(play));
            }};
}

template <poller Which>
struct poll_of {
    template <class Network>
    using over = boost::mp11::mp_at_c<engine_pollers_over<Network>, static_cast<std::size_t>(Which)>;
};

/// Each poller has a file of its own that instantiates this, generated from poller.cpp.in.
template <poller Which>
const engine_maker& engines_with() {
    static constexpr engine_maker maker = maker_for<poll_of<Which>::template over>();
    return maker;
}

} // namespace tofu_test

#endif
