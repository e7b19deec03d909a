// SPDX-License-Identifier: BSL-1.0
// The pool policy that makes room for N channels once, and refuses channel N + 1.
#ifndef TOFU_POLICIES_POOL_FIXED_CHANNEL_POOL_HPP
#define TOFU_POLICIES_POOL_FIXED_CHANNEL_POOL_HPP

#include <tofu/policies/categories.hpp>
#include <tofu/slot_identity.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace tofu {

/// Listeners and connections together: at most N. One allocation when the engine is made, none after it.
template <std::size_t N = 1024>
struct fixed_channel_pool {
    static_assert(N >= 1 && N <= 65534, "fixed_channel_pool<N>: N must be 1 to 65534, the range of channel numbers");
    using category = pool_category;

    /// The slots, for one type of channel. I/O thread; stable addresses; every operation is O(1).
    template <class Slot>
    class storage {
    public:
        storage() noexcept = default;
        storage(const storage&) = delete;
        storage& operator=(const storage&) = delete;
        ~storage() { delete[] cells_; }

        /// Makes room. False: not enough memory. Once, before everything below.
        [[nodiscard]] bool open() noexcept {
            cells_ = new (std::nothrow) cell[N];
            if (cells_ == nullptr) return false;
            for (std::size_t i = N; i > 0; --i) {
                cells_[i - 1].identity.index = static_cast<std::uint32_t>(i - 1);
                cells_[i - 1].next_free = first_free_;
                first_free_ = &cells_[i - 1];
            }
            return true;
        }

        /// A new owner for a free slot, made in place from its identity; null when all are taken.
        [[nodiscard]] Slot* acquire() noexcept {
            cell* const free = first_free_;
            if (free == nullptr) return nullptr;
            first_free_ = free->next_free;
            ++free->identity.generation;
            ++used_;
            free->used = true;
            return std::construct_at(free->slot(), free->identity);
        }

        /// Ends the owner; nothing may point to it any more, the kernel included.
        void release(Slot& slot) noexcept {
            cell& owner = cells_[slot.identity().index];
            owner.identity = slot.identity(); // it may have renewed it
            std::destroy_at(&slot);
            owner.used = false;
            owner.next_free = first_free_;
            first_free_ = &owner;
            --used_;
        }

        /// The present owner of a slot; null when it has none or there is no such slot.
        [[nodiscard]] Slot* at(std::uint32_t index) const noexcept {
            return index < N && cells_ != nullptr && cells_[index].used ? cells_[index].slot() : nullptr;
        }

        /// Calls `visit(Slot&)` for every owner; the visit may release the slot it was given.
        template <class Visit>
        void for_each(Visit visit) noexcept {
            for (std::size_t i = 0; i < N && cells_ != nullptr; ++i)
                if (cells_[i].used) visit(*cells_[i].slot());
        }

        [[nodiscard]] std::size_t used() const noexcept { return used_; }
        [[nodiscard]] static constexpr std::size_t capacity() noexcept { return N; }

        /// What it allocates, in bytes, however many of its slots are used; see memory_bound.hpp.
        [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t) noexcept { return N * sizeof(cell); }

        /// The kernel may still write to some slots: their memory is given up on purpose, never freed.
        void abandon() noexcept { cells_ = nullptr; }

    private:
        struct cell {
            alignas(Slot) std::byte memory[sizeof(Slot)];
            slot_identity identity;
            cell* next_free = nullptr;
            bool used = false;

            Slot* slot() noexcept { return std::launder(reinterpret_cast<Slot*>(memory)); }
        };

        cell* cells_ = nullptr;
        cell* first_free_ = nullptr;
        std::size_t used_ = 0;
    };
};

} // namespace tofu

#endif
