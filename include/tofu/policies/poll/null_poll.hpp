// SPDX-License-Identifier: BSL-1.0
// A poll policy without a network and without an operating system: nothing is ever ready, but it waits and wakes.

#ifndef TOFU_POLICIES_POLL_NULL_POLL_HPP
#define TOFU_POLICIES_POLL_NULL_POLL_HPP

#include <tofu/address.hpp>
#include <tofu/config.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/detail/timed_wait.hpp>
#include <tofu/platform/socket_options.hpp>
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

/// A network with no kind of address. Whoever asks it for one is told io_failure::unsupported with the system's number
/// for "address family not supported" (EAFNOSUPPORT), as a system says of a kind of socket it has not. At the engine a
/// hello_request is answered with connect_failed, a welcome_request with listen_failed, and the `~reason` is os_error
/// with that number: no other network says that of a TCP address. I/O thread.
class null_network {
public:
    struct endpoint {};

    /// Never open: every call fails, every question has an empty answer.
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

    /// Answers at once, on the calling thread. (An engine does not come here: to_endpoint has refused.)
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

/// For programs that only use timers and post to themselves, for tests, and for the first day of tofu on a new system.
/// All calls but wake: the I/O thread. Movable only before open.
class null_poll {
public:
    using category = poll_category;
    using network_type = null_network;
    using socket = null_network::socket;
    using endpoint = null_network::endpoint;

    static constexpr std::string_view name = "null_poll";

    /// There is nothing to note about a socket of which nothing is ever told.
    struct registration {};

    null_poll() noexcept = default;
    null_poll(null_poll&&) noexcept : null_poll() {}
    null_poll& operator=(null_poll&&) = delete;

    /// Never fails; none of the calls here does.
    io_error open() noexcept { return {}; }
    network_type& network() noexcept { return network_; }
    io_error attach(registration&, const socket&, std::uintptr_t) noexcept { return {}; }
    io_error arm(registration&, interest) noexcept { return {}; }
    disarmed disarm(registration&) noexcept { return disarmed::released; }

    /// Waits until wake was called or `timeout` is over: nanoseconds::max() is for ever, nothing or less only looks.
    /// The sink is told nothing.
    template <class Sink>
    wait_result wait(std::chrono::nanoseconds timeout, Sink&) noexcept {
        std::unique_lock lock(access_);
        const clock::time_point until = end_of(timeout);
        while (!woken_ && !detail::wait_is_late(notice_, lock, until)) {
        }
        woken_ = false;
        return {};
    }

    /// Ends the wait that is on, or the next one. Any thread; many at once are as good as one. What the caller did
    /// before is visible to the waiting thread after its wait.
    void wake() noexcept {
        const std::lock_guard lock(access_);
        if (!std::exchange(woken_, true)) notice_.notify_one();
    }

    /// What it allocates at most for so many sockets, in bytes: nothing; see memory_bound.hpp.
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
    bool woken_ = false;
};

} // namespace tofu::inline TOFU_ABI

#endif // TOFU_POLICIES_POLL_NULL_POLL_HPP
