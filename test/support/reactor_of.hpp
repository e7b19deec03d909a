// SPDX-License-Identifier: BSL-1.0
// The calls of one reactor as virtual functions. An include of this header compiles an engine. Only the files in
// engines/ and tests with their own policies include it.
#ifndef TOFU_TEST_SUPPORT_REACTOR_OF_HPP
#define TOFU_TEST_SUPPORT_REACTOR_OF_HPP

#include "engine_calls.hpp"

#include <tofu/reactor.hpp>

#include <cstdlib>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace tofu_test {

/// A set of policies without timers has no such call.
template <class Group>
concept has_later_updates = requires(Group& group, tofu::message_ptr m, std::error_code& error) {
    group.update_receiver_after(nanoseconds(1), std::move(m), error);
};

template <class Timer>
class timer_of final : public timer_calls {
public:
    explicit timer_of(Timer timer) noexcept : timer_(std::move(timer)) {}
    tofu::message_ptr cancel() noexcept override { return timer_.cancel(); }

private:
    Timer timer_;
};

template <class Group>
class group_of final : public group_calls {
public:
    explicit group_of(Group group) noexcept : group_(std::move(group)) {}

    [[nodiscard]] bool has_engine() const noexcept override { return static_cast<bool>(group_); }
    tofu::binary_header post(tofu::message_ptr&& m, std::error_code* error) override {
        return error != nullptr ? group_.post(std::move(m), *error) : group_.post(std::move(m));
    }
    tofu::binary_header wait_post(tofu::message_ptr&& m, nanoseconds timeout, std::error_code* error) override {
        return error != nullptr ? group_.wait_post(std::move(m), timeout, *error)
                                : group_.wait_post(std::move(m), timeout);
    }
    tofu::message_ptr wait_receive(nanoseconds timeout, std::error_code* error) override {
        return error != nullptr ? group_.wait_receive(timeout, *error) : group_.wait_receive(timeout);
    }
    tofu::message_ptr wait_receive(std::error_code* error) override {
        return error != nullptr ? group_.wait_receive(*error) : group_.wait_receive();
    }
    void update_receiver(tofu::message_ptr&& m, std::error_code* error) override {
        error != nullptr ? group_.update_receiver(std::move(m), *error) : group_.update_receiver(std::move(m));
    }
    void update_receiver(std::error_code* error) override {
        error != nullptr ? group_.update_receiver(*error) : group_.update_receiver();
    }
    std::unique_ptr<timer_calls> update_receiver_after(nanoseconds delay, tofu::message_ptr&& m,
                                                       std::error_code* error) override {
        if constexpr (has_later_updates<Group>) {
            using timer = typename Group::timer_handle;
            return std::make_unique<timer_of<timer>>(error != nullptr
                                                         ? group_.update_receiver_after(delay, std::move(m), *error)
                                                         : group_.update_receiver_after(delay, std::move(m)));
        } else {
            std::abort(); // a case that needs timers ran on a set of policies without them
        }
    }
    std::optional<tofu::channel_stats> stats(std::uint16_t channel_number) const noexcept override {
        return group_.stats(channel_number);
    }

    std::unique_ptr<group_calls> moved() noexcept override { return std::make_unique<group_of>(std::move(group_)); }
    void assign(group_calls* other) noexcept override {
        if (other != nullptr)
            group_ = std::move(static_cast<group_of&>(*other).group_);
        else
            group_ = {};
    }

private:
    Group group_;
};

/// `Reactor` is a tofu::basic_reactor.
template <class Reactor>
class reactor_of final : public reactor_calls {
public:
    template <class... Policies>
    reactor_of(const tofu::options& opts, tofu::driven_by who, std::error_code* error, Policies... policies) {
        if (error != nullptr)
            reactor_.emplace(opts, who, *error, std::move(policies)...);
        else
            reactor_.emplace(opts, who, std::move(policies)...);
    }

    std::unique_ptr<group_calls> create_group(std::error_code* error) override {
        return std::make_unique<group>(error != nullptr ? reactor_->create_group(*error) : reactor_->create_group());
    }
    std::unique_ptr<group_calls> group_without_engine() override {
        return std::make_unique<group>(typename Reactor::group_type());
    }
    tofu::message_ptr get(tofu::allocation how, std::error_code* error) override {
        return error != nullptr ? reactor_->get(how, *error) : reactor_->get(how);
    }
    bool drain(nanoseconds timeout) noexcept override { return reactor_->drain(timeout); }
    void run_once(nanoseconds timeout, std::error_code* error) override {
        error != nullptr ? reactor_->run_once(timeout, *error) : reactor_->run_once(timeout);
    }
    time_point next_deadline(std::error_code* error) override {
        const auto next = error != nullptr ? reactor_->next_deadline(*error) : reactor_->next_deadline();
        return time_point(next.time_since_epoch()); // a policy may have its own clock
    }
    [[nodiscard]] bool has_native_handle() const noexcept override { return has_handle(*reactor_); }
    [[nodiscard]] int native_handle(std::error_code* error) const override { return handle_of(*reactor_, error); }
    [[nodiscard]] tofu::engine_stats stats() const noexcept override { return reactor_->stats(); }

private:
    using group = group_of<typename Reactor::group_type>;

    // basic_reactor::native_handle exists always, and stops the compiler where the policy has none.
    template <class Poll, class Pool, class Key, class Timer>
    static constexpr bool has_handle(const tofu::basic_reactor<Poll, Pool, Key, Timer>&) noexcept {
        return requires(const Poll& poll) { poll.native_handle(); };
    }
    template <class Poll, class Pool, class Key, class Timer>
    static int handle_of(const tofu::basic_reactor<Poll, Pool, Key, Timer>& reactor, std::error_code* error) {
        if constexpr (requires(const Poll& poll) { poll.native_handle(); })
            return error != nullptr ? reactor.native_handle(*error) : reactor.native_handle();
        if (error != nullptr) *error = tofu::status::not_allowed;
        return -1;
    }

    std::optional<Reactor> reactor_;
};

} // namespace tofu_test

#endif
