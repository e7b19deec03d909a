// SPDX-License-Identifier: BSL-1.0
// Forwards every call to the engine behind it.
#include "any_reactor.hpp"

#include <utility>

namespace tofu_test {

using tofu::binary_header;
using tofu::message_ptr;

message_ptr any_timer::cancel() noexcept { return calls_ ? calls_->cancel() : nullptr; }

any_group::any_group(any_group&& other) noexcept : calls_(other.calls_ ? other.calls_->moved() : nullptr) {}

any_group& any_group::operator=(any_group&& other) noexcept {
    if (calls_)
        calls_->assign(other.calls_.get());
    else if (other.calls_)
        calls_ = other.calls_->moved();
    return *this;
}

any_group::operator bool() const noexcept { return calls_ && calls_->has_engine(); }

binary_header any_group::post(message_ptr&& m, std::error_code& error) noexcept {
    return calls_->post(std::move(m), &error);
}

binary_header any_group::post(message_ptr&& m) { return calls_->post(std::move(m), nullptr); }

binary_header any_group::wait_post(message_ptr&& m, nanoseconds timeout, std::error_code& error) noexcept {
    return calls_->wait_post(std::move(m), timeout, &error);
}

binary_header any_group::wait_post(message_ptr&& m, nanoseconds timeout) {
    return calls_->wait_post(std::move(m), timeout, nullptr);
}

message_ptr any_group::wait_receive(nanoseconds timeout, std::error_code& error) noexcept {
    return calls_->wait_receive(timeout, &error);
}

message_ptr any_group::wait_receive(nanoseconds timeout) { return calls_->wait_receive(timeout, nullptr); }

message_ptr any_group::wait_receive(std::error_code& error) noexcept { return calls_->wait_receive(&error); }

message_ptr any_group::wait_receive() { return calls_->wait_receive(nullptr); }

void any_group::update_receiver(message_ptr&& m, std::error_code& error) noexcept {
    calls_->update_receiver(std::move(m), &error);
}

void any_group::update_receiver(message_ptr&& m) { calls_->update_receiver(std::move(m), nullptr); }

void any_group::update_receiver(std::error_code& error) noexcept { calls_->update_receiver(&error); }

void any_group::update_receiver() { calls_->update_receiver(nullptr); }

any_timer any_group::update_receiver_after(nanoseconds delay, message_ptr&& m, std::error_code& error) noexcept {
    return any_timer(calls_->update_receiver_after(delay, std::move(m), &error));
}

any_timer any_group::update_receiver_after(nanoseconds delay, message_ptr&& m) {
    return any_timer(calls_->update_receiver_after(delay, std::move(m), nullptr));
}

std::optional<tofu::channel_stats> any_group::stats(std::uint16_t channel_number) const noexcept {
    return calls_->stats(channel_number);
}

any_group any_reactor::create_group(std::error_code& error) noexcept { return any_group(calls_->create_group(&error)); }

any_group any_reactor::create_group() { return any_group(calls_->create_group(nullptr)); }

any_group any_reactor::group_without_engine() { return any_group(calls_->group_without_engine()); }

message_ptr any_reactor::get(tofu::allocation how, std::error_code& error) noexcept { return calls_->get(how, &error); }

message_ptr any_reactor::get(tofu::allocation how) { return calls_->get(how, nullptr); }

bool any_reactor::drain(nanoseconds timeout) noexcept { return calls_->drain(timeout); }

void any_reactor::run_once(nanoseconds timeout, std::error_code& error) noexcept { calls_->run_once(timeout, &error); }

void any_reactor::run_once(nanoseconds timeout) { calls_->run_once(timeout, nullptr); }

any_reactor::time_point any_reactor::next_deadline(std::error_code& error) noexcept {
    return calls_->next_deadline(&error);
}

any_reactor::time_point any_reactor::next_deadline() { return calls_->next_deadline(nullptr); }

bool any_reactor::has_native_handle() const noexcept { return calls_->has_native_handle(); }
int any_reactor::native_handle(std::error_code& error) const noexcept { return calls_->native_handle(&error); }
int any_reactor::native_handle() const { return calls_->native_handle(nullptr); }

tofu::engine_stats any_reactor::stats() const noexcept { return calls_->stats(); }

} // namespace tofu_test
