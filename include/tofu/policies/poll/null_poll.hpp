// SPDX-License-Identifier: BSL-1.0
// A poll policy without sockets and without calls of the operating system: it waits and wakes, and reports nothing.

#ifndef TOFU_POLICIES_POLL_NULL_POLL_HPP
#define TOFU_POLICIES_POLL_NULL_POLL_HPP

#include <tofu/address.hpp>
#include <tofu/config.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/detail/timed_wait.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/stats.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

namespace tofu::inline TOFU_ABI {

/// A network without any kind of address. Each call fails with io_failure::unsupported and EAFNOSUPPORT, the system's
/// number for "address family not supported". So the engine answers a hello_request with connect_failed and a
/// welcome_request with listen_failed, and `~reason` is os_error with that number. I/O thread.
class null_network {
public:
    struct endpoint {};

    /// A socket that is never open: calls fail, getters return empty values.
    class socket {
    public:
        socket() noexcept = default;
        socket(socket&&) noexcept = default;
        socket& operator=(socket&&) noexcept = default;
        ~socket() = default;

        [[nodiscard]] bool is_open() const noexcept { return false; }
        [[nodiscard]] int native_handle() const noexcept { return -1; }
        io_error finish_connect() noexcept { return refusal(); }
        socket accept(const socket_options&, io_error& error) noexcept { return none(error); }
        io_result read(std::span<const mutable_buffer>) noexcept { return {.bytes = 0, .error = refusal()}; }
        io_result write(std::span<const const_buffer>) noexcept { return {.bytes = 0, .error = refusal()}; }
        std::size_t available() noexcept { return 0; }
        io_error shutdown_write() noexcept { return refusal(); }
        void close() noexcept {}
        void abort() noexcept {}
        [[nodiscard]] endpoint local_endpoint() const noexcept { return {}; }
        [[nodiscard]] endpoint peer_endpoint() const noexcept { return {}; }
        [[nodiscard]] peer_credentials peer_identity() const noexcept { return {}; }
    };

    socket connect(const endpoint&, const socket_options&, io_error& error) noexcept { return none(error); }
    socket listen(const endpoint&, const socket_options&, int, io_error& error) noexcept { return none(error); }
    io_error to_endpoint(const address&, bool, endpoint&) noexcept { return refusal(); }
    address to_address(const endpoint&) noexcept { return {}; }

    /// Completes at once, on the calling thread. The engine never calls this, because to_endpoint fails.
    template <class Resolution>
    void resolve(Resolution request) noexcept {
        request.complete(std::span<const endpoint>{}, refusal());
    }

private:
    static io_error refusal() noexcept {
        return {io_failure::unsupported, static_cast<int>(std::errc::address_family_not_supported)};
    }
    static socket none(io_error& error) noexcept {
        error = refusal();
        return {};
    }
};

/// Meets the contract in policies/concepts/poll.hpp. For programs without sockets that only use timers and
/// update_receiver, for tests, and for the first steps on a new system. No call fails. Movable only before open().
class null_poll {
public:
    using category = poll_category;
    using network_type = null_network;
    using socket = null_network::socket;
    using endpoint = null_network::endpoint;

    static constexpr std::string_view name = "null_poll";

    /// Empty, because there are no sockets.
    struct registration {};

    null_poll() noexcept = default;
    null_poll(null_poll&&) noexcept : null_poll() {}
    null_poll& operator=(null_poll&&) = delete;

    io_error open() noexcept { return {}; }
    network_type& network() noexcept { return network_; }
    io_error attach(registration&, const socket&, std::uintptr_t) noexcept { return {}; }
    io_error arm(registration&, interest) noexcept { return {}; }
    disarmed disarm(registration&) noexcept { return disarmed::released; }

    /// Reports nothing. Does not round the timeout.
    template <class Sink>
    wait_result wait(std::chrono::nanoseconds timeout, Sink&) noexcept {
        std::unique_lock lock(access_);
        const clock::time_point until = end_of(timeout);
        while (!woken_ && !detail::wait_is_late(notice_, lock, until)) {
        }
        woken_ = false;
        return {};
    }

    /// Takes a lock, so not in a signal handler.
    void wake() noexcept {
        const std::lock_guard lock(access_);
        if (!std::exchange(woken_, true)) notice_.notify_one();
    }

    /// The most bytes that the poller allocates for this many sockets: none. See memory_bound.hpp.
    [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t) noexcept { return 0; }

private:
    using clock = std::chrono::steady_clock;

    static clock::time_point end_of(std::chrono::nanoseconds timeout) noexcept {
        if (timeout == (std::chrono::nanoseconds::max)()) return (clock::time_point::max)();
        const clock::time_point now = clock::now();
        const auto left = std::chrono::floor<std::chrono::nanoseconds>((clock::time_point::max)() - now);
        return now + std::chrono::ceil<clock::duration>((std::min)(timeout, left));
    }

    null_network network_;
    std::mutex access_;
    std::condition_variable notice_;
    bool woken_ = false; ///< wake() was called and no wait() has ended since
};

} // namespace tofu::inline TOFU_ABI

#endif // TOFU_POLICIES_POLL_NULL_POLL_HPP
