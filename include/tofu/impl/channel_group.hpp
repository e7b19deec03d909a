// SPDX-License-Identifier: BSL-1.0
// The bodies of the calls that channel_group.hpp declares. Programs do not include this header.
#ifndef TOFU_IMPL_CHANNEL_GROUP_HPP
#define TOFU_IMPL_CHANNEL_GROUP_HPP

#include <tofu/channel_group.hpp>
#include <tofu/config.hpp>
#include <tofu/engine/engine_core.hpp>
#include <tofu/message_ptr.hpp>
#include <tofu/policies/defaults.hpp>

#include <chrono>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

namespace tofu::inline TOFU_ABI {

template <class Policies>
inline basic_timer_handle<Policies>::basic_timer_handle() noexcept = default;
template <class Policies>
inline basic_timer_handle<Policies>::basic_timer_handle(basic_timer_handle&&) noexcept = default;
template <class Policies>
inline basic_timer_handle<Policies>::basic_timer_handle(const basic_timer_handle&) noexcept = default;
template <class Policies>
inline basic_timer_handle<Policies>::~basic_timer_handle() = default;
template <class Policies>
inline basic_timer_handle<Policies>& basic_timer_handle<Policies>::operator=(basic_timer_handle other) noexcept {
    std::swap(core_, other.core_);
    std::swap(timer_, other.timer_);
    return *this;
}

template <class Policies>
inline message_ptr basic_timer_handle<Policies>::cancel() noexcept {
    using stage = typename timer_type::stage;
    if (!timer_ || !core_->is_here()) return nullptr;
    if (timer_->advance(stage::posted, stage::settled)) return std::move(timer_->content);
    if (!timer_->advance(stage::scheduled, stage::settled)) return nullptr;
    message_ptr content = std::move(timer_->content);
    core_->submit(*timer_); // the loop removes the timer from its heap
    return content;
}

template <class Policies>
inline basic_channel_group<Policies>::basic_channel_group() noexcept = default;
template <class Policies>
inline basic_channel_group<Policies>::basic_channel_group(basic_channel_group&&) noexcept = default;
template <class Policies>
inline basic_channel_group<Policies>::basic_channel_group(engine::ref<core_type> core,
                                                          engine::ref<engine::group_core> group) noexcept
    : core_(std::move(core)), group_(std::move(group)) {}
template <class Policies>
inline basic_channel_group<Policies>& basic_channel_group<Policies>::operator=(basic_channel_group&& other) noexcept {
    basic_channel_group old(std::move(*this));
    core_ = std::move(other.core_);
    group_ = std::move(other.group_);
    return *this;
}
template <class Policies>
inline basic_channel_group<Policies>::~basic_channel_group() {
    if (group_) core_->destroy(*group_);
}

template <class Policies>
inline binary_header basic_channel_group<Policies>::post(message_ptr&& m, std::error_code& error) noexcept {
    binary_header sent;
    error = group_ ? core_->post(*group_, m, sent) : status::shutdown_started;
    return sent;
}

template <class Policies>
inline binary_header basic_channel_group<Policies>::post_within(message_ptr&& m, std::chrono::nanoseconds timeout,
                                                                std::error_code& error) noexcept {
    binary_header sent = post(std::move(m), error);
    if (error != status::send_failed || !m) return sent;
    const auto until = core_->deadline_after(timeout);
    const std::uint16_t number = m->header().channel_number;
    while (core_->await(until, [&] { return core_->has_room(number, m->wire_size()); })) {
        sent = post(std::move(m), error);
        if (error != status::send_failed || core_->timers.now() >= until) return sent; // another poster took the room
    }
    return sent;
}

template <class Policies>
inline message_ptr basic_channel_group<Policies>::receive_within(std::chrono::nanoseconds timeout,
                                                                 std::error_code& error) noexcept {
    error.clear();
    if (!group_ || !core_->is_here()) {
        error = status::shutdown_started;
        return nullptr;
    }
    if (message_ptr m = take()) return m;
    if (core_->has_io_thread) return wait_for_thread(timeout, error);
    const auto until = core_->deadline_after(timeout);
    for (;;) {
        const bool more = core_->await(until, [this] { return group_->mail.has_mail() || group_->mail.finished(); });
        if (message_ptr m = take()) return m;
        if (ended(error) || !more) return nullptr;
    }
}

template <class Policies>
inline void basic_channel_group<Policies>::update_receiver(message_ptr&& m, std::error_code& error) noexcept {
    error = check_update(m.get());
    if (error) return;
    prepare_update(*m, origin::application);
    push_update(*m.release());
}

template <class Policies>
inline void basic_channel_group<Policies>::update_receiver(std::error_code& error) noexcept {
    message_ptr m = group_ ? engine::owned(core_->messages.acquire()) : nullptr; // null in a child
    error = check_update(m.get());
    if (error == status::null_message) error = status::allocation_failed;
    if (error) return;
    m->header().op = op_code::signal;
    prepare_update(*m, origin::engine);
    push_update(*m.release());
}

template <class Policies>
inline auto basic_channel_group<Policies>::update_within(std::chrono::nanoseconds delay, message_ptr&& m,
                                                         std::error_code& error) noexcept -> timer_handle {
    timer_handle handle;
    error = check_update(m.get());
    if (error) return handle;
    using timer_type = typename timer_handle::timer_type;
    auto* const timer = new (std::nothrow) timer_type(group_, nullptr, core_->deadline_after(delay));
    if (timer == nullptr) {
        error = status::allocation_failed;
        return handle;
    }
    prepare_update(*m, origin::application);
    timer->content = std::move(m);
    handle.core_ = core_;
    handle.timer_ = engine::ref<timer_type>::share(*timer); // the first reference is the loop's
    core_->submit(*timer);
    return handle;
}

template <class Policies>
inline std::optional<channel_stats> basic_channel_group<Policies>::stats(std::uint16_t channel_number) const noexcept {
    channel_stats figures;
    bool found = false;
    if (!group_ || !core_->is_here()) return std::nullopt;
    core_->call([&](auto& state) {
        found = engine::group_commands<Policies>::describe(state, *group_, channel_number, figures);
        return true;
    });
    return found ? std::optional(figures) : std::nullopt;
}

template <class Policies>
inline message_ptr basic_channel_group<Policies>::take() noexcept {
    while (detail::queue_node* const node = group_->mail.pop()) {
        message& m = engine::message_of(*node);
        const detail::node_kind kind = std::exchange(node->kind, detail::node_kind::message);
        if (kind == detail::node_kind::end_of_stream) {
            node->kind = kind;
            core_->submit(*node);
            continue;
        }
        if (kind == detail::node_kind::goodbye) core_->directory.free(m.header().channel_number);
        if (kind == detail::node_kind::pool_empty) restock_notice();
        return engine::owned(&m);
    }
    return nullptr;
}

template <class Policies>
inline void basic_channel_group<Policies>::restock_notice() noexcept {
    group_->pool_empty_reserve = engine::owned(core_->messages.acquire_uncounted());
    group_->pool_empty_unread.store(false, std::memory_order_release);
}

template <class Policies>
inline bool basic_channel_group<Policies>::ended(std::error_code& error) const noexcept {
    if (!group_->mail.finished() || group_->mail.has_mail()) return false;
    error = status::shutdown_started;
    return true;
}

template <class Policies>
inline message_ptr basic_channel_group<Policies>::wait_for_thread(std::chrono::nanoseconds timeout,
                                                                  std::error_code& error) noexcept {
    const auto until = detail::deadline_from(std::chrono::steady_clock::now(), timeout);
    for (;;) {
        const bool late = !group_->mail.wait_until(until);
        if (message_ptr m = take()) return m;
        if (ended(error) || late) return nullptr;
    }
}

template <class Policies>
inline status basic_channel_group<Policies>::check_update(const message* m) const noexcept {
    if (!group_ || core_->refuses_calls()) return status::shutdown_started;
    return m == nullptr ? status::null_message : status::success;
}

template <class Policies>
inline void basic_channel_group<Policies>::prepare_update(message& m, origin from) noexcept {
    engine::route_of(m).home->mark_posted(m); // it is a posted message now
    engine::put_status(m, status::receiver_update);
    m.header().channel_number = no_channel;
    m.header().origin = from;
    m.header().text_headers_length = static_cast<std::uint16_t>(m.headers().size_bytes());
    m.header().body_length = static_cast<std::uint16_t>(m.body().size());
}

template <class Policies>
inline void basic_channel_group<Policies>::push_update(message& m) noexcept {
    group_->mail.push(engine::node_of(m));
    if (core_->can_drive()) core_->updated(); // the receiver may be waiting in the poller
}

} // namespace tofu::inline TOFU_ABI

#endif
