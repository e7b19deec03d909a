// SPDX-License-Identifier: BSL-1.0
// The headers that most programs need. It leaves out memory_bound.hpp and the policies linux_io_uring, simulated_poll,
// null_poll and manual_timer.
#ifndef TOFU_TOFU_HPP
#define TOFU_TOFU_HPP

#include <tofu/address.hpp>
#include <tofu/binary_header.hpp>
#include <tofu/channel_group.hpp>
#include <tofu/config.hpp>
#include <tofu/message.hpp>
#include <tofu/message_ptr.hpp>
#include <tofu/options.hpp>
#include <tofu/policies/concepts.hpp>
#include <tofu/policies/key/handle_key.hpp>
#include <tofu/policies/key/pointer_key.hpp>
#include <tofu/policies/poll/bsd_kqueue.hpp>
#include <tofu/policies/poll/linux_epoll.hpp>
#include <tofu/policies/poll/posix_poll.hpp>
#include <tofu/policies/pool/growing_channel_pool.hpp>
#include <tofu/policies/timer/no_timers.hpp>
#include <tofu/reactor.hpp>
#include <tofu/reactor_with.hpp>
#include <tofu/reason.hpp>
#include <tofu/stats.hpp>
#include <tofu/status.hpp>
#include <tofu/text_headers.hpp>

#endif
