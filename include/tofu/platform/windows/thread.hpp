// SPDX-License-Identifier: BSL-1.0
// Named threads of Windows: the joinable I/O thread, and detached threads.

#ifndef TOFU_PLATFORM_WINDOWS_THREAD_HPP
#define TOFU_PLATFORM_WINDOWS_THREAD_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/thread_name.hpp>
#include <tofu/platform/windows/winsock.hpp>

#include <process.h>
#include <stdlib.h>

#include <atomic>
#include <bit>

namespace tofu::inline TOFU_ABI::windows {

/// Keeps the DLL that contains `code` loaded until the process ends: FreeLibrary has no effect on it any more
/// (GetModuleHandleExW, GET_MODULE_HANDLE_EX_FLAG_PIN). No effect for code of the program itself. May be called again.
/// Any thread; takes the loader's lock for a moment.
inline void hold_module(const void* code) noexcept {
    HMODULE held = nullptr;
    ::GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                         static_cast<const wchar_t*>(code), &held);
}

namespace detail {

/// Names the calling thread if the system can. SetThreadDescription exists since Windows 10 1607, there only in
/// KernelBase.dll (see its page).
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

/// Starts a thread by the C run-time library, which prepares its data of the thread. Returns null if the system has no
/// thread left; _doserrno has the number.
inline HANDLE create_thread(unsigned(__stdcall* enter)(void*) noexcept, void* context) noexcept {
    return std::bit_cast<HANDLE>(::_beginthreadex(nullptr, 0, enter, context, 0, nullptr));
}

} // namespace detail

/// Starts detached threads.
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

/// One joinable thread. Not movable, because the thread reads this object when it starts. Returns errors where
/// std::thread throws. is_current: any thread; all other calls: the owner, one thread at a time.
class io_thread {
public:
    io_thread() noexcept = default;
    io_thread(const io_thread&) = delete;
    io_thread& operator=(const io_thread&) = delete;
    /// Waits for the thread; the owner must have told it to end.
    ~io_thread() { join(); }

    /// Runs `run(context)` on a new thread. Copies `name` and cuts it to 15 characters, the limit of Linux; ignores it
    /// on systems without thread names. Errors: no_memory with the system's code if the system has no thread left;
    /// other (ERROR_BUSY) if `thread` already runs.
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

    /// Waits until the thread has ended; returns at once if there is none. Not on the thread itself.
    void join() noexcept {
        if (joinable()) {
            ::WaitForSingleObject(handle_, INFINITE);
            ::CloseHandle(handle_);
            handle_ = nullptr;
            self_.store(nobody, std::memory_order_relaxed); // the system may give the number to the next thread
        }
    }

    bool joinable() const noexcept { return handle_ != nullptr; }

    /// No effect: Windows does not fork.
    void forget() noexcept {}

    /// True on this thread.
    bool is_current() const noexcept { return self_.load(std::memory_order_relaxed) == ::GetCurrentThreadId(); }

private:
    static constexpr DWORD nobody = 0; // no thread has this number: GetThreadId answers it for failure

    static unsigned __stdcall enter(void* context) noexcept {
        auto& thread = *static_cast<io_thread*>(context);
        // Only this thread can get the answer true, and it stores its own number here, so it never gets a wrong answer.
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
