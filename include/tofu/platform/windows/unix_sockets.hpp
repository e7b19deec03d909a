// SPDX-License-Identifier: BSL-1.0
// Tells whether this Windows has working Unix domain sockets, by making one.

#ifndef TOFU_PLATFORM_WINDOWS_UNIX_SOCKETS_HPP
#define TOFU_PLATFORM_WINDOWS_UNIX_SOCKETS_HPP

#include <tofu/address.hpp>
#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/windows/session.hpp>
#include <tofu/platform/windows/socket_calls.hpp>
#include <tofu/platform/windows/socket_file.hpp>
#include <tofu/platform/windows/socket_handle.hpp>
#include <tofu/platform/windows/temporary_directory.hpp>

#include <atomic>
#include <charconv>
#include <cstddef>
#include <memory>
#include <string_view>

namespace tofu::inline TOFU_ABI::windows {

namespace detail {

/// A path in the temporary directory that no other thread of the machine uses now. Returns false if it is too long.
inline bool own_endpoint(endpoint& out) noexcept {
    constexpr std::string_view name = "tofu-";
    constexpr std::size_t number = 10; // digits of 32 bits
    const path_text home = temporary_directory();
    char path[max_path_length];
    if (home.view().empty() || home.view().size() + name.size() + 2 * number + 1 > sizeof path) return false;
    char* end = path + home.view().copy(path, sizeof path);
    end += name.copy(end, name.size());
    end = std::to_chars(end, end + number, ::GetCurrentProcessId()).ptr;
    *end++ = '-';
    end = std::to_chars(end, end + number, ::GetCurrentThreadId()).ptr;
    return !platform::detail::path_endpoint({path, static_cast<std::size_t>(end - path)}, out);
}

/// Makes one listener and one connection, because some systems have the family and refuse other calls.
inline bool probe_unix_sockets() noexcept {
    winsock_session session;
    endpoint at;
    io_error error = session.open();
    if (error || !own_endpoint(at)) return false;
    const socket_handle listener = open_stream(AF_UNIX, error);
    std::unique_ptr<socket_file> file;
    if (error || listen_at_path(listener.get(), at, 1, file)) return false;
    return !probe(at);
}

} // namespace detail

/// True if a listener and a connection in the temporary directory succeed; tried once in a process. Windows has Unix
/// domain sockets since build 17063, in practice since version 1809; Wine 8 has none. Any thread.
inline bool has_unix_sockets() noexcept {
    enum : int { unknown, absent, present };
    static constinit std::atomic<int> known{unknown};
    int answer = known.load(std::memory_order_relaxed);
    if (answer == unknown) {
        answer = detail::probe_unix_sockets() ? present : absent;
        known.store(answer, std::memory_order_relaxed);
    }
    return answer == present;
}

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_UNIX_SOCKETS_HPP
