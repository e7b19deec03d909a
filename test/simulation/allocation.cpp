// SPDX-License-Identifier: BSL-1.0
// The global allocation functions of the simulator.
#include "allocation.hpp"

#include "support/aligned_memory.hpp"

#include <cstdint>
#include <cstdlib>
#include <new>

namespace tofu_simulation {

allocation& allocation::here() noexcept {
    thread_local allocation mine;
    return mine;
}

namespace {

/// In front of every block: who asked for it. As large as the strictest alignment of plain new.
struct alignas(__STDCPP_DEFAULT_NEW_ALIGNMENT__) label {
    allocation* owner; ///< null: not tofu
};

[[nodiscard]] void* obtain(std::size_t size, std::size_t alignment, allocation* owner) noexcept {
    const std::size_t front = alignment > sizeof(label) ? alignment : sizeof(label);
    auto* const block = static_cast<unsigned char*>(tofu_test::obtain_aligned(size + front, alignment));
    if (block == nullptr) return nullptr;
    unsigned char* const given = block + front;
    ::new (given - sizeof(label)) label{owner};
    if (owner != nullptr) ++owner->alive;
    return given;
}

[[nodiscard]] void* obtain_or_throw(std::size_t size, std::size_t alignment) {
    if (void* const given = obtain(size, alignment, nullptr)) return given;
    throw std::bad_alloc();
}

[[nodiscard]] void* obtain_for_tofu(std::size_t size, std::size_t alignment) noexcept {
    allocation& here = allocation::here();
    if (here.chance != nullptr && here.chance->chance(here.refused_per_mille)) {
        ++here.refused;
        return nullptr;
    }
    return obtain(size, alignment, &here);
}

void give_back(void* given, std::size_t alignment) noexcept {
    if (given == nullptr) return;
    const std::size_t front = alignment > sizeof(label) ? alignment : sizeof(label);
    auto* const bytes = static_cast<unsigned char*>(given);
    auto* const front_label = reinterpret_cast<label*>(bytes - sizeof(label));
    if (front_label->owner != nullptr) --front_label->owner->alive;
    tofu_test::give_back_aligned(bytes - front);
}

constexpr std::size_t plain = alignof(label);

} // namespace
} // namespace tofu_simulation

using namespace tofu_simulation;
using std::align_val_t;
using std::nothrow_t;
using std::size_t;

void* operator new(size_t size) { return obtain_or_throw(size, plain); }
void* operator new[](size_t size) { return obtain_or_throw(size, plain); }
void* operator new(size_t size, align_val_t a) { return obtain_or_throw(size, static_cast<size_t>(a)); }
void* operator new[](size_t size, align_val_t a) { return obtain_or_throw(size, static_cast<size_t>(a)); }
void* operator new(size_t size, const nothrow_t&) noexcept { return obtain_for_tofu(size, plain); }
void* operator new[](size_t size, const nothrow_t&) noexcept { return obtain_for_tofu(size, plain); }
void* operator new(size_t size, align_val_t a, const nothrow_t&) noexcept {
    return obtain_for_tofu(size, static_cast<size_t>(a));
}
void* operator new[](size_t size, align_val_t a, const nothrow_t&) noexcept {
    return obtain_for_tofu(size, static_cast<size_t>(a));
}
void operator delete(void* given) noexcept { give_back(given, plain); }
void operator delete[](void* given) noexcept { give_back(given, plain); }
void operator delete(void* given, size_t) noexcept { give_back(given, plain); }
void operator delete[](void* given, size_t) noexcept { give_back(given, plain); }
void operator delete(void* given, align_val_t a) noexcept { give_back(given, static_cast<size_t>(a)); }
void operator delete[](void* given, align_val_t a) noexcept { give_back(given, static_cast<size_t>(a)); }
void operator delete(void* given, size_t, align_val_t a) noexcept { give_back(given, static_cast<size_t>(a)); }
void operator delete[](void* given, size_t, align_val_t a) noexcept { give_back(given, static_cast<size_t>(a)); }
