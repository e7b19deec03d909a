// SPDX-License-Identifier: BSL-1.0
// Policies with the members that their contracts name, and no others. An engine that needs another member does not
// compile with them. They are declared, and never linked. No header of the engine is included, so that a header of the
// engine can be tested alone.
#ifndef TOFU_TEST_SUPPORT_MINIMAL_POLICIES_HPP
#define TOFU_TEST_SUPPORT_MINIMAL_POLICIES_HPP

#include <tofu/address.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/stats.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tofu_test {

struct minimal_endpoint {};

struct minimal_socket {
    minimal_socket() noexcept;
    minimal_socket(minimal_socket&&) noexcept;
    minimal_socket& operator=(minimal_socket&&) noexcept;
    tofu::io_result read(std::span<const tofu::mutable_buffer>) noexcept;
    tofu::io_result write(std::span<const tofu::const_buffer>) noexcept;
    std::size_t available() noexcept;
    tofu::io_error finish_connect() noexcept;
    minimal_socket accept(const tofu::socket_options&, tofu::io_error&) noexcept;
    tofu::io_error shutdown_write() noexcept;
    void close() noexcept;
    void abort() noexcept;
    minimal_endpoint local_endpoint() const noexcept;
    minimal_endpoint peer_endpoint() const noexcept;
    tofu::peer_credentials peer_identity() const noexcept;
};

struct minimal_network {
    using socket = minimal_socket;
    using endpoint = minimal_endpoint;
    socket connect(const endpoint&, const tofu::socket_options&, tofu::io_error&) noexcept;
    socket listen(const endpoint&, const tofu::socket_options&, int, tofu::io_error&) noexcept;
    tofu::io_error to_endpoint(const tofu::address&, bool, endpoint&) noexcept;
    tofu::address to_address(const endpoint&) noexcept;
    template <class Resolution>
    void resolve(Resolution) noexcept {}
};

struct minimal_poll {
    using category = tofu::poll_category;
    using network_type = minimal_network;
    struct registration {};
    minimal_poll() noexcept;
    minimal_poll(minimal_poll&&) noexcept;
    minimal_network& network() noexcept;
    tofu::io_error open() noexcept;
    tofu::io_error attach(registration&, const minimal_socket&, std::uintptr_t) noexcept;
    tofu::io_error arm(registration&, tofu::interest) noexcept;
    tofu::disarmed disarm(registration&) noexcept;
    template <class Sink>
    tofu::wait_result wait(std::chrono::nanoseconds, Sink& sink) noexcept {
        sink.ready(std::uintptr_t{}, tofu::readiness::none);
        sink.released(std::uintptr_t{});
        return {};
    }
    void wake() noexcept;
};

struct minimal_pool {
    using category = tofu::pool_category;
    minimal_pool() noexcept;
    minimal_pool(minimal_pool&&) noexcept;
    template <class Slot>
    struct storage {
        storage() noexcept;
        storage(const storage&) = delete;
        bool open(minimal_pool&) noexcept;
        Slot* acquire() noexcept;
        void release(Slot&) noexcept;
        Slot* at(std::uint32_t) const noexcept;
        template <class Visit>
        void for_each(Visit visit) noexcept {
            visit(*at(0));
        }
        std::size_t used() const noexcept;
        std::size_t capacity() const noexcept;
        std::size_t reserved() const noexcept;
        void abandon() noexcept;
    };
};

struct minimal_key {
    using category = tofu::key_category;
    static constexpr bool closes_after_release = true;
    minimal_key() noexcept;
    minimal_key(minimal_key&&) noexcept;
    bool open(std::size_t) noexcept;
    template <class Slot, class Socket>
    std::uintptr_t make(const Slot&, const Socket&) noexcept {
        return 0;
    }
    void forget(std::uintptr_t) noexcept;
    template <class Storage>
    auto* find(Storage& storage, std::uintptr_t) const noexcept {
        return storage.at(0);
    }
};

struct minimal_clock {
    using category = tofu::timer_category;
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr bool has_timers = false;
    minimal_clock() noexcept;
    minimal_clock(minimal_clock&&) noexcept;
    time_point now() const noexcept;
};

struct minimal_timer : minimal_clock {
    static constexpr bool has_timers = true;
    struct node {
        bool scheduled() const noexcept;
        time_point deadline() const noexcept;
    };
    void schedule(node&, time_point) noexcept;
    void cancel(node&) noexcept;
    node* pop_expired(time_point) noexcept;
    time_point next() const noexcept;
};

} // namespace tofu_test

#endif
