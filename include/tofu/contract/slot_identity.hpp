// SPDX-License-Identifier: BSL-1.0
// Names one owner of a slot: the slot's number, and which of its successive owners.
#ifndef TOFU_CONTRACT_SLOT_IDENTITY_HPP
#define TOFU_CONTRACT_SLOT_IDENTITY_HPP

#include <tofu/config.hpp>

#include <cstdint>

namespace tofu::inline TOFU_ABI {

/// The pool gives it to each owner. Each owner of a slot has another generation, which tells apart events for earlier
/// owners.
struct slot_identity {
    std::uint32_t index = 0;
    std::uint32_t generation = 0;

    friend constexpr bool operator==(const slot_identity&, const slot_identity&) noexcept = default;
};

} // namespace tofu::inline TOFU_ABI

#endif
