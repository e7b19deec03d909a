// SPDX-License-Identifier: BSL-1.0
// A reference to an object that counts its references.
#ifndef TOFU_ENGINE_THREADS_REF_HPP
#define TOFU_ENGINE_THREADS_REF_HPP

#include <tofu/config.hpp>
#include <tofu/platform/process_mark.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// The reference count that an object carries. It starts at one: the reference of the creator. Any thread.
class ref_count {
public:
    void add() noexcept {
        const std::uintptr_t before = count_.fetch_add(1, std::memory_order_relaxed);
        TOFU_ASSERT(before != 0);
        static_cast<void>(before);
    }

    /// True for the last reference, but never in a child that was forked after the object was made: other threads may
    /// have been changing the object during the fork, so it must not be destroyed.
    [[nodiscard]] bool drop() noexcept {
        const std::uintptr_t before = count_.fetch_sub(1, std::memory_order_acq_rel);
        TOFU_ASSERT(before != 0);
        if (before != 1) return false;
        if (process_.is_here()) return true;
        keep();
        return false;
    }

private:
    /// Puts the object on the list of objects that are never destroyed, so that a leak checker finds it. The count is
    /// no longer needed and serves as the link.
    void keep() noexcept {
        count_.store(reinterpret_cast<std::uintptr_t>(kept_.exchange(this)), std::memory_order_relaxed);
    }

    std::atomic<std::uintptr_t> count_{1};
    [[no_unique_address]] platform::process_mark process_;
    inline static constinit std::atomic<ref_count*> kept_{nullptr};
};

/// Shares an object that has a `ref_count references`; the last reference deletes it. Any thread, each ref one at a
/// time.
template <class Object>
class ref {
public:
    ref() noexcept = default;
    /// Takes over a reference that is counted already.
    [[nodiscard]] static ref adopt(Object* object) noexcept {
        ref result;
        result.object_ = object;
        return result;
    }
    /// Counts one more reference.
    [[nodiscard]] static ref share(Object& object) noexcept {
        object.references.add();
        return adopt(&object);
    }
    ref(const ref& other) noexcept : object_(other.object_) {
        if (object_ != nullptr) object_->references.add();
    }
    ref(ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    ref& operator=(ref other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~ref() {
        if (object_ != nullptr && object_->references.drop()) delete object_;
    }

    [[nodiscard]] Object* get() const noexcept { return object_; }
    [[nodiscard]] Object& operator*() const noexcept { return *object_; }
    [[nodiscard]] Object* operator->() const noexcept { return object_; }
    [[nodiscard]] explicit operator bool() const noexcept { return object_ != nullptr; }
    /// Gives the reference away without counting it down. The receiver adopts it.
    [[nodiscard]] Object* release() noexcept { return std::exchange(object_, nullptr); }

private:
    Object* object_ = nullptr;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
