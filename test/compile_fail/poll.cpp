// SPDX-License-Identifier: BSL-1.0
// The errors about each broken poll policy, network and socket.
#include "compile_fail/bad_policies/poll.hpp"
#include "use.hpp"

namespace tofu_test {

// expect: PollPolicy (1st parameter): needs `using category = tofu::poll_category;`
void with(with_poll<bad_category_poll>& engine) { use(engine); }

// expect: PollPolicy (1st parameter): needs `using category = tofu::poll_category;`
void with(with_poll<int>& engine) { use(engine); }

// expect: PollPolicy: must be nothrow move constructible (before it is opened)
void with(with_poll<bad_moving_poll>& engine) { use(engine); }

// expect: PollPolicy: needs `using network_type = ...;` and `network_type& network() noexcept;`
void with(with_poll<bad_network_poll>& engine) { use(engine); }

// expect: PollPolicy: needs a type `registration`, nothrow default constructible
void with(with_poll<bad_registration_poll>& engine) { use(engine); }

// expect: PollPolicy: needs `io_error open() noexcept;`
void with(with_poll<bad_open_poll>& engine) { use(engine); }

// expect: PollPolicy: needs `io_error attach(registration&, const socket&, std::uintptr_t key) noexcept;`
void with(with_poll<bad_attach_poll>& engine) { use(engine); }

// expect: PollPolicy: needs `io_error arm(registration&, interest) noexcept;`
void with(with_poll<bad_arm_poll>& engine) { use(engine); }

// expect: PollPolicy: needs `disarmed disarm(registration&) noexcept;`
void with(with_poll<bad_disarm_poll>& engine) { use(engine); }

// expect: PollPolicy: needs `template <class Sink> wait_result wait(std::chrono::nanoseconds, Sink&) noexcept;`
void with(with_poll<bad_wait_poll>& engine) { use(engine); }

// expect: PollPolicy: reports_per_socket must be `static constexpr std::size_t`
void with(with_poll<bad_reports_poll>& engine) { use(engine); }

// expect: PollPolicy: needs `void wake() noexcept;`, callable from any thread
void with(with_poll<bad_wake_poll>& engine) { use(engine); }

// expect: PollPolicy: needs `using network_type = ...;` and `network_type& network() noexcept;`
// expect: PollPolicy: needs a type `registration`, nothrow default constructible
// expect: PollPolicy: needs `io_error open() noexcept;`
// expect: PollPolicy: needs `void wake() noexcept;`, callable from any thread
void with(with_poll<bad_empty_poll>& engine) { use(engine); }

// expect: PollPolicy: its network_type needs types `socket` and `endpoint`
void with(with_poll<poll_of<bad_types_network>>& engine) { use(engine); }

// expect: PollPolicy: its network_type needs `socket connect(const endpoint&, const socket_options&, io_error&)
//         noexcept;`
void with(with_poll<poll_of<bad_connect_network>>& engine) { use(engine); }

// expect: PollPolicy: its network_type needs `socket listen(const endpoint&, const socket_options&, int backlog,
//         io_error&) noexcept;`
void with(with_poll<poll_of<bad_listen_network>>& engine) { use(engine); }

// expect: PollPolicy: its network_type needs `io_error to_endpoint(const address&, bool for_listening, endpoint&)
//         noexcept;`
void with(with_poll<poll_of<bad_to_endpoint_network>>& engine) { use(engine); }

// expect: PollPolicy: its network_type needs `address to_address(const endpoint&) noexcept;`
void with(with_poll<poll_of<bad_to_address_network>>& engine) { use(engine); }

// expect: PollPolicy: its network_type needs `template <class Resolution> void resolve(Resolution) noexcept;`
void with(with_poll<poll_of<bad_resolve_network>>& engine) { use(engine); }

// expect: PollPolicy: its socket must be nothrow default constructible and movable, and not copyable
void with(with_poll<poll_of<network_of<bad_copied_socket>>>& engine) { use(engine); }

// expect: PollPolicy: its socket needs `io_result read(std::span<const mutable_buffer>) noexcept;`
void with(with_poll<poll_of<network_of<bad_read_socket>>>& engine) { use(engine); }

// expect: PollPolicy: its socket needs `io_result write(std::span<const const_buffer>) noexcept;`
void with(with_poll<poll_of<network_of<bad_write_socket>>>& engine) { use(engine); }

// expect: PollPolicy: its socket needs `std::size_t available() noexcept;`
void with(with_poll<poll_of<network_of<bad_available_socket>>>& engine) { use(engine); }

// expect: PollPolicy: its socket needs `io_error finish_connect() noexcept;`
void with(with_poll<poll_of<network_of<bad_finish_connect_socket>>>& engine) { use(engine); }

// expect: PollPolicy: its socket needs `socket accept(const socket_options&, io_error&) noexcept;`
void with(with_poll<poll_of<network_of<bad_accept_socket>>>& engine) { use(engine); }

// expect: PollPolicy: its socket needs `io_error shutdown_write() noexcept;`
void with(with_poll<poll_of<network_of<bad_shutdown_socket>>>& engine) { use(engine); }

// expect: PollPolicy: its socket needs `void close() noexcept;`
void with(with_poll<poll_of<network_of<bad_close_socket>>>& engine) { use(engine); }

// expect: PollPolicy: its socket needs `void abort() noexcept;`
void with(with_poll<poll_of<network_of<bad_abort_socket>>>& engine) { use(engine); }

// expect: PollPolicy: its socket needs `endpoint local_endpoint() const noexcept;`
void with(with_poll<poll_of<network_of<bad_local_endpoint_socket>>>& engine) { use(engine); }

// expect: PollPolicy: its socket needs `endpoint peer_endpoint() const noexcept;`
void with(with_poll<poll_of<network_of<bad_peer_endpoint_socket>>>& engine) { use(engine); }

// expect: PollPolicy: its socket needs `peer_credentials peer_identity() const noexcept;`
void with(with_poll<poll_of<network_of<bad_peer_identity_socket>>>& engine) { use(engine); }

} // namespace tofu_test
