// SPDX-License-Identifier: BSL-1.0
// The owning pointer to a message, and the copy of a message.
#ifndef TOFU_MESSAGE_PTR_HPP
#define TOFU_MESSAGE_PTR_HPP

#include <tofu/config.hpp>
#include <tofu/engine/memory/message_pool.hpp>
#include <tofu/message.hpp>
#include <tofu/status.hpp>

#include <cstdint>
#include <memory>
#include <system_error>

namespace tofu::inline TOFU_ABI {

/// Returns a message to its pool. Any thread.
struct message_release {
    void operator()(message* m) const noexcept { engine::route_of(*m).home->release(*m); }
};

/// Owns one message. It may outlive the reactor. Any thread may release it.
using message_ptr = std::unique_ptr<message, message_release>;

/// The behaviour of basic_reactor::get when the pool has no free message.
enum class allocation : std::uint8_t {
    always,   ///< allocates one
    pool_only ///< fails with status::pool_empty
};

/// Copies header, text headers, body and user pointer into a message of the same pool. The copy of a received message
/// takes no receive credit. Any thread that owns `original`. Errors: allocation_failed (memory is short, or
/// options::max_messages_alive is reached); shutdown_started (in a forked child).
[[nodiscard]] inline message_ptr clone(message& original, std::error_code& error) noexcept {
    engine::message_pool& home = *engine::route_of(original).home;
    message_ptr copy(home.acquire());
    if (copy == nullptr || !copy->assign(original)) {
        error = home.is_here() ? status::allocation_failed : status::shutdown_started;
        return nullptr;
    }
    error.clear();
    return copy;
}

namespace engine {

/// Takes ownership of a message that the engine held by a plain pointer. Null stays null.
inline message_ptr owned(message* m) noexcept { return message_ptr(m); }

} // namespace engine
} // namespace tofu::inline TOFU_ABI

#endif
