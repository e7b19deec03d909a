// SPDX-License-Identifier: BSL-1.0
// What the shipped pools are made of: cells, each with room for one channel, and the list of those that are free.
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

/// Room for one owner, and what is known of it even when there is none.
template <class Slot>
struct slot_cell {
    alignas(Slot) std::byte memory[sizeof(Slot)]; ///< first: a slot has its cell's address
    slot_identity identity;
    slot_cell* next_free = nullptr;
    bool used = false;

    [[nodiscard]] void* place() noexcept { return memory; }
    [[nodiscard]] Slot* owner() noexcept { return used ? std::launder(static_cast<Slot*>(place())) : nullptr; }
};

/// Gives cells to owners and takes them back; the last one that became free is the next to be used, as its memory is
/// the most likely to be in a cache. I/O thread; every operation but `add` is O(1). The cells are somebody else's.
template <class Slot>
class slot_cells {
public:
    using cell = slot_cell<Slot>;

    /// So many new ones, whose slots are numbered from `first_index`.
    void add(cell* cells, std::size_t count, std::size_t first_index) noexcept {
        for (std::size_t i = count; i > 0; --i) {
            cells[i - 1].identity.index = tofu::detail::integer_cast<std::uint32_t>(first_index + i - 1);
            cells[i - 1].next_free = first_free_;
            first_free_ = &cells[i - 1];
        }
    }

    [[nodiscard]] bool empty() const noexcept { return first_free_ == nullptr; }
    [[nodiscard]] std::size_t used() const noexcept { return used_; }

    /// A new owner for a free slot, made in place from its identity; null when all are taken.
    [[nodiscard]] Slot* acquire() noexcept {
        cell* const free = first_free_;
        if (free == nullptr) return nullptr;
        first_free_ = free->next_free;
        ++free->identity.generation;
        ++used_;
        free->used = true;
        return std::construct_at(static_cast<Slot*>(free->place()), free->identity);
    }

    /// Ends the owner; nothing may point to it any more, the kernel included.
    void release(Slot& slot) noexcept {
        cell& was = *at(reinterpret_cast<std::uintptr_t>(&slot));
        was.identity = slot.identity(); // it may have renewed it
        std::destroy_at(&slot);
        was.used = false;
        was.next_free = first_free_;
        first_free_ = &was;
        --used_;
    }

    /// The present owner of the slot at an address that `acquire` has returned once; null when it has none.
    [[nodiscard]] static Slot* owner_at(std::uintptr_t address) noexcept { return at(address)->owner(); }

private:
    [[nodiscard]] static cell* at(std::uintptr_t address) noexcept { return reinterpret_cast<cell*>(address); }

    cell* first_free_ = nullptr;
    std::size_t used_ = 0;
};

} // namespace tofu::inline TOFU_ABI

#endif
