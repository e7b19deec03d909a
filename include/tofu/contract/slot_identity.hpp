// SPDX-License-Identifier: BSL-1.0
// Names one owner of a slot: the number of the slot, and the generation of the owner.
#ifndef TOFU_CONTRACT_SLOT_IDENTITY_HPP
#define TOFU_CONTRACT_SLOT_IDENTITY_HPP

#include <tofu/config.hpp>

#include <cstdint>

namespace tofu::inline TOFU_ABI {

/// The pool gives each owner an identity. Each owner of a slot has another generation, so that events for an earlier
/// owner are recognised.
struct slot_identity {
    std::uint32_t index = 0;
    std::uint32_t generation = 0;

    friend constexpr bool operator==(const slot_identity&, const slot_identity&) noexcept = default;
};

} // namespace tofu::inline TOFU_ABI

#endif
