// SPDX-License-Identifier: BSL-1.0
// The owning pointer to a message, and the copy of a message.
#ifndef TOFU_MESSAGE_PTR_HPP
#define TOFU_MESSAGE_PTR_HPP

#include <tofu/config.hpp>
#include <tofu/message.hpp>
#include <tofu/status.hpp>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <system_error>
#include <utility>

namespace tofu::inline TOFU_ABI {

/// Owns one message or none, like std::unique_ptr. The destructor returns the message to its pool. The message may
/// outlive the reactor. Any thread may destroy or reset a message_ptr, one thread at a time.
class message_ptr {
public:
    using element_type = message;
    using pointer = message*;

    constexpr message_ptr() noexcept = default;
    constexpr message_ptr(std::nullptr_t) noexcept {}
    /// Takes ownership of a message that `release()` has returned.
    constexpr explicit message_ptr(message* given) noexcept : message_(given) {}
    constexpr message_ptr(message_ptr&& other) noexcept : message_(std::exchange(other.message_, nullptr)) {}
    message_ptr& operator=(message_ptr&& other) noexcept {
        reset(other.release());
        return *this;
    }
    message_ptr& operator=(std::nullptr_t) noexcept {
        reset();
        return *this;
    }
    ~message_ptr() {
        if (message_ != nullptr) give_back(*message_);
    }

    [[nodiscard]] message* get() const noexcept { return message_; }
    [[nodiscard]] message& operator*() const noexcept {
        TOFU_ASSERT(message_ != nullptr);
        return *message_;
    }
    [[nodiscard]] message* operator->() const noexcept {
        TOFU_ASSERT(message_ != nullptr);
        return message_;
    }
    [[nodiscard]] explicit operator bool() const noexcept { return message_ != nullptr; }

    /// Gives up ownership and returns the plain pointer. The caller must construct a message_ptr from this pointer;
    /// otherwise the message never returns to its pool.
    [[nodiscard]] message* release() noexcept { return std::exchange(message_, nullptr); }
    /// Returns the message to its pool, and owns `next` from now on.
    void reset(message* next = nullptr) noexcept {
        message* const before = std::exchange(message_, next);
        if (before != nullptr) give_back(*before);
    }
    void swap(message_ptr& other) noexcept { std::swap(message_, other.message_); }

    friend bool operator==(const message_ptr& owner, std::nullptr_t) noexcept { return owner.message_ == nullptr; }
    friend bool operator==(const message_ptr& left, const message_ptr& right) noexcept {
        return left.message_ == right.message_;
    }

    /// Writes the address, as for std::unique_ptr.
    template <class Char, class Traits>
    friend std::basic_ostream<Char, Traits>& operator<<(std::basic_ostream<Char, Traits>& out, const message_ptr& m) {
        return out << static_cast<const void*>(m.message_);
    }

private:
    static void give_back(message& m) noexcept;

    message* message_ = nullptr;
};

/// The behaviour of basic_reactor::get when the pool has no free message.
enum class allocation : std::uint8_t {
    always,   ///< allocates one, if options::max_messages_alive permits
    pool_only ///< fails with status::pool_empty
};

/// Returns a copy of `original` in a message of the same pool: header, text headers, body, user pointer, and the status
/// and cause that the engine has added. A copy does not count as a received message that the application holds. The
/// calling thread must own `original`. Null after an error. Errors: allocation_failed (memory is short, or
/// options::max_messages_alive is reached); shutdown_started (in a forked child).
[[nodiscard]] TOFU_FUNCTION message_ptr clone(message& original, std::error_code& error) noexcept;

namespace engine {

/// Takes ownership of a message that the engine held by a plain pointer. Null stays null.
inline message_ptr owned(message* m) noexcept { return message_ptr(m); }

} // namespace engine
} // namespace tofu::inline TOFU_ABI

#if !TOFU_COMPILED
#include <tofu/impl/message_ptr.hpp>
#endif

#endif
