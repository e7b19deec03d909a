// SPDX-License-Identifier: BSL-1.0
// The default policies of each operating system.
#ifndef TOFU_POLICIES_DEFAULTS_HPP
#define TOFU_POLICIES_DEFAULTS_HPP

#include <tofu/config.hpp>
#include <tofu/policies/key/slot_index_key.hpp>
#include <tofu/policies/pool/fixed_channel_pool.hpp>
#include <tofu/policies/timer/wait_timeout.hpp>

#if defined(_WIN32)
#include <tofu/policies/poll/afd_iocp.hpp>
#elif defined(__linux__)
#include <tofu/policies/poll/linux_epoll.hpp>
#else
#include <tofu/policies/poll/bsd_kqueue.hpp>
#include <tofu/policies/poll/posix_poll.hpp>
#endif

namespace tofu::inline TOFU_ABI {

#if defined(_WIN32)
using default_poll = afd_iocp;
#elif defined(__linux__)
using default_poll = linux_epoll;
#elif __has_include(<sys/event.h>) && defined(EVFILT_USER) && defined(EV_RECEIPT)
using default_poll = bsd_kqueue;
#else
using default_poll = posix_poll;
#endif
using default_pool = fixed_channel_pool<>;
using default_key = slot_index_key;
using default_timer = wait_timeout;

} // namespace tofu::inline TOFU_ABI

#endif
