// SPDX-License-Identifier: BSL-1.0
// Named threads of Windows: one that is waited for, and those nobody waits for.

#ifndef TOFU_PLATFORM_WINDOWS_THREAD_HPP
#define TOFU_PLATFORM_WINDOWS_THREAD_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/thread_name.hpp>
#include <tofu/platform/windows/module.hpp>
#include <tofu/platform/windows/winsock.hpp>

#include <process.h>
#include <stdlib.h>

#include <atomic>
#include <bit>

namespace tofu::inline TOFU_ABI::windows {

namespace detail {

/// Names the calling thread, or does not: SetThreadDescription came with Windows 10 1607, and there KernelBase.dll is
/// the only library that has it (says its page).
inline void name_this_thread(const char* name) noexcept {
    using set_description = HRESULT(WINAPI*)(HANDLE, const wchar_t*);
    const HMODULE library = ::GetModuleHandleW(L"KernelBase.dll");
    const FARPROC found = library != nullptr ? ::GetProcAddress(library, "SetThreadDescription") : nullptr;
    wchar_t wide[platform::thread_name::room] = {};
    if (found != nullptr &&
        ::MultiByteToWideChar(CP_UTF8, 0, name, -1, wide, static_cast<int>(platform::thread_name::room)) > 0) {
        std::bit_cast<set_description>(found)(::GetCurrentThread(), wide);
    }
}

/// Null: the system has no thread left; _doserrno has its number. By the C run-time library, which prepares what it
/// keeps for each thread.
inline HANDLE create_thread(unsigned(__stdcall* enter)(void*) noexcept, void* context) noexcept {
    return std::bit_cast<HANDLE>(::_beginthreadex(nullptr, 0, enter, context, 0, nullptr));
}

} // namespace detail

/// Starts threads that nobody waits for.
struct detached_threads {
    /// Runs `job.run()` on a new thread named `Job::thread_name`, if the system can name threads. The job must exist
    /// until run() no longer uses it. The module with the thread's code stays loaded (see hold_module). Error:
    /// no_memory, the system has no thread left; nothing runs then. Any thread.
    template <class Job>
    [[nodiscard]] static io_error start(Job& job) noexcept {
        static_assert(noexcept(job.run()), "tofu::windows::detached_threads: nobody would catch what a job throws");
        hold_module(reinterpret_cast<const void*>(&detached_threads::enter<Job>));
        const HANDLE handle = detail::create_thread(&detached_threads::enter<Job>, &job);
        if (handle == nullptr) {
            return io_error{io_failure::no_memory, static_cast<int>(_doserrno)};
        }
        ::CloseHandle(handle); // the thread runs on
        return {};
    }

private:
    template <class Job>
    static unsigned __stdcall enter(void* job) noexcept {
        detail::name_this_thread(Job::thread_name);
        static_cast<Job*>(job)->run();
        return 0;
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

    /// Runs `run(context)` on a new thread. `name` is copied and cut to 15 characters (the limit of Linux); a system
    /// that cannot name threads does not. Errors: no_memory with the system's code, if the system has no thread left;
    /// other (ERROR_BUSY), if `thread` already runs.
    [[nodiscard]] static io_error start(io_thread& thread, const char* name, void (*run)(void*) noexcept,
                                        void* context) noexcept {
        if (thread.joinable()) {
            return io_error{io_failure::other, ERROR_BUSY};
        }
        thread.run_ = run;
        thread.context_ = context;
        thread.name_ = platform::thread_name(name);
        thread.handle_ = detail::create_thread(&io_thread::enter, &thread);
        return thread.joinable() ? io_error{} : io_error{io_failure::no_memory, static_cast<int>(_doserrno)};
    }

    /// Waits until the thread has ended; at once when there is none. Not on the thread itself.
    void join() noexcept {
        if (joinable()) {
            ::WaitForSingleObject(handle_, INFINITE);
            ::CloseHandle(handle_);
            handle_ = nullptr;
            self_.store(nobody, std::memory_order_relaxed); // the system may give the number to the next thread
        }
    }

    bool joinable() const noexcept { return handle_ != nullptr; }

    /// For forked children, which Windows does not have.
    void forget() noexcept {}

    /// Whether the caller is this thread.
    bool is_current() const noexcept { return self_.load(std::memory_order_relaxed) == ::GetCurrentThreadId(); }

private:
    static constexpr DWORD nobody = 0; // no thread has this number: GetThreadId answers it for failure

    static unsigned __stdcall enter(void* context) noexcept {
        auto& thread = *static_cast<io_thread*>(context);
        // The only thread for which is_current can say yes is the one that stores its number here, so nobody can be
        // told a wrong no.
        thread.self_.store(::GetCurrentThreadId(), std::memory_order_relaxed);
        detail::name_this_thread(thread.name_.c_str());
        thread.run_(thread.context_);
        return 0;
    }

    void (*run_)(void*) noexcept = nullptr;
    void* context_ = nullptr;
    HANDLE handle_ = nullptr;
    std::atomic<DWORD> self_{nobody};
    platform::thread_name name_;
};

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_THREAD_HPP
