// SPDX-License-Identifier: BSL-1.0
// Broken pool policies. Each breaks one requirement: it hides one member of a good policy.
#ifndef TOFU_TEST_COMPILE_FAIL_BAD_POLICIES_POOL_HPP
#define TOFU_TEST_COMPILE_FAIL_BAD_POLICIES_POOL_HPP

#include <tofu/tofu.hpp>

#include <cstddef>
#include <cstdint>

namespace tofu_test {

using good_pool = tofu::fixed_channel_pool<4>;
template <class Slot>
using good_storage = good_pool::storage<Slot>;

struct bad_category_pool : good_pool {
    using category = int;
};
struct bad_moving_pool : good_pool {
    bad_moving_pool() noexcept = default;
    bad_moving_pool(bad_moving_pool&&) = delete;
};
struct bad_storage_pool : good_pool {
    template <class Slot>
    struct storage : good_storage<Slot> {
        explicit storage(std::size_t) noexcept {}
    };
};
struct bad_movable_pool : good_pool {
    template <class Slot>
    struct storage : good_storage<Slot> {
        storage() noexcept = default;
        storage(storage&&) noexcept : good_storage<Slot>() {}
    };
};
struct bad_open_pool : good_pool {
    template <class Slot>
    struct storage : good_storage<Slot> {
        bool open() noexcept; // for no policy
    };
};
struct bad_acquire_pool : good_pool {
    template <class Slot>
    struct storage : good_storage<Slot> {
        Slot& acquire() noexcept; // cannot refuse
    };
};
struct bad_release_pool : good_pool {
    template <class Slot>
    struct storage : good_storage<Slot> {
        void release(std::uint32_t) noexcept;
    };
};
struct bad_at_pool : good_pool {
    template <class Slot>
    struct storage : good_storage<Slot> {
        Slot* at(std::uint32_t) noexcept; // not const
    };
};
struct bad_for_each_pool : good_pool {
    template <class Slot>
    struct storage : good_storage<Slot> {
        template <class Visit>
        void for_each(Visit); // may throw
    };
};
struct bad_used_pool : good_pool {
    template <class Slot>
    struct storage : good_storage<Slot> {
        bool used() const noexcept;
    };
};
struct bad_capacity_pool : good_pool {
    template <class Slot>
    struct storage : good_storage<Slot> {
        int capacity() const noexcept;
    };
};
struct bad_reserved_pool : good_pool {
    template <class Slot>
    struct storage : good_storage<Slot> {
        void reserved(std::size_t) noexcept;
    };
};
struct bad_abandon_pool : good_pool {
    template <class Slot>
    struct storage : good_storage<Slot> {
        void abandon(); // may throw
    };
};
/// Breaks all it can at once.
struct bad_empty_pool {
    using category = tofu::pool_category;
};

} // namespace tofu_test

#endif
