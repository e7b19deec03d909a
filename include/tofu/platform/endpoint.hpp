// SPDX-License-Identifier: BSL-1.0
// The system's form of an address, and conversions from and to tofu::address.
//
// This header is open to policies outside of the library; see doc/writing-policies.md.

#ifndef TOFU_PLATFORM_ENDPOINT_HPP
#define TOFU_PLATFORM_ENDPOINT_HPP

#include <tofu/address.hpp>
#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/socket_api.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <system_error>

namespace tofu::inline TOFU_ABI::platform {

/// A socket address for the system's calls. A plain value; empty by default.
struct endpoint {
    sockaddr_storage storage{};
    socklen_t length = 0;

    bool empty() const noexcept { return length == 0; }
    /// `length` as an unsigned number; in Winsock it is signed.
    std::size_t size() const noexcept { return static_cast<std::size_t>(length); }
    /// AF_UNSPEC when empty.
    int family() const noexcept { return empty() ? AF_UNSPEC : storage.ss_family; }
    const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
    sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
};

namespace detail {

/// `Raw` is sockaddr_in, sockaddr_in6 or sockaddr_un. Copies the bytes; the language does not allow a cast of the
/// reference.
template <class Raw>
endpoint endpoint_of(const Raw& raw) noexcept {
    static_assert(sizeof(Raw) <= sizeof(sockaddr_storage));
    endpoint made;
    std::memcpy(&made.storage, &raw, sizeof(Raw));
    made.length = static_cast<socklen_t>(sizeof(Raw));
    return made;
}

template <class Raw>
Raw raw_of(const endpoint& from) noexcept {
    Raw raw{};
    std::memcpy(&raw, &from.storage, sizeof(Raw));
    return raw;
}

inline endpoint v4_endpoint(const in_addr& host, std::uint16_t port) noexcept {
    sockaddr_in raw{};
    raw.sin_family = AF_INET;
    raw.sin_port = htons(port);
    raw.sin_addr = host;
    return detail::endpoint_of(raw);
}

inline endpoint v6_endpoint(const in6_addr& host, std::uint16_t port, std::uint32_t scope) noexcept {
    sockaddr_in6 raw{};
    raw.sin6_family = AF_INET6;
    raw.sin6_port = htons(port);
    raw.sin6_addr = host;
    raw.sin6_scope_id = scope;
    return detail::endpoint_of(raw);
}

inline bool is_any_v6(const endpoint& where) noexcept {
    const auto raw = raw_of<sockaddr_in6>(where);
    return where.family() == AF_INET6 && std::memcmp(&raw.sin6_addr, &in6addr_any, sizeof(in6_addr)) == 0;
}

/// True for the addresses of the loopback interface.
inline bool is_loopback(const endpoint& where) noexcept {
    if (where.family() == AF_INET) return (ntohl(raw_of<sockaddr_in>(where).sin_addr.s_addr) >> 24) == 127;
    if (where.family() != AF_INET6) return false;
    const auto raw = raw_of<sockaddr_in6>(where);
    return std::memcmp(&raw.sin6_addr, &in6addr_loopback, sizeof(in6_addr)) == 0;
}

/// True if both ends of a TCP connection are one socket. A socket connects to itself if the system gives it the same
/// address and port that it connects to (RFC 9293, section 3.5, simultaneous open). A self-connection is possible only
/// if no listener has the port.
inline bool is_same_end(const endpoint& one, const endpoint& other) noexcept {
    if (one.family() != other.family()) return false;
    if (one.family() == AF_INET) {
        const auto left = raw_of<sockaddr_in>(one);
        const auto right = raw_of<sockaddr_in>(other);
        return left.sin_port == right.sin_port && left.sin_addr.s_addr == right.sin_addr.s_addr;
    }
    if (one.family() != AF_INET6) return false;
    const auto left = raw_of<sockaddr_in6>(one);
    const auto right = raw_of<sockaddr_in6>(other);
    return left.sin6_port == right.sin6_port && left.sin6_scope_id == right.sin6_scope_id &&
           std::memcmp(&left.sin6_addr, &right.sin6_addr, sizeof(in6_addr)) == 0;
}

/// True for ::ffff:a.b.c.d, an IPv4 address in IPv6 form. tofu prints and uses it as IPv4.
inline bool is_v4_mapped(const in6_addr& host) noexcept {
    static constexpr unsigned char prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::memcmp(host.s6_addr, prefix, sizeof prefix) == 0;
}

inline in_addr mapped_v4(const in6_addr& host) noexcept {
    in_addr inner{};
    std::memcpy(&inner, host.s6_addr + 12, sizeof inner);
    return inner;
}

/// `scope` is a number or the name of an interface, NUL-terminated. Returns 0 for an unknown interface.
inline std::uint32_t scope_id(const char* scope) noexcept {
    const char* const last = scope + std::strlen(scope);
    std::uint32_t number = 0;
    const std::from_chars_result parsed = std::from_chars(scope, last, number);
    if (parsed.ec == std::errc{} && parsed.ptr == last) {
        return number;
    }
    return ::if_nametoindex(scope);
}

/// `text` is NUL-terminated; this function writes a NUL at the percent sign of the scope.
inline io_error v6_literal(char* text, std::uint16_t port, endpoint& out) noexcept {
    char* const percent = std::strchr(text, '%');
    if (percent != nullptr) {
        *percent = '\0';
    }
    in6_addr host{};
    if (::inet_pton(AF_INET6, text, &host) != 1) {
        return io_error{io_failure::name_required, 0};
    }
    std::uint32_t scope = 0;
    if (percent != nullptr) {
        scope = scope_id(percent + 1);
        if (scope == 0) {
            return io_error{io_failure::address_not_available, 0};
        }
    }
    out = detail::is_v4_mapped(host) ? detail::v4_endpoint(detail::mapped_v4(host), port)
                                     : detail::v6_endpoint(host, port, scope);
    return {};
}

inline io_error literal_endpoint(std::string_view host, std::uint16_t port, endpoint& out) noexcept {
    char text[INET6_ADDRSTRLEN + 1 + interface_name_room] = {};
    if (host.size() >= sizeof text) {
        return io_error{io_failure::name_required, 0};
    }
    std::memcpy(text, host.data(), host.size());
    in_addr v4{};
    if (::inet_pton(AF_INET, text, &v4) == 1) {
        out = detail::v4_endpoint(v4, port);
        return {};
    }
    return v6_literal(text, port, out);
}

// Abstract names exist outside of the file system and end with their last socket (unix(7)).
#if defined(__linux__)
inline constexpr bool has_abstract_names = true;
#else
inline constexpr bool has_abstract_names = false;
#endif

inline constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);

/// "@name" is an abstract name, in memory a zero byte and `name` without a terminator. Any other text is a path.
inline io_error path_endpoint(std::string_view path, endpoint& out) noexcept {
    sockaddr_un raw{};
    const bool abstract = path.front() == '@';
    if (abstract && !has_abstract_names) return io_error{io_failure::unsupported, family_not_supported};
    if (path.size() + (abstract ? 0 : 1) > sizeof raw.sun_path) return io_error{io_failure::other, name_too_long};
    raw.sun_family = AF_UNIX;
    std::memcpy(raw.sun_path, path.data(), path.size());
    if (abstract) raw.sun_path[0] = '\0';
    out = detail::endpoint_of(raw);
    out.length = static_cast<socklen_t>(path_offset + path.size() + (abstract ? 0 : 1));
    return {};
}

/// A Unix domain socket with a file.
inline bool is_path(const endpoint& where) noexcept {
    return where.family() == AF_UNIX && where.size() > path_offset && raw_of<sockaddr_un>(where).sun_path[0] != '\0';
}

/// Kind none for a socket that was never bound, such as most connecting sockets.
inline address path_address(const endpoint& from) noexcept {
    const auto raw = raw_of<sockaddr_un>(from);
    if (from.size() <= path_offset) return address();
    const std::size_t most = (std::min)(from.size(), sizeof raw) - path_offset;
    if (raw.sun_path[0] != '\0') return address(uds_address{{raw.sun_path, ::strnlen(raw.sun_path, most)}});
    if (!has_abstract_names) return address(); // Windows returns the full length with zeros
    char name[sizeof raw.sun_path];
    std::memcpy(name, raw.sun_path, most);
    name[0] = '@';
    return address(uds_address{{name, most}});
}

} // namespace detail

