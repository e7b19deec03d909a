// SPDX-License-Identifier: BSL-1.0
// Runs every thread on a stack filled with a known pattern (a painted stack). The overwritten part shows how much stack
// the thread used.
//
// The program is linked with --wrap=pthread_create, so that this covers the threads that the library creates, and with
// -z now: otherwise the dynamic loader's stack for the first call of a function would be counted.
#ifndef TOFU_TEST_VARIANTS_PAINTED_STACKS_HPP
#define TOFU_TEST_VARIANTS_PAINTED_STACKS_HPP

#include <pthread.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <utility>

extern "C" int __real_pthread_create(pthread_t* handle, const pthread_attr_t* how, void* (*enter)(void*),
                                     void* context);

namespace tofu_test {

/// The deepest use of each kind of thread, by the name the thread has at its end. Any thread.
class stack_record {
public:
    void begin() {
        const std::lock_guard lock(mutex_);
        ++running_;
    }
    void end(const std::string& name, std::size_t depth) {
        const std::lock_guard lock(mutex_);
        deepest_[name] = (std::max)(deepest_[name], depth);
        --running_;
        ended_.notify_all();
    }
    /// Waits until no painted thread runs, and gives what was noted since the last time.
    std::map<std::string, std::size_t> take() {
        std::unique_lock lock(mutex_);
        ended_.wait(lock, [&] { return running_ == 0; });
        return std::exchange(deepest_, {});
    }

private:
    std::mutex mutex_;
    std::condition_variable ended_;
    std::map<std::string, std::size_t> deepest_;
    std::size_t running_ = 0;
};

inline stack_record stacks;

/// One stack and what runs on it. It is never freed: a detached thread cannot do that for the stack it stands on.
struct painted_stack {
    static constexpr std::size_t size = std::size_t{1} << 20;
    static constexpr std::uint64_t paint = 0x7a1b'5c9d'e3f0'4286;

    alignas(4096) std::array<std::uint64_t, size / sizeof paint> words;
    void* (*enter)(void*);
    void* context;

    static void* run(void* itself) {
        auto& self = *static_cast<painted_stack*>(itself);
        const auto top = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        void* const result = self.enter(self.context);
        const auto* const lowest =
            std::find_if(self.words.begin(), self.words.end(), [](auto w) { return w != paint; });
        char name[16] = {};
        ::pthread_getname_np(::pthread_self(), name, sizeof name);
        stacks.end(name, top - reinterpret_cast<std::uintptr_t>(lowest));
        return result;
    }
};

} // namespace tofu_test

extern "C" [[gnu::used]] inline int __wrap_pthread_create(pthread_t* handle, const pthread_attr_t* how,
                                                          void* (*enter)(void*), void* context) noexcept {
    auto* const made = new tofu_test::painted_stack;
    made->words.fill(tofu_test::painted_stack::paint);
    made->enter = enter;
    made->context = context;
    pthread_attr_t painted;
    int state = PTHREAD_CREATE_JOINABLE;
    if (how != nullptr) ::pthread_attr_getdetachstate(how, &state);
    ::pthread_attr_init(&painted);
    ::pthread_attr_setdetachstate(&painted, state);
    ::pthread_attr_setstack(&painted, made->words.data(), tofu_test::painted_stack::size);
    tofu_test::stacks.begin();
    const int refused = __real_pthread_create(handle, &painted, &tofu_test::painted_stack::run, made);
    if (refused != 0) std::abort();
    ::pthread_attr_destroy(&painted);
    return 0;
}

#endif
