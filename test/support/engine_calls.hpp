// SPDX-License-Identifier: BSL-1.0
// The calls of a reactor, its groups and timers as virtual functions. any_reactor, any_group and any_timer forward to
// them. reactor_of.hpp implements them for one reactor.
#ifndef TOFU_TEST_SUPPORT_ENGINE_CALLS_HPP
#define TOFU_TEST_SUPPORT_ENGINE_CALLS_HPP

#include <tofu/message.hpp>
#include <tofu/message_ptr.hpp>
#include <tofu/stats.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>

namespace tofu_test {

using std::chrono::nanoseconds;

// A null `error` selects the throwing form of a call.

class timer_calls {
public:
    virtual ~timer_calls() = default;
    virtual tofu::message_ptr cancel() noexcept = 0;
};

class group_calls {
public:
    virtual ~group_calls() = default;
    [[nodiscard]] virtual bool has_engine() const noexcept = 0;
    virtual tofu::binary_header post(tofu::message_ptr&& m, std::error_code* error) = 0;
    virtual tofu::binary_header wait_post(tofu::message_ptr&& m, nanoseconds timeout, std::error_code* error) = 0;
    virtual tofu::message_ptr wait_receive(nanoseconds timeout, std::error_code* error) = 0;
    virtual tofu::message_ptr wait_receive(std::error_code* error) = 0;
    virtual void update_receiver(tofu::message_ptr&& m, std::error_code* error) = 0;
    virtual void update_receiver(std::error_code* error) = 0;
    virtual std::unique_ptr<timer_calls> update_receiver_after(nanoseconds delay, tofu::message_ptr&& m,
                                                               std::error_code* error) = 0;
    virtual std::optional<tofu::channel_stats> stats(std::uint16_t channel_number) const noexcept = 0;

    /// A group made from this one by its move constructor.
    virtual std::unique_ptr<group_calls> moved() noexcept = 0;
    /// Move assigns another group of the same type. Null: a group without an engine.
    virtual void assign(group_calls* other) noexcept = 0;
};

class reactor_calls {
public:
    using time_point = std::chrono::steady_clock::time_point;

    virtual ~reactor_calls() = default;
    virtual std::unique_ptr<group_calls> create_group(std::error_code* error) = 0;
    virtual std::unique_ptr<group_calls> group_without_engine() = 0;
    virtual tofu::message_ptr get(tofu::allocation how, std::error_code* error) = 0;
    virtual bool drain(nanoseconds timeout) noexcept = 0;
    virtual void run_once(nanoseconds timeout, std::error_code* error) = 0;
    virtual time_point next_deadline(std::error_code* error) = 0;
    [[nodiscard]] virtual bool has_native_handle() const noexcept = 0;
    [[nodiscard]] virtual int native_handle(std::error_code* error) const = 0;
    [[nodiscard]] virtual tofu::engine_stats stats() const noexcept = 0;
};

} // namespace tofu_test

#endif
