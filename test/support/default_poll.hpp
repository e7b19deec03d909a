// SPDX-License-Identifier: BSL-1.0
// The poll policy of tofu::default_poll over another network.
#ifndef TOFU_TEST_SUPPORT_DEFAULT_POLL_HPP
#define TOFU_TEST_SUPPORT_DEFAULT_POLL_HPP

#include <tofu/policies/defaults.hpp>

namespace tofu_test {

#if defined(_WIN32)
template <class Network>
using default_poll_over = tofu::basic_afd_iocp<Network>;
#elif defined(__linux__)
template <class Network>
using default_poll_over = tofu::basic_linux_epoll<Network>;
#elif __has_include(<sys/event.h>)
template <class Network>
using default_poll_over = tofu::basic_bsd_kqueue<Network>;
#else
template <class Network>
using default_poll_over = tofu::basic_posix_poll<Network>;
#endif

} // namespace tofu_test

#endif
