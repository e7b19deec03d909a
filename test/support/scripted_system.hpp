// SPDX-License-Identifier: BSL-1.0
// The network and the clock of a scripted engine: the real system, changed as the script says.
#ifndef TOFU_TEST_SUPPORT_SCRIPTED_SYSTEM_HPP
#define TOFU_TEST_SUPPORT_SCRIPTED_SYSTEM_HPP

#include "script.hpp"

#include <tofu/platform/network.hpp>
#include <tofu/policies/timer/wait_timeout.hpp>

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace tofu_test {

/// Keeps every question until the test answers it.
struct scripted_resolver {
    script* play = nullptr;

    template <class Resolution>
    void resolve(Resolution request) noexcept {
        question one{std::string(request.host()), request.port(), request.for_listening(), {}};
        auto kept = std::make_shared<Resolution>(std::move(request)); // std::function needs a copyable object
        one.complete = [kept](std::span<const endpoint> found, tofu::io_error error) { kept->complete(found, error); };
        play->names.ask(std::move(one));
    }
};

class scripted_socket : public tofu::platform::network<>::socket {
public:
    using real = tofu::platform::network<>::socket;

    scripted_socket() noexcept = default;
    scripted_socket(real&& made, script* play) noexcept : real(std::move(made)), play_(play) {}

    tofu::io_result read(std::span<const tofu::mutable_buffer> into) noexcept {
        return refused(play_->refuses_reads) ? no_memory() : real::read(into);
    }
    tofu::io_result write(std::span<const tofu::const_buffer> from) noexcept {
        if (play_->breaks_writes) return {0, {play_->broken_as, 1}};
        return refused(play_->refuses_writes) ? no_memory() : real::write(from);
    }
    tofu::io_error finish_connect() noexcept {
        return play_->connects_unseen ? tofu::io_error{} : real::finish_connect();
    }
    scripted_socket accept(const tofu::socket_options& options, tofu::io_error& error) noexcept {
        const tofu::io_failure kind = play_->refuses_accepts;
        if (kind == tofu::io_failure::none) {
            scripted_socket made(real::accept(options, error), play_);
            if (made.is_open()) play_->sockets.add({asked_socket::how::accepted, options});
            return made;
        }
        ++play_->refusals;
        error = {kind, 1};
        return {};
    }

private:
    [[nodiscard]] bool refused(const std::atomic<bool>& what) noexcept {
        if (!what) return false;
        ++play_->refusals;
        return true;
    }
    static tofu::io_result no_memory() noexcept { return {0, {tofu::io_failure::no_memory, 1}}; }

    script* play_ = nullptr;
};

class scripted_network : public tofu::platform::network<scripted_resolver> {
public:
    using real = tofu::platform::network<scripted_resolver>;
    using socket = scripted_socket;

    scripted_network() noexcept = default;
    explicit scripted_network(script& play) noexcept : real(scripted_resolver{&play}), play_(&play) {}

    socket connect(const endpoint& to, const tofu::socket_options& options, tofu::io_error& error) noexcept {
        play_->sockets.add({asked_socket::how::connects, options});
        if (play_->never_connects) return silent(options, error);
        for (const auto& [where, ending] : play_->connects_as) {
            if (tofu::platform::to_address(to) != where) continue;
            if (ending == tofu::io_failure::would_block) return silent(options, error);
            error = {ending, 1};
            return {};
        }
        return {real::connect(to, options, error), play_};
    }
    socket listen(const endpoint& at, const tofu::socket_options& options, int backlog,
                  tofu::io_error& error) noexcept {
        play_->sockets.add({asked_socket::how::listens, options, backlog});
        return {real::listen(at, options, backlog, error), play_};
    }
    tofu::io_error to_endpoint(const tofu::address& from, bool for_listening, endpoint& out) noexcept {
        const bool diverted = play_->diverted_from.valid() && from == play_->diverted_from;
        return real::to_endpoint(diverted ? play_->diverted_to : from, for_listening, out);
    }

private:
    /// A connection that is never writable, because it is a listener.
    socket silent(const tofu::socket_options& options, tofu::io_error& error) noexcept {
        endpoint here;
        static_cast<void>(real::to_endpoint(tofu::tcp_address{"127.0.0.1", 0}, true, here));
        socket made = listen(here, options, 1, error);
        error = {tofu::io_failure::would_block, 0};
        return made;
    }

    script* play_ = nullptr;
};

/// A timer policy of real time whose clock the script moves. Zero timeouts only while it stands still.
template <class Timer>
class scripted : public Timer {
public:
    using typename Timer::time_point;

    explicit scripted(const script& play) noexcept : play_(&play) {}
    [[nodiscard]] time_point now() const noexcept {
        const time_point start = play_->clock_stands_still ? time_point{} : Timer::now();
        return start + std::chrono::milliseconds(play_->clock_lead.load());
    }

private:
    const script* play_;
};

using scripted_clock = scripted<tofu::wait_timeout>;

} // namespace tofu_test

#endif
