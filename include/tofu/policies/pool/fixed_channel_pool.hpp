// SPDX-License-Identifier: BSL-1.0
// The pool policy that makes room for N channels once, and refuses channel N + 1.
#ifndef TOFU_POLICIES_POOL_FIXED_CHANNEL_POOL_HPP
#define TOFU_POLICIES_POOL_FIXED_CHANNEL_POOL_HPP

#include <tofu/config.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/policies/names.hpp>
#include <tofu/policies/pool/slot_cells.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

namespace tofu::inline TOFU_ABI {

namespace detail {
inline constexpr std::string_view fixed_channel_pool_name = "fixed_channel_pool";
}

/// Listeners and connections together: at most N. One allocation when the engine is made, none after it. Choose it when
/// the most there can be is known, or when more than that is to be refused. Costs N slots of memory from the start.
template <std::size_t N = 1024>
struct fixed_channel_pool {
    static_assert(N >= 1 && N <= 65534, "fixed_channel_pool<N>: N must be 1 to 65534, the range of channel numbers");
    using category = pool_category;
    static constexpr std::string_view name = name_with_number<detail::fixed_channel_pool_name, N>;

    /// The slots, for one type of channel. I/O thread; stable addresses; every operation is O(1).
    template <class Slot>
    class storage {
    public:
        storage() noexcept = default;
        storage(const storage&) = delete;
        storage& operator=(const storage&) = delete;
        ~storage() { delete[] cells_; }

        /// Makes room. False: not enough memory. Once, before everything below.
        [[nodiscard]] bool open(fixed_channel_pool&) noexcept {
            cells_ = new (std::nothrow) slot_cell<Slot>[N];
            if (cells_ == nullptr) return false;
            free_.add(cells_, N, 0);
            return true;
        }

        /// A new owner for a free slot, made in place from its identity; null when all are taken.
        [[nodiscard]] Slot* acquire() noexcept { return free_.acquire(); }

        /// Ends the owner; nothing may point to it any more, the kernel included.
        void release(Slot& slot) noexcept { free_.release(slot); }

        /// The present owner of a slot; null when it has none or there is no such slot.
        [[nodiscard]] Slot* at(std::uint32_t index) const noexcept {
            return index < N && cells_ != nullptr ? cells_[index].owner() : nullptr;
        }
        /// The present owner of the slot at an address that `acquire` has returned once; null when it has none.
        [[nodiscard]] Slot* owner_at(std::uintptr_t address) const noexcept {
            return cells_ != nullptr ? free_.owner_at(address) : nullptr;
        }

        /// Calls `visit(Slot&)` for every owner; the visit may release the slot it was given.
        template <class Visit>
        void for_each(Visit visit) noexcept {
            for (std::size_t i = 0; i < N && cells_ != nullptr; ++i)
                if (Slot* const slot = cells_[i].owner()) visit(*slot);
        }

        [[nodiscard]] std::size_t used() const noexcept { return free_.used(); }
        [[nodiscard]] static constexpr std::size_t capacity() noexcept { return N; }
        [[nodiscard]] static constexpr std::size_t reserved() noexcept { return N; }

        /// What it allocates, in bytes, however many of its slots are used; see memory_bound.hpp.
        [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t) noexcept {
            return N * sizeof(slot_cell<Slot>);
        }

        /// The kernel may still write to some slots: their memory is given up on purpose, never freed.
        void abandon() noexcept { cells_ = nullptr; }

    private:
        slot_cell<Slot>* cells_ = nullptr;
        slot_cells<Slot> free_;
    };
};

} // namespace tofu::inline TOFU_ABI

#endif
