// SPDX-License-Identifier: BSL-1.0
// The headers for an engine with other policies than the defaults. Four headers are not included, because few programs
// need them: policies/poll/linux_io_uring.hpp, policies/poll/simulated_poll.hpp, policies/poll/null_poll.hpp and
// policies/timer/manual_timer.hpp.
#ifndef TOFU_POLICIES_HPP
#define TOFU_POLICIES_HPP

#include <tofu/policies/concepts.hpp>
#include <tofu/policies/defaults.hpp>
#include <tofu/policies/key/handle_key.hpp>
#include <tofu/policies/key/pointer_key.hpp>
#include <tofu/policies/poll/bsd_kqueue.hpp>
#include <tofu/policies/poll/linux_epoll.hpp>
#include <tofu/policies/poll/posix_poll.hpp>
#include <tofu/policies/pool/growing_channel_pool.hpp>
#include <tofu/policies/timer/no_timers.hpp>
#include <tofu/reactor_with.hpp>

#endif
