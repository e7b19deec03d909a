// SPDX-License-Identifier: BSL-1.0
// The global allocation functions of the simulator.
#include "allocation.hpp"

#include "support/replaced_new.hpp"

#include <cstddef>
#include <new>

namespace tofu_simulation {

allocation& allocation::here() noexcept {
    thread_local allocation mine;
    return mine;
}

} // namespace tofu_simulation

namespace tofu_test::replaced_new {

using tofu_simulation::allocation;

/// In front of every block: its owner. As large as the strictest alignment of plain new.
struct alignas(plain) label {
    allocation* owner; ///< null: not tofu
};

void* obtain(std::size_t size, std::size_t alignment, bool for_tofu) noexcept {
    allocation* const owner = for_tofu ? &allocation::here() : nullptr;
    if (owner != nullptr && owner->chance != nullptr && owner->chance->chance(owner->refused_per_mille)) {
        ++owner->refused;
        return nullptr;
    }
    const std::size_t front = front_of<label>(alignment);
    auto* const block = static_cast<unsigned char*>(obtain_aligned(size + front, alignment));
    if (block == nullptr) return nullptr;
    unsigned char* const given = block + front;
    ::new (given - sizeof(label)) label{owner};
    if (owner != nullptr) ++owner->alive;
    return given;
}

void give_back(void* given, std::size_t alignment) noexcept {
    if (given == nullptr) return;
    auto* const bytes = static_cast<unsigned char*>(given);
    auto* const front_label = reinterpret_cast<label*>(bytes - sizeof(label));
    if (front_label->owner != nullptr) --front_label->owner->alive;
    give_back_aligned(bytes - front_of<label>(alignment));
}

} // namespace tofu_test::replaced_new