/// Converts an address without a look-up. Leaves `out` unchanged on an error. An IPv6 literal may have a scope, a
/// number or an interface ("fe80::1%eth0"). An empty host for listening means all interfaces of IPv6 and IPv4. A path
/// that begins with '@' is an abstract name. Any thread. Errors:
/// - name_required: the host is no literal;
/// - address_not_available: the interface is unknown, or the host is empty and not for listening;
/// - unsupported: the system has no abstract names, or the address has no kind;
/// - other (name_too_long): the path is too long for this system.
inline io_error to_endpoint(const address& from, bool for_listening, endpoint& out) noexcept {
    if (from.kind() == address_kind::uds) return detail::path_endpoint(from.path(), out);
    if (from.kind() != address_kind::tcp) return io_error{io_failure::unsupported, family_not_supported};
    const std::string_view host = from.host();
    if (!host.empty()) {
        return detail::literal_endpoint(host, from.port(), out);
    }
    if (!for_listening) {
        return io_error{io_failure::address_not_available, 0};
    }
    out = detail::v6_endpoint(in6addr_any, from.port(), 0);
    return {};
}

/// Converts an endpoint to an address. Prints a scope as its number, which stays right if the interface is renamed.
/// Kind none for an empty endpoint, an unknown family and an unnamed Unix domain socket. Any thread.
inline address to_address(const endpoint& from) noexcept {
    char text[INET6_ADDRSTRLEN + 1 + 10 + 1] = {};
    if (from.family() == AF_INET) {
        const auto raw = detail::raw_of<sockaddr_in>(from);
        ::inet_ntop(AF_INET, &raw.sin_addr, text, INET_ADDRSTRLEN);
        return address(tcp_address{text, ntohs(raw.sin_port)});
    }
    if (from.family() == AF_UNIX) return detail::path_address(from);
    if (from.family() != AF_INET6) {
        return address();
    }
    const auto raw = detail::raw_of<sockaddr_in6>(from);
    if (detail::is_v4_mapped(raw.sin6_addr)) {
        return to_address(detail::v4_endpoint(detail::mapped_v4(raw.sin6_addr), ntohs(raw.sin6_port)));
    }
    ::inet_ntop(AF_INET6, &raw.sin6_addr, text, INET6_ADDRSTRLEN);
    std::size_t length = std::strlen(text);
    if (raw.sin6_scope_id != 0) {
        text[length] = '%';
        const auto end = std::to_chars(text + length + 1, text + sizeof text, raw.sin6_scope_id).ptr;
        length = static_cast<std::size_t>(end - text);
    }
    return address(tcp_address{std::string_view(text, length), ntohs(raw.sin6_port)});
}

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_ENDPOINT_HPP
