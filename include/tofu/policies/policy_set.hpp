// SPDX-License-Identifier: BSL-1.0
// The four policies of one engine under one name.
#ifndef TOFU_POLICIES_POLICY_SET_HPP
#define TOFU_POLICIES_POLICY_SET_HPP

namespace tofu {

/// What the engine's templates take.
template <class PollPolicy, class PoolPolicy, class KeyPolicy, class TimerPolicy>
struct policy_set {
    using poll = PollPolicy;
    using pool = PoolPolicy;
    using key = KeyPolicy;
    using timer = TimerPolicy;
};

} // namespace tofu

#endif
