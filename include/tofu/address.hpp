// SPDX-License-Identifier: BSL-1.0
// The address of a peer or a listener: tcp|HOST|PORT and uds|PATH as a value and as text, and the reason why a text is
// no address.

#ifndef TOFU_ADDRESS_HPP
#define TOFU_ADDRESS_HPP

#include <tofu/config.hpp>
#include <tofu/status.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tofu::inline TOFU_ABI {

/// The kind of an address: none, a TCP endpoint or a Unix domain socket.
enum class address_kind : std::uint8_t { none, tcp, uds };

/// The longest host: the longest name of DNS (RFC 1035, section 2.3.4, without the final dot).
inline constexpr std::size_t max_host_length = 253;
/// The longest path: sun_path of Linux and Windows has 108 bytes, and one is for the terminating zero (unix(7)).
/// Systems with less refuse longer paths when the socket is made.
inline constexpr std::size_t max_path_length = 107;

/// A view of a TCP endpoint, from which an address is made: tcp_address{"127.0.0.1", 7099}. The host is an IPv4 or IPv6
/// literal (without brackets) or a name. An empty host of a listener means every interface. With port 0 of a listener
/// the system chooses the port. If the last label of the host is a number, the host must be an IPv4 literal: four
/// decimal numbers without leading zeros. Resolvers also read "127.1", "0177.0.0.1" and "2130706433" as 127.0.0.1. tofu
/// refuses such hosts, so that an address filter and the system never read the same text as different addresses. The
/// last label of a host name is never all digits (RFC 1123, section 2.1); the rule is that of the WHATWG URL standard,
/// "ends in a number".
struct tcp_address {
    std::string_view host{};
    std::uint16_t port = 0;
};

/// A view of the path of a Unix domain socket, from which an address is made: uds_address{"/run/service.sock"}. On
/// Linux "@name" is an abstract name: it has no file, and is free again when its listener is gone. The file "@name" is
/// "./@name".
struct uds_address {
    std::string_view path{};
};

namespace detail {

inline constexpr std::string_view tcp_scheme = "tcp";
inline constexpr std::string_view uds_scheme = "uds";

constexpr bool is_control(char character) noexcept {
    const auto code = static_cast<unsigned char>(character);
    return code < 0x20 || code == 0x7f;
}

/// True if `is_one` holds for every character. Replaces std::all_of, because <algorithm>
/// takes long to compile.
constexpr bool all_are(std::string_view text, bool (*is_one)(char) noexcept) noexcept {
    for (const char character : text)
        if (!is_one(character)) return false;
    return true;
}

constexpr bool is_digit(char character) noexcept { return character >= '0' && character <= '9'; }

constexpr bool is_hex_digit(char character) noexcept {
    return is_digit(character) || (character >= 'a' && character <= 'f') || (character >= 'A' && character <= 'F');
}

/// 0 to 255, in decimal, without a leading zero.
constexpr bool is_octet(std::string_view text) noexcept {
    if (text.empty() || text.size() > 3 || !all_are(text, is_digit)) return false;
    if (text.size() == 3 && text > "255") return false;
    return text.size() == 1 || text.front() != '0';
}

/// Four octets with dots between them, as inet_pton accepts them for IPv4.
constexpr bool is_v4_literal(std::string_view text) noexcept {
    for (int octet = 0; octet != 3; ++octet) {
        const std::size_t dot = text.find('.');
        if (dot == std::string_view::npos || !is_octet(text.substr(0, dot))) return false;
        text.remove_prefix(dot + 1);
    }
    return is_octet(text);
}

/// RFC 4291, section 2.2, without a scope, as inet_pton accepts it for IPv6.
constexpr bool is_v6_literal(std::string_view text) noexcept {
    constexpr std::size_t all_groups = 8;
    std::size_t groups = 0;
    bool has_gap = text.starts_with("::");
    if (has_gap) text.remove_prefix(2);
    if (has_gap && text.empty()) return true;
    for (;;) {
        const std::size_t colon = text.find(':');
        const std::string_view group = text.substr(0, colon);
        const bool is_last = colon == std::string_view::npos;
        const bool is_v4 = is_last && is_v4_literal(group);
        if (!is_v4 && (group.empty() || group.size() > 4 || !all_are(group, is_hex_digit))) return false;
        groups += is_v4 ? 2 : 1;
        text.remove_prefix(is_last ? text.size() : colon + 1);
        const bool gap_follows = !is_last && text.starts_with(':');
        if (gap_follows && has_gap) return false;
        if (gap_follows) text.remove_prefix(1);
        has_gap = has_gap || gap_follows;
        if (is_last || (gap_follows && text.empty())) return has_gap ? groups < all_groups : groups == all_groups;
    }
}

/// True if the last label is a number in decimal or, after 0x, in hexadecimal; a final dot does not count.
constexpr bool ends_in_number(std::string_view host) noexcept {
    if (host.ends_with('.')) host.remove_suffix(1);
    std::string_view label = host.substr(host.rfind('.') + 1);
    if (label.empty()) return false;
    const bool is_hex = label.starts_with("0x") || label.starts_with("0X");
    if (is_hex) label.remove_prefix(2);
    return all_are(label, is_hex ? is_hex_digit : is_digit);
}

/// The reason why this cannot be a host. Empty: it can.
constexpr std::string_view host_problem(std::string_view host) noexcept {
    if (host.size() > max_host_length) return "The host is longer than 253 characters.";
    for (const char character : host) {
        if (character == ' ' || character == '\t') return "The host contains a blank.";
        if (is_control(character)) return "The host contains a control character.";
        if (character == '|') return "The host contains a '|'; the form is tcp|HOST|PORT.";
        if (character == '[' || character == ']') return "The host contains a bracket; IPv6 literals are written bare.";
    }
    if (host.find(':') != std::string_view::npos) {
        if (!is_v6_literal(host.substr(0, host.find('%')))) return "The host contains a ':' and is no IPv6 literal.";
    } else if (ends_in_number(host) && !is_v4_literal(host)) {
        return "The last part of the host is a number, so the host must be an IPv4 literal, such as 127.0.0.1.";
    }
    return {};
}

/// The reason why this cannot be a path. Empty: it can. A path that a text header cannot carry is refused as well: one
/// that contains a line end, or ends with a blank.
constexpr std::string_view path_problem(std::string_view path) noexcept {
    if (path.empty()) return "The path is empty.";
    if (path == "@") return "The abstract name is empty.";
    if (path.size() > max_path_length) return "The path is longer than 107 bytes.";
    for (const char character : path) {
        if (character == '\0') return "The path contains a zero byte.";
        if (character == '\r' || character == '\n') return "The path contains a line end.";
        if (character == '|') return "The path contains a '|'; the form is uds|PATH.";
    }
    if (path.back() == ' ' || path.back() == '\t') return "The path ends with a blank.";
    return {};
}

} // namespace detail

