// SPDX-License-Identifier: BSL-1.0
// A mistake: a key policy whose keys are not as wide as a pointer.
#include "compile_fail/use.hpp"

#include <tofu/tofu.hpp>

//[mistake
struct my_key { // the index of the slot is enough
    using category = tofu::key_category;
    static constexpr bool closes_after_release = false;

    static bool open(std::size_t) noexcept { return true; }
    template <class Slot, class Socket>
    static std::uint16_t make(const Slot& slot, const Socket&) noexcept {
        return static_cast<std::uint16_t>(slot.identity().index + 1);
    }
    static void forget(std::uintptr_t) noexcept {}
    template <class Storage>
    static auto* find(Storage& storage, std::uintptr_t key) noexcept {
        return storage.at(static_cast<std::uint32_t>(key - 1));
    }
};

using my_reactor = tofu::basic_reactor<tofu::default_poll, tofu::default_pool, my_key>;
//]

int main() {
    // expect: KeyPolicy: needs `template <class Slot, class Socket> std::uintptr_t make(const Slot&,
    //         const Socket&) noexcept;`
    my_reactor engine;
    tofu_test::use(engine);
}
