// SPDX-License-Identifier: BSL-1.0
// The default policies of each operating system.
#ifndef TOFU_POLICIES_DEFAULTS_HPP
#define TOFU_POLICIES_DEFAULTS_HPP

#include <tofu/config.hpp>
#include <tofu/fwd.hpp>
#include <tofu/policies/key/slot_index_key.hpp>
#include <tofu/policies/policy_set.hpp>
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

#include <type_traits>

namespace tofu::inline TOFU_ABI {

// config.hpp names the default poller with all its arguments. They must be the poller's own defaults.
#if defined(_WIN32)
static_assert(std::is_same_v<default_poll, afd_iocp>);
#elif defined(__linux__)
static_assert(std::is_same_v<default_poll, linux_epoll>);
#else
static_assert(std::is_same_v<default_poll, bsd_kqueue> || std::is_same_v<default_poll, posix_poll>);
#endif

} // namespace tofu::inline TOFU_ABI

#endif
