// SPDX-License-Identifier: BSL-1.0
// The calls on a reactor whose policies are broken: no call may add an error.
#ifndef TOFU_TEST_COMPILE_FAIL_USE_HPP
#define TOFU_TEST_COMPILE_FAIL_USE_HPP

#include <tofu/tofu.hpp>

#include <chrono>
#include <utility>

namespace tofu_test {

/// Called where no template is being instantiated: g++ says nothing about what follows from an error in one.
template <class Reactor>
void use(Reactor&) {
    Reactor engine;
    typename Reactor::group_type group = engine.create_group();
    tofu::message_ptr hello = engine.get();
    group.post(std::move(hello));
    hello = group.wait_receive(std::chrono::seconds(1));
    static_cast<void>(engine.stats());
    engine.run_once(std::chrono::seconds(1));
    static_cast<void>(engine.next_deadline());
}

/// The default reactor, but for one policy.
template <class Poll>
using with_poll = tofu::basic_reactor<Poll>;
template <class Pool>
using with_pool = tofu::basic_reactor<tofu::default_poll, Pool>;
template <class Key>
using with_key = tofu::basic_reactor<tofu::default_poll, tofu::default_pool, Key>;
template <class Timer>
using with_timer = tofu::basic_reactor<tofu::default_poll, tofu::default_pool, tofu::default_key, Timer>;

} // namespace tofu_test

#endif
