// SPDX-License-Identifier: BSL-1.0
// The nothrow allocation functions of the test program. They call the ordinary functions, so that a sanitizer sees
// every block.
#include "scarce_memory.hpp"

#include <new>

namespace tofu_test {

namespace {

thread_local scarce_memory* present = nullptr;

/// `obtain` throws when the system itself has no memory.
template <class Obtain>
void* grant(Obtain obtain) noexcept {
    if (scarce_memory::refuses()) return nullptr;
    try {
        return obtain();
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

} // namespace

scarce_memory::scarce_memory(std::size_t granted) noexcept : granted_(granted) { present = this; }

scarce_memory::~scarce_memory() { present = nullptr; }

bool scarce_memory::refuses() noexcept {
    if (present == nullptr) return false;
    if (present->granted_ == 0) return present->refused_ = true;
    --present->granted_;
    return false;
}

} // namespace tofu_test

using std::align_val_t;
using std::nothrow_t;
using std::size_t;
using tofu_test::grant;

void* operator new(size_t size, const nothrow_t&) noexcept {
    return grant([&] { return ::operator new(size); });
}
void* operator new[](size_t size, const nothrow_t&) noexcept {
    return grant([&] { return ::operator new[](size); });
}
void* operator new(size_t size, align_val_t alignment, const nothrow_t&) noexcept {
    return grant([&] { return ::operator new(size, alignment); });
}
void* operator new[](size_t size, align_val_t alignment, const nothrow_t&) noexcept {
    return grant([&] { return ::operator new[](size, alignment); });
}
