// SPDX-License-Identifier: BSL-1.0
// Bundles the four policies of an engine into one template argument.
#ifndef TOFU_POLICIES_POLICY_SET_HPP
#define TOFU_POLICIES_POLICY_SET_HPP

#include <tofu/config.hpp>
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

} // namespace tofu::inline TOFU_ABI

#endif
