// SPDX-License-Identifier: BSL-1.0
// A pool policy of one's own: channels live in memory that its user provides, as a std::pmr::memory_resource.
//
//     std::pmr::monotonic_buffer_resource memory(buffer, sizeof buffer, std::pmr::null_memory_resource());
//     tofu::reactor_with<example::resource_pool> engine({}, tofu::driven_by::io_thread,
//                                                       example::resource_pool(memory, 100));
//
// For huge pages, shared memory, a static buffer, or an account of who uses how much. One allocation when the engine is
// made, none after it. The virtual call of the resource is made for that one; the engine's calls are none.
#ifndef TOFU_EXAMPLE_POLICIES_RESOURCE_POOL_HPP
#define TOFU_EXAMPLE_POLICIES_RESOURCE_POOL_HPP

#include <tofu/policies/concepts.hpp>
#include <tofu/policies/pool/slot_cells.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>

namespace example {

/// At most `channels` listeners and connections together, in memory of `from`, which must outlive the engine and its
/// groups, and is used by one engine at a time unless it says that it may be shared. A poller that works by completions
/// may leave memory to the kernel when the engine ends, see abandon: that is never given back, and the resource of such
/// an engine must not use it again, as a buffer on the stack would.
class resource_pool {
public:
    using category = tofu::pool_category;

    resource_pool(std::pmr::memory_resource& from, std::size_t channels) noexcept
        : resource_(&from), channels_(std::clamp<std::size_t>(channels, 1, most)) {}

    /// The slots, for one type of channel. I/O thread; stable addresses; all operations but open and for_each are O(1).
    template <class Slot>
    class storage {
    public:
        storage() noexcept = default;
        storage(const storage&) = delete; // channels and the kernel hold addresses of slots
        storage& operator=(const storage&) = delete;
        ~storage() { // without any owner left: the engine has ended them
            if (cells_ != nullptr) resource_->deallocate(cells_, count_ * sizeof(cell), alignof(cell));
        }

        //[open
        /// Makes room. False: the resource has not so much. It says so with an exception, which goes no further: the
        /// engine reports an error.
        [[nodiscard]] bool open(resource_pool& pool) noexcept {
            try {
                void* const memory = pool.resource_->allocate(pool.channels_ * sizeof(cell), alignof(cell));
                cells_ = static_cast<cell*>(memory);
            } catch (...) {
                return false;
            }
            resource_ = pool.resource_;
            count_ = pool.channels_;
            std::uninitialized_default_construct_n(cells_, count_);
            free_.add(cells_, count_, 0);
            return true;
        }
        //]

        /// A new owner for a free slot, with a generation that none has had before; null when all are taken.
        [[nodiscard]] Slot* acquire() noexcept { return free_.acquire(); }

        /// Ends the owner.
        void release(Slot& slot) noexcept { free_.release(slot); }

        /// The present owner of a slot; null when it has none or there is no such slot: an old key may ask for any.
        [[nodiscard]] Slot* at(std::uint32_t index) const noexcept {
            return cells_ != nullptr && index < count_ ? cells_[index].owner() : nullptr;
        }

        /// Only pointer_key asks. An address that acquire has returned once stays one of ours.
        [[nodiscard]] Slot* owner_at(std::uintptr_t address) const noexcept {
            return cells_ != nullptr ? free_.owner_at(address) : nullptr;
        }

        /// Calls `visit(Slot&)` for every owner; the visit may release the slot it was given.
        template <class Visit>
        void for_each(Visit visit) noexcept {
            for (std::size_t i = 0; cells_ != nullptr && i < count_; ++i)
                if (Slot* const slot = cells_[i].owner()) visit(*slot);
        }

        [[nodiscard]] std::size_t used() const noexcept { return free_.used(); }
        [[nodiscard]] std::size_t capacity() const noexcept { return count_; }
        [[nodiscard]] std::size_t reserved() const noexcept { return count_; } // all of it from the start

        /// The kernel may still write to some slots: all that is safe is to give their memory up.
        void abandon() noexcept { cells_ = nullptr; }

        /// What a resource must have for one channel.
        static constexpr std::size_t bytes_per_channel = sizeof(tofu::slot_cell<Slot>);

    private:
        using cell = tofu::slot_cell<Slot>; // room for an owner, and its identity, which outlives it

        std::pmr::memory_resource* resource_ = nullptr;
        cell* cells_ = nullptr;
        std::size_t count_ = 0;
        tofu::slot_cells<Slot> free_;
    };

private:
    static constexpr std::size_t most = 65534; // there are no more channel numbers

    std::pmr::memory_resource* resource_;
    std::size_t channels_;
};

static_assert(tofu::pool_policy<resource_pool>);

} // namespace example

#endif
