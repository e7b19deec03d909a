// SPDX-License-Identifier: BSL-1.0
// The pool policy with memory for N channels; it refuses channel N + 1.
#ifndef TOFU_POLICIES_POOL_FIXED_CHANNEL_POOL_HPP
#define TOFU_POLICIES_POOL_FIXED_CHANNEL_POOL_HPP

#include <tofu/config.hpp>
#include <tofu/fwd.hpp>
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

/// Meets the contract in policies/concepts/pool.hpp. Holds at most N listeners and connections together. Makes one
/// allocation when the engine is made, and none later. Use it if the number of channels has a known limit. Costs the
/// memory of N slots from the start.
template <std::size_t N>
struct fixed_channel_pool {
    static_assert(N >= 1 && N <= 65534, "fixed_channel_pool<N>: N must be 1 to 65534, the range of channel numbers");
    using category = pool_category;
    static constexpr std::string_view name = name_with_number<detail::fixed_channel_pool_name, N>;

    /// Every operation except open() and for_each() takes constant time.
    template <class Slot>
    class storage {
    public:
        storage() noexcept = default;
        storage(const storage&) = delete;
        storage& operator=(const storage&) = delete;
        ~storage() {
            TOFU_ASSERT(free_.used() == 0 || cells_ == nullptr); // the engine has released every owner
            delete[] cells_;
        }

        /// One allocation.
        [[nodiscard]] bool open(fixed_channel_pool&) noexcept {
            TOFU_ASSERT(cells_ == nullptr);
            cells_ = new (std::nothrow) slot_cell<Slot>[N];
            if (cells_ == nullptr) return false;
            free_.add(cells_, N, 0);
            return true;
        }

        [[nodiscard]] Slot* acquire() noexcept { return free_.acquire(); }
        void release(Slot& slot) noexcept { free_.release(slot); }
        [[nodiscard]] Slot* at(std::uint32_t index) const noexcept {
            return index < N && cells_ != nullptr ? cells_[index].owner() : nullptr;
        }
        [[nodiscard]] Slot* owner_at(std::uintptr_t address) const noexcept {
            return cells_ != nullptr ? free_.owner_at(address) : nullptr;
        }

        /// Takes time in proportion to N.
        template <class Visit>
        void for_each(Visit visit) noexcept {
            for (std::size_t i = 0; i < N && cells_ != nullptr; ++i)
                if (Slot* const slot = cells_[i].owner()) visit(*slot);
        }

        [[nodiscard]] std::size_t used() const noexcept { return free_.used(); }
        [[nodiscard]] static constexpr std::size_t capacity() noexcept { return N; }
        [[nodiscard]] static constexpr std::size_t reserved() noexcept { return N; }

        /// Bytes that it allocates, however many slots have an owner; see memory_bound.hpp.
        [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t) noexcept {
            return N * sizeof(slot_cell<Slot>);
        }

        void abandon() noexcept { cells_ = nullptr; }

    private:
        slot_cell<Slot>* cells_ = nullptr;
        slot_cells<Slot> free_;
    };
};

} // namespace tofu::inline TOFU_ABI

#endif
