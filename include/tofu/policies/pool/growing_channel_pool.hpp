// SPDX-License-Identifier: BSL-1.0
// The pool policy that allocates a chunk of slots when it needs one, and never moves a slot.
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

/// Meets the contract in policies/concepts/pool.hpp. Holds up to 65,534 channels, the range of channel numbers, and
/// allocates `Chunk` slots at a time. It keeps its memory until the engine ends, because the kernel may hold the
/// address of a slot. Use it if the number of channels has no known limit, or a limit far above the usual number. Each
/// peer costs memory here, so limit peers by options::max_awaiting_hello and by the limit of descriptors.
template <std::size_t Chunk = 64>
struct growing_channel_pool {
    static constexpr std::size_t most = 65534; ///< the range of channel numbers
    static_assert(Chunk >= 1 && Chunk <= most, "growing_channel_pool<Chunk>: Chunk must be 1 to 65534");
    using category = pool_category;
    static constexpr std::string_view name = name_with_number<detail::growing_channel_pool_name, Chunk>;

    /// Every operation except for_each() takes constant time, apart from the acquire() that allocates a chunk.
    template <class Slot>
    class storage {
    public:
        storage() noexcept = default;
        storage(const storage&) = delete;
        storage& operator=(const storage&) = delete;
        ~storage() {
            TOFU_ASSERT(free_.used() == 0 || chunks_.empty()); // the engine has released every owner
            for (slot_cell<Slot>* const chunk : chunks_) delete[] chunk;
        }

        /// Allocates nothing and never fails.
        [[nodiscard]] bool open(growing_channel_pool&) noexcept { return true; }

        /// Allocates a chunk if no slot is free.
        [[nodiscard]] Slot* acquire() noexcept {
            if (free_.empty() && !grow()) return nullptr;
            return free_.acquire();
        }

        void release(Slot& slot) noexcept { free_.release(slot); }

        [[nodiscard]] Slot* at(std::uint32_t index) const noexcept {
            const std::size_t chunk = index / Chunk;
            return chunk < chunks_.size() ? chunks_[chunk][index % Chunk].owner() : nullptr;
        }
        [[nodiscard]] Slot* owner_at(std::uintptr_t address) const noexcept {
            return chunks_.empty() ? nullptr : free_.owner_at(address);
        }

        /// Takes time in proportion to reserved().
        template <class Visit>
        void for_each(Visit visit) noexcept {
            for (std::size_t i = 0; i < reserved(); ++i)
                if (Slot* const slot = at(tofu::detail::integer_cast<std::uint32_t>(i))) visit(*slot);
        }

        [[nodiscard]] std::size_t used() const noexcept { return free_.used(); }
        [[nodiscard]] static constexpr std::size_t capacity() noexcept { return most; }
        [[nodiscard]] std::size_t reserved() const noexcept { return chunks_.size() * Chunk; }

        /// The most bytes that the storage allocates for this many channels; see memory_bound.hpp.
        [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t channels) noexcept {
            const std::size_t chunks = ((std::min)(channels, most) + Chunk - 1) / Chunk;
            return chunks * Chunk * sizeof(slot_cell<Slot>) + nothrow_vector<slot_cell<Slot>*>::most_bytes(chunks);
        }

        void abandon() noexcept { chunks_.clear(); }

    private:
        [[nodiscard]] bool grow() noexcept {
            const std::size_t first = reserved();
            TOFU_ASSERT(free_.empty() && free_.used() == (std::min)(first, most));
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
