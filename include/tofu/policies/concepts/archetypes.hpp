// SPDX-License-Identifier: BSL-1.0
// Stand-ins for what the engine hands to its policies: the contracts are checked with them.
#ifndef TOFU_POLICIES_CONCEPTS_ARCHETYPES_HPP
#define TOFU_POLICIES_CONCEPTS_ARCHETYPES_HPP

#include <tofu/config.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/contract/slot_identity.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tofu::inline TOFU_ABI::archetype {

/// What a poller's wait reports to, and asks: the registration that is attached, or still owed, under a key; null when
/// there is none. Whoever is told of a release may attach and arm at once.
template <class Registration>
struct sink {
    void ready(std::uintptr_t key, readiness what) noexcept;
    void released(std::uintptr_t key) noexcept;
    [[nodiscard]] Registration* registration_of(std::uintptr_t key) noexcept;
};

/// What lives in a pool: made from its identity, and knows it.
struct slot {
    explicit slot(slot_identity who) noexcept;
    [[nodiscard]] slot_identity identity() const noexcept;
};

/// What a key is made for, beside the slot.
struct socket {
    [[nodiscard]] int native_handle() const noexcept;
};

/// What a key is looked up in.
struct storage {
    [[nodiscard]] slot* at(std::uint32_t index) const noexcept;
    [[nodiscard]] slot* owner_at(std::uintptr_t address) const noexcept;
};

/// What a resolver is asked with.
template <class Endpoint>
struct resolution {
    [[nodiscard]] std::string_view host() const noexcept;
    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] bool for_listening() const noexcept;
    [[nodiscard]] bool still_wanted() const noexcept;
    void complete(std::span<const Endpoint> found, io_error error) noexcept;
};

} // namespace tofu::inline TOFU_ABI::archetype

#endif
