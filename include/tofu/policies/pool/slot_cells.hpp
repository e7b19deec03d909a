// SPDX-License-Identifier: BSL-1.0
// The cells of the shipped pools: each has room for one channel. And the list of the free cells.
//
// This header is open to policies outside of the library; see doc/writing-policies.md.
#ifndef TOFU_POLICIES_POOL_SLOT_CELLS_HPP
#define TOFU_POLICIES_POOL_SLOT_CELLS_HPP

#include <tofu/config.hpp>
#include <tofu/contract/slot_identity.hpp>
#include <tofu/detail/integer_cast.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace tofu::inline TOFU_ABI {

/// Memory for one owner, with the identity of its slot, which outlives the owner.
template <class Slot>
struct slot_cell {
    alignas(Slot) std::byte memory[sizeof(Slot)]; ///< first, so that a slot has the address of its cell
    slot_identity identity;                       ///< of the present owner, or of the last one
    slot_cell* next_free = nullptr;               ///< the next cell of the list of free cells
    bool used = false;                            ///< true exactly while there is an owner

    [[nodiscard]] void* place() noexcept { return memory; }
    [[nodiscard]] Slot* owner() noexcept { return used ? std::launder(static_cast<Slot*>(place())) : nullptr; }
};

/// The free cells of a pool. The cell that became free last is used first, because its memory is most likely in a
/// cache. Does not own the cells. I/O thread; every operation except add() takes constant time.
template <class Slot>
class slot_cells {
public:
    using cell = slot_cell<Slot>;

    /// Adds `count` new free cells, whose slots get numbers from `first_index`.
    void add(cell* cells, std::size_t count, std::size_t first_index) noexcept {
        for (std::size_t i = count; i > 0; --i) {
            TOFU_ASSERT(!cells[i - 1].used);
            cells[i - 1].identity.index = tofu::detail::integer_cast<std::uint32_t>(first_index + i - 1);
            cells[i - 1].next_free = first_free_;
            first_free_ = &cells[i - 1];
        }
    }

    [[nodiscard]] bool empty() const noexcept { return first_free_ == nullptr; }
    [[nodiscard]] std::size_t used() const noexcept { return used_; }

    /// Constructs an owner in a free slot from its identity, which has a new generation. Null if no cell is free.
    [[nodiscard]] Slot* acquire() noexcept {
        cell* const free = first_free_;
        if (free == nullptr) return nullptr;
        TOFU_ASSERT(!free->used);
        first_free_ = free->next_free;
        ++free->identity.generation;
        ++used_;
        free->used = true;
        return std::construct_at(static_cast<Slot*>(free->place()), free->identity);
    }

    /// Destroys an owner. No pointer to it may be left, in the kernel either.
    void release(Slot& slot) noexcept {
        cell& was = *at(reinterpret_cast<std::uintptr_t>(&slot));
        TOFU_ASSERT(was.used && used_ != 0);
        TOFU_ASSERT(slot.identity().index == was.identity.index); // an owner raises its generation only
        was.identity = slot.identity();
        std::destroy_at(&slot);
        was.used = false;
        was.next_free = first_free_;
        first_free_ = &was;
        --used_;
    }

    /// The present owner of the slot at an address that acquire() has returned once; null if it has none.
    [[nodiscard]] static Slot* owner_at(std::uintptr_t address) noexcept { return at(address)->owner(); }

private:
    [[nodiscard]] static cell* at(std::uintptr_t address) noexcept { return reinterpret_cast<cell*>(address); }

    cell* first_free_ = nullptr;
    std::size_t used_ = 0; ///< owners now
};

} // namespace tofu::inline TOFU_ABI

#endif
