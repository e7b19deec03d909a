// SPDX-License-Identifier: BSL-1.0
// The events of a socket that an engine asks for, and the events that a poller reports.

#ifndef TOFU_CONTRACT_INTEREST_HPP
#define TOFU_CONTRACT_INTEREST_HPP

#include <tofu/config.hpp>

#include <cstdint>

namespace tofu::inline TOFU_ABI {

/// A set of events to report. `none` is silence: the poller reports no error and no hang-up either. For a listener,
/// `read` is a connection in the backlog. For a connecting socket, `write` is the end of the connect.
enum class interest : std::uint8_t { none = 0, read = 1, write = 2 };

/// A set of events of a socket. `failed` is an error or a hang-up in both directions; a read or write returns the
/// error.
enum class readiness : std::uint8_t { none = 0, readable = 1, writable = 2, failed = 4 };

/// The result of a poller's disarm(). `released`: nothing refers to the registration any more. `owed`: the kernel may
/// still write to it; a later wait reports its release, and until then neither the registration nor its slot is used
/// again.
enum class disarmed : std::uint8_t { released, owed };

[[nodiscard]] constexpr interest operator|(interest left, interest right) noexcept {
    return static_cast<interest>(static_cast<unsigned>(left) | static_cast<unsigned>(right));
}

[[nodiscard]] constexpr interest operator&(interest left, interest right) noexcept {
    return static_cast<interest>(static_cast<unsigned>(left) & static_cast<unsigned>(right));
}

constexpr interest& operator|=(interest& left, interest right) noexcept { return left = left | right; }

/// True if the set is not empty: any(wanted & interest::read).
[[nodiscard]] constexpr bool any(interest set) noexcept { return set != interest::none; }

[[nodiscard]] constexpr readiness operator|(readiness left, readiness right) noexcept {
    return static_cast<readiness>(static_cast<unsigned>(left) | static_cast<unsigned>(right));
}

[[nodiscard]] constexpr readiness operator&(readiness left, readiness right) noexcept {
    return static_cast<readiness>(static_cast<unsigned>(left) & static_cast<unsigned>(right));
}

constexpr readiness& operator|=(readiness& left, readiness right) noexcept { return left = left | right; }

/// True if the set is not empty: any(found & readiness::readable).
[[nodiscard]] constexpr bool any(readiness set) noexcept { return set != readiness::none; }

} // namespace tofu::inline TOFU_ABI

#endif // TOFU_CONTRACT_INTEREST_HPP