/// An address as a value: trivially copyable, stored inline. Nothing is allocated or resolved. Its views live as long
/// as the address.
class address {
public:
    /// No address.
    constexpr address() noexcept = default;

    /// Copies the host. A host that is not allowed (see parse_address) gives an address of kind none.
    constexpr address(const tcp_address& endpoint) noexcept {
        if (detail::host_problem(endpoint.host).empty()) store(address_kind::tcp, endpoint.host, endpoint.port);
    }

    /// Copies the path. A path that is not allowed (see parse_address) gives an address of kind none.
    constexpr address(const uds_address& socket) noexcept {
        if (detail::path_problem(socket.path).empty()) store(address_kind::uds, socket.path, 0);
    }

    [[nodiscard]] constexpr address_kind kind() const noexcept { return kind_; }

    /// True unless the kind is none.
    [[nodiscard]] constexpr bool valid() const noexcept { return kind_ != address_kind::none; }

    /// The host of a TCP address, else empty.
    [[nodiscard]] constexpr std::string_view host() const noexcept { return text_if(address_kind::tcp); }

    /// The path of a Unix domain socket, else empty.
    [[nodiscard]] constexpr std::string_view path() const noexcept { return text_if(address_kind::uds); }

    /// The port of a TCP address in the machine's own byte order, else 0.
    [[nodiscard]] constexpr std::uint16_t port() const noexcept { return port_; }

    /// Compares kind and text. Names are not resolved and not normalised.
    friend constexpr bool operator==(const address& left, const address& right) noexcept {
        return left.kind_ == right.kind_ && left.port_ == right.port_ && left.text() == right.text();
    }

private:
    constexpr void store(address_kind kind, std::string_view text, std::uint16_t port) noexcept {
        size_ = static_cast<std::uint8_t>(text.copy(text_.data(), text_.size()));
        port_ = port;
        kind_ = kind;
    }

    [[nodiscard]] constexpr std::string_view text() const noexcept { return {text_.data(), size_}; }

    [[nodiscard]] constexpr std::string_view text_if(address_kind wanted) const noexcept {
        return kind_ == wanted ? text() : std::string_view();
    }

    std::array<char, max_host_length> text_{};
    std::uint8_t size_ = 0;
    std::uint16_t port_ = 0;
    address_kind kind_ = address_kind::none;
};

