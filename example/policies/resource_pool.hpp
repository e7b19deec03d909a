// SPDX-License-Identifier: BSL-1.0
// A pool policy outside of the library: channels live in memory of a std::pmr::memory_resource.
//
//     std::pmr::monotonic_buffer_resource memory(buffer, sizeof buffer, std::pmr::null_memory_resource());
//     tofu::reactor_with<example::resource_pool> engine({}, tofu::driven_by::io_thread,
//                                                       example::resource_pool(memory, 100));
//
// Use it for huge pages, shared memory, a static buffer, or to count memory. It makes one allocation when the engine is
// made and none later. Only that allocation costs a virtual call.
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

/// Meets the contract in tofu/policies/concepts/pool.hpp. Holds at most `channels` listeners and connections together,
/// in memory of `from`. The resource must outlive the engine and its groups. If it is not thread-safe, only one engine
/// may use it. A poller that owes registrations may leave memory to the kernel when the engine ends, see abandon(). The
/// resource must not use that memory again, so it must not be a buffer on the stack.
class resource_pool {
public:
    using category = tofu::pool_category;

    resource_pool(std::pmr::memory_resource& from, std::size_t channels) noexcept
        : resource_(&from), channels_(std::clamp<std::size_t>(channels, 1, most)) {}

    /// All operations except open() and for_each() take constant time.
    template <class Slot>
    class storage {
    public:
        storage() noexcept = default;
        storage(const storage&) = delete; // channels and the kernel hold addresses of slots
        storage& operator=(const storage&) = delete;
        ~storage() { // the engine has released every owner
            if (cells_ != nullptr) resource_->deallocate(cells_, count_ * sizeof(cell), alignof(cell));
        }

        //[open
        /// Allocates the memory of all slots. Catches the exception of the resource and returns false; the engine then
        /// reports an error.
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

        [[nodiscard]] Slot* acquire() noexcept { return free_.acquire(); }

        void release(Slot& slot) noexcept { free_.release(slot); }

        /// A stale key may ask for any index.
        [[nodiscard]] Slot* at(std::uint32_t index) const noexcept {
            return cells_ != nullptr && index < count_ ? cells_[index].owner() : nullptr;
        }

        /// For pointer_key. An address that acquire() returned once stays an address of this storage.
        [[nodiscard]] Slot* owner_at(std::uintptr_t address) const noexcept {
            return cells_ != nullptr ? free_.owner_at(address) : nullptr;
        }

        template <class Visit>
        void for_each(Visit visit) noexcept {
            for (std::size_t i = 0; cells_ != nullptr && i < count_; ++i)
                if (Slot* const slot = cells_[i].owner()) visit(*slot);
        }

        [[nodiscard]] std::size_t used() const noexcept { return free_.used(); }
        [[nodiscard]] std::size_t capacity() const noexcept { return count_; }
        [[nodiscard]] std::size_t reserved() const noexcept { return count_; } // all memory is there from the start

        /// Gives up the memory, because the kernel may still write to some slots.
        void abandon() noexcept { cells_ = nullptr; }

        /// The bytes that the resource needs for one channel.
        static constexpr std::size_t bytes_per_channel = sizeof(tofu::slot_cell<Slot>);

    private:
        using cell = tofu::slot_cell<Slot>; // memory for an owner, and the identity of its slot

        std::pmr::memory_resource* resource_ = nullptr;
        cell* cells_ = nullptr;
        std::size_t count_ = 0;
        tofu::slot_cells<Slot> free_;
    };

private:
    static constexpr std::size_t most = 65534; // the range of channel numbers

    std::pmr::memory_resource* resource_;
    std::size_t channels_;
};

static_assert(tofu::pool_policy<resource_pool>);

} // namespace example

#endif
