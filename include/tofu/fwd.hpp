// SPDX-License-Identifier: BSL-1.0
// Forward declarations of the types that programs name in their own headers.
#ifndef TOFU_FWD_HPP
#define TOFU_FWD_HPP

#include <tofu/config.hpp>

#include <cstddef>
#include <cstdint>

namespace tofu::inline TOFU_ABI {

class address;
class byte_buffer;
class message;
class message_ptr;
class text_headers;
struct binary_header;
struct cause;
struct channel_stats;
struct engine_stats;
struct options;
struct tcp_address;
struct uds_address;

enum class allocation : std::uint8_t;
enum class driven_by : std::uint8_t;
enum class op_code : std::uint8_t;
enum class origin : std::uint8_t;
enum class status : std::uint8_t;
enum class reason : std::uint8_t;

// The default policies. C++ allows a default argument in one declaration only. The default arguments of network,
// fixed_channel_pool and basic_reactor are here. Those of each poller are in the header of the poller, so config.hpp
// names the default poller with all arguments; defaults.hpp checks that both agree.

namespace platform {

class system_resolver;

template <class Resolver = system_resolver>
class network;

} // namespace platform

namespace windows {
template <std::size_t Sockets>
class afd_helper_handles;
}
namespace bsd {
class kernel_queue;
}

template <class Network, class Places, std::size_t Batch>
class basic_afd_iocp;
template <class Network, std::size_t Batch>
class basic_linux_epoll;
template <class Network, std::size_t Batch, class Queue>
class basic_bsd_kqueue;
template <class Network>
class basic_posix_poll;

using default_poll = TOFU_DEFAULT_POLL;

template <std::size_t N = 1024>
struct fixed_channel_pool;
struct slot_index_key;
class wait_timeout;

using default_pool = fixed_channel_pool<>;
using default_key = slot_index_key;
using default_timer = wait_timeout;

struct default_policies;

template <class PollPolicy = default_poll, class PoolPolicy = default_pool, class KeyPolicy = default_key,
          class TimerPolicy = default_timer>
class basic_reactor;

template <class Policies>
class basic_channel_group;

template <class Policies>
class basic_timer_handle;

using reactor = basic_reactor<>;
using channel_group = basic_channel_group<default_policies>;
using timer_handle = basic_timer_handle<default_policies>;

} // namespace tofu::inline TOFU_ABI

#endif