static_assert(max_host_length <= 255 && max_path_length <= max_host_length, "size_ and text_ hold either text");

class address_text;

/// The text of an address, as the text headers ~connect_to and ~listen_on carry it: tcp|HOST|PORT or uds|PATH. Empty:
/// no address. Any thread.
[[nodiscard]] TOFU_FUNCTION address_text to_text(const address& from) noexcept;

/// The text of an address, stored in this object. Views of it live as long as the object.
class address_text {
public:
    [[nodiscard]] std::string_view view() const noexcept { return {buffer_.data(), size_}; }

private:
    friend address_text to_text(const address&) noexcept;

    void append(std::string_view part) noexcept { size_ += part.copy(buffer_.data() + size_, buffer_.size() - size_); }

    void append(std::uint16_t number) noexcept;

    // "tcp|" + the longest host + "|65535" is 263 bytes.
    std::array<char, 264> buffer_{};
    std::size_t size_ = 0;
};

/// The result of parse_address: the address, status success and an empty problem; or no address, wrong_address, and one
/// sentence (static storage) that says what is wrong.
struct parsed_address {
    address value{};
    tofu::status status = tofu::status::success;
    std::string_view problem{};
};

namespace detail {

constexpr parsed_address wrong_address(std::string_view problem) noexcept {
    return parsed_address{address(), status::wrong_address, problem};
}

struct parsed_port {
    std::uint16_t value = 0;
    std::string_view problem{};
};

constexpr parsed_port parse_port(std::string_view text) noexcept {
    if (text.empty()) return {0, "The port is missing; the form is tcp|HOST|PORT."};
    for (const char character : text) {
        if (!is_digit(character)) return {0, "The port is not a decimal number."};
    }
    if (text.size() > 1 && text.front() == '0') return {0, "The port has a leading zero."};
    std::uint32_t value = 0;
    for (const char character : text) {
        value = value * 10 + static_cast<std::uint32_t>(character - '0');
        if (value > 65535) return {0, "The port is above 65535."};
    }
    return {static_cast<std::uint16_t>(value), {}};
}

// The LAST bar ends the host, so that a bar within the host gets its own error sentence.
constexpr parsed_address parse_tcp(std::string_view rest) noexcept {
    const std::size_t bar = rest.rfind('|');
    if (bar == std::string_view::npos) return wrong_address("The port is missing; the form is tcp|HOST|PORT.");
    const std::string_view host = rest.substr(0, bar);
    if (const std::string_view problem = host_problem(host); !problem.empty()) return wrong_address(problem);
    const parsed_port port = parse_port(rest.substr(bar + 1));
    if (!port.problem.empty()) return wrong_address(port.problem);
    return parsed_address{address(tcp_address{host, port.value}), status::success, {}};
}

constexpr parsed_address parse_uds(std::string_view path) noexcept {
    if (const std::string_view problem = path_problem(path); !problem.empty()) return wrong_address(problem);
    return parsed_address{address(uds_address{path}), status::success, {}};
}

} // namespace detail

/// Parses an address. The text must be exactly tcp|HOST|PORT or uds|PATH: no blanks around it, a lower-case scheme, a
/// decimal port. Any bytes may be given. Any thread.
[[nodiscard]] constexpr parsed_address parse_address(std::string_view text) noexcept {
    if (text.empty()) return detail::wrong_address("The address is empty.");
    const std::size_t bar = text.find('|');
    if (bar == std::string_view::npos) {
        return detail::wrong_address("The address has no '|'; the form is tcp|HOST|PORT or uds|PATH.");
    }
    const std::string_view scheme = text.substr(0, bar);
    const std::string_view rest = text.substr(bar + 1);
    if (scheme == detail::tcp_scheme) return detail::parse_tcp(rest);
    if (scheme == detail::uds_scheme) return detail::parse_uds(rest);
    return detail::wrong_address("The address has an unknown scheme; it must be tcp or uds.");
}

/// The reason why it is not possible to connect to an address: one sentence (static storage). Empty: it is possible. An
/// address that is refused here may still be valid for a listener. Any thread.
[[nodiscard]] constexpr std::string_view connect_problem(const address& to) noexcept {
    if (!to.valid()) return "There is no address to connect to.";
    if (to.kind() == address_kind::uds) return {};
    if (to.host().empty()) return "One can not connect to an empty host.";
    if (to.port() == 0) return "One can not connect to port 0.";
    return {};
}

} // namespace tofu::inline TOFU_ABI

#if !TOFU_COMPILED
#include <tofu/impl/address.hpp>
#endif

#endif // TOFU_ADDRESS_HPP
