// SPDX-License-Identifier: BSL-1.0
// The pool policy that makes room for channels as they come, a chunk at a time, and never moves one.
#ifndef TOFU_POLICIES_POOL_GROWING_CHANNEL_POOL_HPP
#define TOFU_POLICIES_POOL_GROWING_CHANNEL_POOL_HPP

#include <tofu/config.hpp>
#include <tofu/contract/nothrow_vector.hpp>
#include <tofu/detail/integer_cast.hpp>
#include <tofu/policies/categories.hpp>
#include <tofu/policies/names.hpp>
#include <tofu/policies/pool/slot_cells.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

namespace tofu::inline TOFU_ABI {

namespace detail {
inline constexpr std::string_view growing_channel_pool_name = "growing_channel_pool";
}

/// As many channels as there are channel numbers (65,534), `Chunk` slots per allocation. What it has taken it keeps
/// until the engine ends: slots are used again, chunks are not given back, as the kernel may hold a slot's address.
/// Choose it when the most there can be is unknown, or far above what is usual. A peer costs memory here, so the system
/// must set the limit: refuse with options::max_awaiting_hello and the limit of descriptors.
template <std::size_t Chunk = 64>
struct growing_channel_pool {
    static constexpr std::size_t most = 65534; ///< the range of channel numbers
    static_assert(Chunk >= 1 && Chunk <= most, "growing_channel_pool<Chunk>: Chunk must be 1 to 65534");
    using category = pool_category;
    static constexpr std::string_view name = name_with_number<detail::growing_channel_pool_name, Chunk>;

    /// The slots, for one type of channel. I/O thread; stable addresses; every operation is O(1), but the one acquire
    /// in `Chunk` that makes a chunk.
    template <class Slot>
    class storage {
    public:
        storage() noexcept = default;
        storage(const storage&) = delete;
        storage& operator=(const storage&) = delete;
        ~storage() {
            for (slot_cell<Slot>* const chunk : chunks_) delete[] chunk;
        }

        /// Allocates nothing yet. Once, before everything below.
        [[nodiscard]] bool open(growing_channel_pool&) noexcept { return true; }

        /// A new owner for a free slot, made in place from its identity; null when memory is short or all are taken.
        [[nodiscard]] Slot* acquire() noexcept {
            if (free_.empty() && !grow()) return nullptr;
            return free_.acquire();
        }

        /// Ends the owner; nothing may point to it any more, the kernel included.
        void release(Slot& slot) noexcept { free_.release(slot); }

        /// The present owner of a slot; null when it has none or there is no such slot (yet).
        [[nodiscard]] Slot* at(std::uint32_t index) const noexcept {
            const std::size_t chunk = index / Chunk;
            return chunk < chunks_.size() ? chunks_[chunk][index % Chunk].owner() : nullptr;
        }
        /// The present owner of the slot at an address that `acquire` has returned once; null when it has none.
        [[nodiscard]] Slot* owner_at(std::uintptr_t address) const noexcept {
            return chunks_.empty() ? nullptr : free_.owner_at(address);
        }

        /// Calls `visit(Slot&)` for every owner; the visit may release the slot it was given.
        template <class Visit>
        void for_each(Visit visit) noexcept {
            for (std::size_t i = 0; i < reserved(); ++i)
                if (Slot* const slot = at(tofu::detail::integer_cast<std::uint32_t>(i))) visit(*slot);
        }

        [[nodiscard]] std::size_t used() const noexcept { return free_.used(); }
        [[nodiscard]] static constexpr std::size_t capacity() noexcept { return most; }
        [[nodiscard]] std::size_t reserved() const noexcept { return chunks_.size() * Chunk; }

        /// What it allocates at most for so many channels, in bytes; see memory_bound.hpp.
        [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t channels) noexcept {
            const std::size_t chunks = ((std::min)(channels, most) + Chunk - 1) / Chunk;
            return chunks * Chunk * sizeof(slot_cell<Slot>) + nothrow_vector<slot_cell<Slot>*>::most_bytes(chunks);
        }

        /// The kernel may still write to some slots: their memory is given up on purpose, never freed.
        void abandon() noexcept { chunks_.clear(); }

    private:
        [[nodiscard]] bool grow() noexcept {
            const std::size_t first = reserved();
            if (first >= most) return false;
            auto* const chunk = new (std::nothrow) slot_cell<Slot>[Chunk];
            if (chunk == nullptr || !chunks_.push_back(chunk)) {
                delete[] chunk;
                return false;
            }
            free_.add(chunk, (std::min)(Chunk, most - first), first);
            return true;
        }

        nothrow_vector<slot_cell<Slot>*> chunks_;
        slot_cells<Slot> free_;
    };
};

} // namespace tofu::inline TOFU_ABI

#endif
