// SPDX-License-Identifier: BSL-1.0
// A reactor, a group and a timer whose policies are chosen at run time. They have the members of tofu::basic_reactor,
// tofu::basic_channel_group and tofu::basic_timer_handle, and each calls its namesake there: so the body of a test is
// compiled once, and the engine in one translation unit for each set of policies.
#ifndef TOFU_TEST_SUPPORT_ANY_REACTOR_HPP
#define TOFU_TEST_SUPPORT_ANY_REACTOR_HPP

#include "engine_calls.hpp"
#include "setting.hpp"

#include <tofu/options.hpp>

#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace tofu_test {

/// See tofu::basic_timer_handle.
class any_timer {
public:
    any_timer() noexcept = default;
    explicit any_timer(std::unique_ptr<timer_calls> calls) noexcept : calls_(std::move(calls)) {}
    tofu::message_ptr cancel() noexcept;

private:
    std::unique_ptr<timer_calls> calls_;
};

/// See tofu::basic_channel_group. A default constructed group can only be assigned to, and asked whether it has an
/// engine; any_reactor::group_without_engine makes one whose calls report that it has none.
class any_group {
public:
    any_group() noexcept = default;
    explicit any_group(std::unique_ptr<group_calls> calls) noexcept : calls_(std::move(calls)) {}
    /// Moves the group itself: `other` keeps a group that was moved from.
    any_group(any_group&& other) noexcept;
    any_group& operator=(any_group&& other) noexcept;
    ~any_group() = default;

    [[nodiscard]] explicit operator bool() const noexcept;

    tofu::binary_header post(tofu::message_ptr&& m, std::error_code& error) noexcept;
    tofu::binary_header post(tofu::message_ptr&& m);
    tofu::binary_header wait_post(tofu::message_ptr&& m, nanoseconds timeout, std::error_code& error) noexcept;
    tofu::binary_header wait_post(tofu::message_ptr&& m, nanoseconds timeout);

    [[nodiscard]] tofu::message_ptr wait_receive(nanoseconds timeout, std::error_code& error) noexcept;
    [[nodiscard]] tofu::message_ptr wait_receive(nanoseconds timeout);
    [[nodiscard]] tofu::message_ptr wait_receive(std::error_code& error) noexcept;
    [[nodiscard]] tofu::message_ptr wait_receive();

    void update_receiver(tofu::message_ptr&& m, std::error_code& error) noexcept;
    void update_receiver(tofu::message_ptr&& m);
    void update_receiver(std::error_code& error) noexcept;
    void update_receiver();
    any_timer update_receiver_after(nanoseconds delay, tofu::message_ptr&& m, std::error_code& error) noexcept;
    any_timer update_receiver_after(nanoseconds delay, tofu::message_ptr&& m);

    [[nodiscard]] std::optional<tofu::channel_stats> stats(std::uint16_t channel_number) const noexcept;

private:
    std::unique_ptr<group_calls> calls_;
};

/// See tofu::basic_reactor.
class any_reactor {
public:
    using time_point = reactor_calls::time_point;

    /// With the setting's poll policy and this system's default policies otherwise.
    explicit any_reactor(const setting& here, const tofu::options& opts = {});
    any_reactor(const setting& here, const tofu::options& opts, std::error_code& error) noexcept;
    /// With other policies; see engines.hpp and reactor_of.hpp.
    explicit any_reactor(std::unique_ptr<reactor_calls> calls) noexcept : calls_(std::move(calls)) {}

    [[nodiscard]] any_group create_group(std::error_code& error) noexcept;
    [[nodiscard]] any_group create_group();
    /// A default constructed group, with all calls.
    [[nodiscard]] any_group group_without_engine();

    [[nodiscard]] tofu::message_ptr get(tofu::allocation how, std::error_code& error) noexcept;
    [[nodiscard]] tofu::message_ptr get(tofu::allocation how = tofu::allocation::always);

    bool drain(nanoseconds timeout) noexcept;
    void run_once(nanoseconds timeout, std::error_code& error) noexcept;
    void run_once(nanoseconds timeout);
    [[nodiscard]] time_point next_deadline(std::error_code& error) noexcept;
    [[nodiscard]] time_point next_deadline();
    /// Its poll policy has one descriptor to wait for.
    [[nodiscard]] bool has_native_handle() const noexcept;
    [[nodiscard]] int native_handle(std::error_code& error) const noexcept; ///< not_allowed also where there is none
    [[nodiscard]] int native_handle() const;
    [[nodiscard]] tofu::engine_stats stats() const noexcept;

private:
    std::unique_ptr<reactor_calls> calls_;
};

} // namespace tofu_test

#endif
