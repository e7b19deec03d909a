// SPDX-License-Identifier: BSL-1.0
// Broken key policies. Each breaks one requirement: it hides one member of a good policy.
#ifndef TOFU_TEST_COMPILE_FAIL_BAD_POLICIES_KEY_HPP
#define TOFU_TEST_COMPILE_FAIL_BAD_POLICIES_KEY_HPP

#include <tofu/tofu.hpp>

#include <cstddef>
#include <cstdint>

namespace tofu_test {

using good_key = tofu::slot_index_key;

struct bad_category_key : good_key {
    using category = void;
};
struct bad_moving_key : good_key {
    bad_moving_key() noexcept = default;
    bad_moving_key(bad_moving_key&&) {} // may throw
};
struct bad_closing_key : good_key {
    struct unclear {};
    static constexpr unclear closes_after_release{};
};
struct bad_open_key : good_key {
    void open(std::size_t) noexcept; // cannot fail
};
struct bad_make_key : good_key {
    template <class Slot, class Socket>
    static std::uint16_t make(const Slot&, const Socket&) noexcept;
};
struct bad_forget_key : good_key {
    void forget() noexcept;
};
struct bad_find_key : good_key {
    template <class Storage>
    static bool find(Storage&, std::uintptr_t) noexcept;
};

} // namespace tofu_test

#endif
