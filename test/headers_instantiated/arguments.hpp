// SPDX-License-Identifier: BSL-1.0
// What the engine's class templates are instantiated with: declared, and never linked. Includes no header of the engine
// and nothing of the policies that come with the library: a tested header must not live on what is included here.
#ifndef TOFU_TEST_HEADERS_INSTANTIATED_ARGUMENTS_HPP
#define TOFU_TEST_HEADERS_INSTANTIATED_ARGUMENTS_HPP

#include <tofu/address.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/detail/intrusive_list.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/stats.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tofu_test {

struct timeless {
    using category = tofu::timer_category;
    using time_point = std::chrono::time_point<timeless, std::chrono::nanoseconds>;
    static constexpr bool has_timers = false;
    [[nodiscard]] time_point now() const noexcept;
};

struct timely {
    using category = tofu::timer_category;
    using time_point = std::chrono::time_point<timely, std::chrono::nanoseconds>;
    static constexpr bool has_timers = true;
    struct node {
        [[nodiscard]] bool scheduled() const noexcept;
        [[nodiscard]] time_point deadline() const noexcept;
    };
    [[nodiscard]] time_point now() const noexcept;
    void schedule(node&, time_point) noexcept;
    void cancel(node&) noexcept;
    node* pop_expired(time_point) noexcept;
    [[nodiscard]] time_point next() const noexcept;
};

/// An argument for each template parameter, by its name. `Clock` makes the arguments of different sets different types.
template <class Clock>
struct arguments {
    struct Endpoint {};

    struct socket {
        tofu::io_result read(std::span<const tofu::mutable_buffer>) noexcept;
        tofu::io_result write(std::span<const tofu::const_buffer>) noexcept;
        std::size_t available() noexcept;
        tofu::io_error finish_connect() noexcept;
        socket accept(const tofu::socket_options&, tofu::io_error&) noexcept;
        tofu::io_error shutdown_write() noexcept;
        void close() noexcept;
        void abort() noexcept;
        [[nodiscard]] Endpoint local_endpoint() const noexcept;
        [[nodiscard]] Endpoint peer_endpoint() const noexcept;
        [[nodiscard]] tofu::peer_credentials peer_identity() const noexcept;
    };

    struct network {
        using socket = arguments::socket;
        using endpoint = Endpoint;
        socket connect(const endpoint&, const tofu::socket_options&, tofu::io_error&) noexcept;
        socket listen(const endpoint&, const tofu::socket_options&, int, tofu::io_error&) noexcept;
        tofu::io_error to_endpoint(const tofu::address&, bool, endpoint&) noexcept;
        tofu::address to_address(const endpoint&) noexcept;
        template <class Resolution>
        void resolve(Resolution) noexcept {}
    };

    struct poll {
        using category = tofu::poll_category;
        using network_type = arguments::network;
        struct registration {};
        network_type& network() noexcept;
        tofu::io_error open() noexcept;
        tofu::io_error attach(registration&, const socket&, std::uintptr_t) noexcept;
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

    struct pool {
        using category = tofu::pool_category;
        template <class Slot>
        struct storage {
            bool open(pool&) noexcept;
            Slot* acquire() noexcept;
            void release(Slot&) noexcept;
            [[nodiscard]] Slot* at(std::uint32_t) const noexcept;
            template <class Visit>
            void for_each(Visit visit) noexcept {
                visit(*at(0));
            }
            [[nodiscard]] std::size_t used() const noexcept;
            [[nodiscard]] std::size_t capacity() const noexcept;
            [[nodiscard]] std::size_t reserved() const noexcept;
            void abandon() noexcept;
        };
    };

    struct key {
        using category = tofu::key_category;
        static constexpr bool closes_after_release = true;
        bool open(std::size_t) noexcept;
        template <class Slot, class Socket>
        std::uintptr_t make(const Slot&, const Socket&) noexcept {
            return 0;
        }
        void forget(std::uintptr_t) noexcept;
        template <class Storage>
        [[nodiscard]] auto* find(Storage& storage, std::uintptr_t) const noexcept {
            return storage.at(0);
        }
    };

    using Timer = Clock;

    struct Policies {
        using poll = arguments::poll;
        using pool = arguments::pool;
        using key = arguments::key;
        using timer = Clock;
    };

    using TimePoint = typename Clock::time_point;

    /// What the lists of the loop ask of a channel.
    struct Channel {
        [[nodiscard]] bool is_attached() const noexcept;
        bool holds_partial = false;
        std::uint8_t refused_arms = 0;
        tofu::detail::list_hook<Channel> pause_hook, retry_hook, stalled_hook;
    };

    struct Object {
        struct {
            void add() noexcept;
            bool drop() noexcept;
        } references;
    };
};

using with_timers = arguments<timely>;
using without_timers = arguments<timeless>;

} // namespace tofu_test

#endif
