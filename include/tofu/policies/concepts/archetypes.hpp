// SPDX-License-Identifier: BSL-1.0
// Stand-ins for the types that the engine passes to its policies; the concepts are checked with them.
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

/// The receiver of a poller's reports, a parameter of wait(). registration_of() returns the registration that is
/// attached or owed under a key, or null.
template <class Registration>
struct sink {
    void ready(std::uintptr_t key, readiness what) noexcept;
    void released(std::uintptr_t key) noexcept;
    [[nodiscard]] Registration* registration_of(std::uintptr_t key) noexcept;
};

/// An object in a pool. The pool constructs it from its identity.
struct slot {
    explicit slot(slot_identity who) noexcept;
    [[nodiscard]] slot_identity identity() const noexcept;
};

/// The socket of a slot; a key may be made of its handle.
struct socket {
    [[nodiscard]] int native_handle() const noexcept;
};

/// The storage of a pool; keys are looked up there.
struct storage {
    [[nodiscard]] slot* at(std::uint32_t index) const noexcept;
    [[nodiscard]] slot* owner_at(std::uintptr_t address) const noexcept;
};

/// A question to a resolver; see platform::network.
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
