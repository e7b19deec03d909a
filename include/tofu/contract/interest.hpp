// SPDX-License-Identifier: BSL-1.0
// What the engine wants to hear about a socket, and what a poller tells it: two small sets of bits.

#ifndef TOFU_CONTRACT_INTEREST_HPP
#define TOFU_CONTRACT_INTEREST_HPP

#include <tofu/config.hpp>

#include <cstdint>

namespace tofu::inline TOFU_ABI {

/// What to report about a socket. `none` is silence: errors and hang-ups are not reported either. A listener's pending
/// connection counts as read, the end of a connect as write.
enum class interest : std::uint8_t { none = 0, read = 1, write = 2 };

/// What a poller found. `failed` is an error or a hang-up in both directions; reading or writing tells which.
enum class readiness : std::uint8_t { none = 0, readable = 1, writable = 2, failed = 4 };

/// What a poller says when it is told to forget a socket: it has already, or it still holds the registration and will
/// report its release from a later wait; until then neither registration nor slot may be used again.
enum class disarmed : std::uint8_t { released, owed };

[[nodiscard]] constexpr interest operator|(interest left, interest right) noexcept {
    return static_cast<interest>(static_cast<unsigned>(left) | static_cast<unsigned>(right));
}

[[nodiscard]] constexpr interest operator&(interest left, interest right) noexcept {
    return static_cast<interest>(static_cast<unsigned>(left) & static_cast<unsigned>(right));
}

constexpr interest& operator|=(interest& left, interest right) noexcept { return left = left | right; }

/// True unless the set is empty: any(wanted & interest::read).
[[nodiscard]] constexpr bool any(interest set) noexcept { return set != interest::none; }

[[nodiscard]] constexpr readiness operator|(readiness left, readiness right) noexcept {
    return static_cast<readiness>(static_cast<unsigned>(left) | static_cast<unsigned>(right));
}

[[nodiscard]] constexpr readiness operator&(readiness left, readiness right) noexcept {
    return static_cast<readiness>(static_cast<unsigned>(left) & static_cast<unsigned>(right));
}

constexpr readiness& operator|=(readiness& left, readiness right) noexcept { return left = left | right; }

/// True unless the set is empty: any(found & readiness::readable).
[[nodiscard]] constexpr bool any(readiness set) noexcept { return set != readiness::none; }

} // namespace tofu::inline TOFU_ABI

#endif // TOFU_CONTRACT_INTEREST_HPP
