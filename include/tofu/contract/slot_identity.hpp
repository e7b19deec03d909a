// SPDX-License-Identifier: BSL-1.0
// The name of a channel's slot: where it is, and which of its successive owners is meant.
#ifndef TOFU_CONTRACT_SLOT_IDENTITY_HPP
#define TOFU_CONTRACT_SLOT_IDENTITY_HPP

#include <tofu/config.hpp>

#include <cstdint>

namespace tofu::inline TOFU_ABI {

/// Given to a slot by its pool. `generation` is new for each owner, so that an event meant for an earlier one is known.
struct slot_identity {
    std::uint32_t index = 0;
    std::uint32_t generation = 0;

    friend constexpr bool operator==(const slot_identity&, const slot_identity&) noexcept = default;
};

} // namespace tofu::inline TOFU_ABI

#endif
