// SPDX-License-Identifier: BSL-1.0
// Bundles the four policies of an engine into one template argument.
#ifndef TOFU_POLICIES_POLICY_SET_HPP
#define TOFU_POLICIES_POLICY_SET_HPP

#include <tofu/config.hpp>
#include <tofu/fwd.hpp>
#include <tofu/policies/names.hpp>

#include <string_view>

namespace tofu::inline TOFU_ABI {

/// The template argument of the engine's templates.
template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
struct policy_set {
    using poll = PollPolicy;
    using pool = PoolPolicy;
    using key = KeyPolicy;
    using timer = TimerPolicy;

    /// The names of the policies: "linux_epoll, fixed_channel_pool<1024>, slot_index_key, wait_timeout".
    static constexpr std::string_view name = policy_names<PollPolicy, PoolPolicy, KeyPolicy, TimerPolicy>::value;
};

/// The policies of tofu::reactor. A type of its own, so that the names of functions stay short.
struct default_policies : policy_set<default_poll, default_pool, default_key, default_timer> {};

/// The policies of an engine: checked, with defaults in place of broken ones. policies/concepts.hpp defines it.
template <class Poll, class Pool, class Key, class Timer>
struct composition; // of other policies than the default: include <tofu/policies.hpp>

/// The default policies need no check.
template <>
struct composition<default_poll, default_pool, default_key, default_timer> {
    using policies = default_policies;
};

} // namespace tofu::inline TOFU_ABI

#endif
