// SPDX-License-Identifier: BSL-1.0
// Named threads that no signal is delivered to: one that is waited for, and those nobody waits for.

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

/// Names the calling thread in whichever of its three known forms the system has the call, or not at all. A template,
/// so that forms the system has not compile too.
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

/// pthread_create with all signals blocked in the new thread. It inherits the mask: blocked before it exists, no signal
/// can find it open. 0, or what the system said.
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

/// Starts threads that nobody waits for.
struct detached_threads {
    /// Runs `job.run()` on a new thread named `Job::thread_name` (see io_thread for what becomes of names), with all
    /// signals blocked. The job must exist until run() no longer uses it. The module with the thread's code stays
    /// loaded (see hold_module). Error: no_memory, the system has no thread left; nothing runs then. Any thread.
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

/// One thread. Stays where it is: the thread looks into it while starting. start, join, joinable and the destructor:
/// one thread at a time, the owner's; is_current: any thread. Unlike std::thread it answers instead of throwing.
class io_thread {
public:
    io_thread() noexcept = default;
    io_thread(const io_thread&) = delete;
    io_thread& operator=(const io_thread&) = delete;
    /// Waits for the thread; whoever owns it has told it to end.
    ~io_thread() { join(); }

    /// Runs `run(context)` on a new thread with all signals blocked. `name` is copied and cut to 15 characters (the
    /// limit of Linux); a system that cannot name threads does not. Errors: no_memory with the system's code, if the
    /// system has no thread left; other (EBUSY), if `thread` already runs.
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

    /// Waits until the thread has ended; at once when there is none. Not on the thread itself.
    void join() noexcept {
        if (joinable_) {
            ::pthread_join(handle_, nullptr);
            joinable_ = false;
            runs_.store(false, std::memory_order_relaxed);
        }
    }

    bool joinable() const noexcept { return joinable_; }

    /// In a forked child, which does not have this thread: there is nothing to wait for.
    void forget() noexcept { joinable_ = false; }

    /// Whether the caller is this thread.
    bool is_current() const noexcept {
        return runs_.load(std::memory_order_acquire) &&
               ::pthread_equal(self_.load(std::memory_order_relaxed), ::pthread_self()) != 0;
    }

private:
    static void* enter(void* context) noexcept {
        auto& thread = *static_cast<io_thread*>(context);
        // Not handle_: pthread_create may still be writing that one. The only thread for which the answer can be yes
        // is the one that stores it here, so nobody can be told a wrong no.
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
