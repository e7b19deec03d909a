// SPDX-License-Identifier: BSL-1.0
// Named threads that receive no signals: the joinable I/O thread, and detached threads.

#ifndef TOFU_PLATFORM_POSIX_THREAD_HPP
#define TOFU_PLATFORM_POSIX_THREAD_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/posix/module.hpp>
#include <tofu/platform/thread_name.hpp>

#include <pthread.h>
#include <signal.h>
#if __has_include(<pthread_np.h>)
#include <pthread_np.h> // FreeBSD: what is not portable has a header of its own
#endif

#include <atomic>
#include <cerrno>

namespace tofu::inline TOFU_ABI::posix {

namespace detail {

/// Names the calling thread by the form of pthread_setname_np that the system has, if any. A template, so that it
/// compiles without the other forms.
template <class Thread, class Text>
void name_this_thread(Thread self, Text name) noexcept {
    if constexpr (requires { pthread_setname_np(self, name); }) { // Linux, FreeBSD
        pthread_setname_np(self, name);
    } else if constexpr (requires { pthread_setname_np(name); }) { // macOS
        pthread_setname_np(name);
    } else if constexpr (requires { pthread_setname_np(self, name, nullptr); }) { // NetBSD
        pthread_setname_np(self, name, nullptr);
    }
}

/// Calls pthread_create with all signals blocked in the new thread, which inherits the caller's mask: the mask is
/// blocked before the call and restored after. Returns 0 or the system's error number.
inline int create_thread(pthread_t& handle, const pthread_attr_t* how, void* (*enter)(void*) noexcept,
                         void* context) noexcept {
    sigset_t all;
    sigset_t before;
    sigfillset(&all); // a macro in macOS
    if (const int refused = ::pthread_sigmask(SIG_SETMASK, &all, &before)) {
        return refused;
    }
    const int outcome = ::pthread_create(&handle, how, enter, context);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return outcome;
}

} // namespace detail

/// Starts detached threads.
struct detached_threads {
    /// Runs `job.run()` on a new thread named `Job::thread_name`, with all signals blocked. The job must exist until
    /// run() no longer uses it. The module with the thread's code stays loaded (see hold_module). Error: no_memory if
    /// the system has no thread left; then nothing runs. Any thread.
    template <class Job>
    [[nodiscard]] static io_error start(Job& job) noexcept {
        static_assert(noexcept(job.run()), "tofu::posix::detached_threads: nobody would catch what a job throws");
        hold_module(reinterpret_cast<const void*>(&detached_threads::enter<Job>));
        pthread_attr_t how;
        if (const int refused = ::pthread_attr_init(&how)) {
            return io_error{io_failure::no_memory, refused};
        }
        ::pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED); // a valid state cannot be refused
        pthread_t unused;
        const int refused = detail::create_thread(unused, &how, &detached_threads::enter<Job>, &job);
        ::pthread_attr_destroy(&how);
        return refused == 0 ? io_error{} : io_error{io_failure::no_memory, refused};
    }

private:
    template <class Job>
    static void* enter(void* job) noexcept {
        detail::name_this_thread(::pthread_self(), static_cast<const char*>(Job::thread_name));
        static_cast<Job*>(job)->run();
        return nullptr;
    }
};

/// One joinable thread. Not movable, because the thread reads this object when it starts. Returns errors where
/// std::thread throws. is_current: any thread; all other calls: the owner, one thread at a time.
class io_thread {
public:
    io_thread() noexcept = default;
    io_thread(const io_thread&) = delete;
    io_thread& operator=(const io_thread&) = delete;
    /// Waits for the thread; the owner must have told it to end.
    ~io_thread() { join(); }

    /// Runs `run(context)` on a new thread with all signals blocked. Copies `name` and cuts it to 15 characters, the
    /// limit of Linux; ignores it on systems without thread names. Errors: no_memory with the system's code if the
    /// system has no thread left; other (EBUSY) if `thread` already runs.
    [[nodiscard]] static io_error start(io_thread& thread, const char* name, void (*run)(void*) noexcept,
                                        void* context) noexcept {
        if (thread.joinable_) {
            return io_error{io_failure::other, EBUSY};
        }
        thread.run_ = run;
        thread.context_ = context;
        thread.name_ = platform::thread_name(name);
        const int refused = detail::create_thread(thread.handle_, nullptr, &io_thread::enter, &thread);
        thread.joinable_ = refused == 0;
        return thread.joinable_ ? io_error{} : io_error{io_failure::no_memory, refused};
    }

    /// Waits until the thread has ended; returns at once if there is none. Not on the thread itself.
    void join() noexcept {
        TOFU_ASSERT(!joinable_ || !is_current());
        if (joinable_) {
            ::pthread_join(handle_, nullptr);
            joinable_ = false;
            runs_.store(false, std::memory_order_relaxed);
        }
    }

    bool joinable() const noexcept { return joinable_; }

    /// In a forked child: the thread does not exist there, so join() must not wait for it.
    void forget() noexcept { joinable_ = false; }

    /// True on this thread.
    bool is_current() const noexcept {
        return runs_.load(std::memory_order_acquire) &&
               ::pthread_equal(self_.load(std::memory_order_relaxed), ::pthread_self()) != 0;
    }

private:
    static void* enter(void* context) noexcept {
        auto& thread = *static_cast<io_thread*>(context);
        // Not handle_, because pthread_create may still write it. Only this thread can get the answer true, and it
        // stores its own identity here, so it never gets a wrong answer.
        thread.self_.store(::pthread_self(), std::memory_order_relaxed);
        thread.runs_.store(true, std::memory_order_release);
        detail::name_this_thread(::pthread_self(), thread.name_.c_str());
        thread.run_(thread.context_);
        return nullptr;
    }

    void (*run_)(void*) noexcept = nullptr;
    void* context_ = nullptr;
    pthread_t handle_{};
    std::atomic<pthread_t> self_{};
    std::atomic<bool> runs_{false};
    bool joinable_ = false;
    platform::thread_name name_;
};

} // namespace tofu::inline TOFU_ABI::posix

#endif // TOFU_PLATFORM_POSIX_THREAD_HPP
