// SPDX-License-Identifier: BSL-1.0
// The errors about each broken pool policy.
#include "compile_fail/bad_policies/pool.hpp"
#include "use.hpp"

namespace tofu_test {

// expect: PoolPolicy (2nd parameter): needs `using category = tofu::pool_category;`
void with(with_pool<bad_category_pool>& engine) { use(engine); }

// expect: PoolPolicy: must be nothrow move constructible (its storage must not)
void with(with_pool<bad_moving_pool>& engine) { use(engine); }

// expect: PoolPolicy: needs `template <class Slot> class storage`, nothrow default constructible
void with(with_pool<bad_storage_pool>& engine) { use(engine); }

// expect: PoolPolicy: its storage must not be movable: the addresses of slots are stable
void with(with_pool<bad_movable_pool>& engine) { use(engine); }

// expect: PoolPolicy: its storage needs `bool open(PoolPolicy&) noexcept;`
void with(with_pool<bad_open_pool>& engine) { use(engine); }

// expect: PoolPolicy: its storage needs `Slot* acquire() noexcept;`
void with(with_pool<bad_acquire_pool>& engine) { use(engine); }

// expect: PoolPolicy: its storage needs `void release(Slot&) noexcept;`
void with(with_pool<bad_release_pool>& engine) { use(engine); }

// expect: PoolPolicy: its storage needs `Slot* at(std::uint32_t index) const noexcept;`
void with(with_pool<bad_at_pool>& engine) { use(engine); }

// expect: PoolPolicy: its storage needs `template <class Visit> void for_each(Visit) noexcept;`
void with(with_pool<bad_for_each_pool>& engine) { use(engine); }

// expect: PoolPolicy: its storage needs `std::size_t used() const noexcept;`
void with(with_pool<bad_used_pool>& engine) { use(engine); }

// expect: PoolPolicy: its storage needs `std::size_t capacity() const noexcept;`
void with(with_pool<bad_capacity_pool>& engine) { use(engine); }

// expect: PoolPolicy: its storage needs `std::size_t reserved() const noexcept;`
void with(with_pool<bad_reserved_pool>& engine) { use(engine); }

// expect: PoolPolicy: its storage needs `void abandon() noexcept;`
void with(with_pool<bad_abandon_pool>& engine) { use(engine); }

// expect: PoolPolicy: needs `template <class Slot> class storage`, nothrow default constructible
void with(with_pool<bad_empty_pool>& engine) { use(engine); }

} // namespace tofu_test
