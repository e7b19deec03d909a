// SPDX-License-Identifier: BSL-1.0
// The errors about each broken key policy.
#include "compile_fail/bad_policies/key.hpp"
#include "use.hpp"

namespace tofu_test {

// expect: KeyPolicy (3rd parameter): needs `using category = tofu::key_category;`
void with(with_key<bad_category_key>& engine) { use(engine); }

// expect: KeyPolicy: must be nothrow move constructible
void with(with_key<bad_moving_key>& engine) { use(engine); }

// expect: KeyPolicy: needs `static constexpr bool closes_after_release`
void with(with_key<bad_closing_key>& engine) { use(engine); }

// expect: KeyPolicy: needs `bool open(std::size_t channels) noexcept;`
void with(with_key<bad_open_key>& engine) { use(engine); }

// expect: KeyPolicy: needs `template <class Slot, class Socket> std::uintptr_t make(const Slot&, const Socket&)
//         noexcept;`
void with(with_key<bad_make_key>& engine) { use(engine); }

// expect: KeyPolicy: needs `void forget(std::uintptr_t key) noexcept;`
void with(with_key<bad_forget_key>& engine) { use(engine); }

// expect: KeyPolicy: needs `template <class Storage> Slot* find(Storage&, std::uintptr_t key) const noexcept;`
void with(with_key<bad_find_key>& engine) { use(engine); }

} // namespace tofu_test
