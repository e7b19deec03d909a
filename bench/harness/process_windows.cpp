// SPDX-License-Identifier: BSL-1.0
// The figures that Windows reports about processes. It does not report the number of sleeps.
#include "process.hpp"

#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
// The order matters: psapi.h needs windows.h.
#include <psapi.h>

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

namespace bench {

namespace {

/// Holds on to a process, to ask about it.
class open_process {
public:
    explicit open_process(long process)
        : handle_(::OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, static_cast<DWORD>(process))) {
        if (handle_ == nullptr) throw std::runtime_error("process " + std::to_string(process) + " is gone");
    }
    open_process(const open_process&) = delete;
    open_process& operator=(const open_process&) = delete;
    ~open_process() { ::CloseHandle(handle_); }

    [[nodiscard]] HANDLE handle() const noexcept { return handle_; }

private:
    HANDLE handle_;
};

/// A time of Windows is in units of 100 ns.
double microseconds(const FILETIME& time) {
    return (static_cast<double>(time.dwHighDateTime) * 4294967296.0 + static_cast<double>(time.dwLowDateTime)) / 10;
}

/// True under Wine, which always reports the times of the asking process, also for questions about another process.
bool runs_in_wine() {
    const HMODULE ntdll = ::GetModuleHandleA("ntdll.dll");
    return ntdll != nullptr && ::GetProcAddress(ntdll, "wine_get_version") != nullptr;
}

} // namespace

long own_process() noexcept { return static_cast<long>(::GetCurrentProcessId()); }

double cpu_us_of(long process) {
    if (process == 0 || (process != own_process() && runs_in_wine())) return 0;
    const open_process asked(process);
    FILETIME begun{};
    FILETIME ended{};
    FILETIME system{};
    FILETIME user{};
    if (!::GetProcessTimes(asked.handle(), &begun, &ended, &system, &user)) return 0;
    return microseconds(system) + microseconds(user);
}

double sleeps_of(long) { return 0; }

double resident_bytes_of(long process) {
    if (process == 0) return 0;
    const open_process asked(process);
    PROCESS_MEMORY_COUNTERS counters{};
    if (!::K32GetProcessMemoryInfo(asked.handle(), &counters, sizeof counters)) return 0;
    return static_cast<double>(counters.WorkingSetSize);
}

/// A server ends with its standard input, and a client with its work.
void end_with_parent() noexcept {}

void allow_many_descriptors() noexcept {}

void end_when_asked() noexcept {
    std::thread([] {
        const HANDLE input = ::GetStdHandle(STD_INPUT_HANDLE);
        std::array<char, 64> ignored;
        for (DWORD got = 1; got != 0;)
            if (!::ReadFile(input, ignored.data(), static_cast<DWORD>(ignored.size()), &got, nullptr)) break;
        std::_Exit(0);
    }).detach();
}

void wait_for_the_end() noexcept {
    for (;;) ::Sleep(INFINITE);
}

} // namespace bench
