// SPDX-License-Identifier: BSL-1.0
// A bare socket of the system, for actions that the library's sockets never do: bind without listen, reset, block. The
// same calls on every system.
#ifndef TOFU_TEST_SUPPORT_BARE_SOCKET_HPP
#define TOFU_TEST_SUPPORT_BARE_SOCKET_HPP

#include <boost/test/unit_test.hpp>

#include <tofu/address.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/socket_api.hpp>

#if !defined(_WIN32)
#include <poll.h>
#include <unistd.h>
#endif

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace tofu_test {

/// Blocking; a stream. Everything must succeed, or the test ends.
class bare_socket {
public:
#if defined(_WIN32)
    using handle = SOCKET;
    static constexpr handle none = INVALID_SOCKET;
    using length_type = int;
#else
    using handle = int;
    static constexpr handle none = -1;
    using length_type = std::size_t;
#endif

    explicit bare_socket(int family) : bare_socket(owned{}, ::socket(family, SOCK_STREAM, 0)) {
        BOOST_REQUIRE(is_open());
    }
    bare_socket(bare_socket&& other) noexcept : handle_(std::exchange(other.handle_, none)) {}
    bare_socket& operator=(bare_socket&&) = delete;
    ~bare_socket() { close(); }

    [[nodiscard]] bool is_open() const { return handle_ != none; }
    [[nodiscard]] handle get() const { return handle_; }

    /// Binds without any option about other sockets at the address.
    void bind(const tofu::address& where) {
        tofu::platform::endpoint at;
        BOOST_REQUIRE(!tofu::platform::to_endpoint(where, true, at));
        BOOST_REQUIRE_EQUAL(::bind(handle_, at.data(), at.length), 0);
    }
    void listen(int backlog = 1) { BOOST_REQUIRE_EQUAL(::listen(handle_, backlog), 0); }
    [[nodiscard]] tofu::address where() const {
        tofu::platform::endpoint at;
        at.length = sizeof(at.storage);
        BOOST_REQUIRE_EQUAL(::getsockname(handle_, at.data(), &at.length), 0);
        return tofu::platform::to_address(at);
    }
    void connect(const tofu::address& where) {
        tofu::platform::endpoint to;
        BOOST_REQUIRE(!tofu::platform::to_endpoint(where, false, to));
        BOOST_REQUIRE_EQUAL(::connect(handle_, to.data(), to.length), 0);
    }
    [[nodiscard]] bare_socket accept() {
        bare_socket made(owned{}, ::accept(handle_, nullptr, nullptr));
        BOOST_REQUIRE(made.is_open());
        return made;
    }
    /// Reads a line, and returns it without its end.
    [[nodiscard]] std::string read_line() {
        std::string line;
        for (char next = 0; ::recv(handle_, &next, 1, 0) == 1 && next != '\n';) line.push_back(next);
        return line;
    }
    /// Returns the result of recv: a count, 0 at the end of the stream, negative for a failure.
    [[nodiscard]] long read() {
        std::array<char, 1> room{};
        return static_cast<long>(::recv(handle_, room.data(), room.size(), 0));
    }
    /// True: something can be read now, data or the end of the stream.
    [[nodiscard]] bool has_data() const {
        pollfd entry{};
        entry.fd = handle_;
        entry.events = POLLIN;
#if defined(_WIN32)
        return ::WSAPoll(&entry, 1, 0) == 1;
#else
        return ::poll(&entry, 1, 0) == 1;
#endif
    }
    /// Writes the whole text.
    void write(std::string_view text) {
        BOOST_REQUIRE(::send(handle_, text.data(), static_cast<length_type>(text.size()), 0) ==
                      static_cast<std::ptrdiff_t>(text.size()));
    }
    void close() {
        const handle mine = std::exchange(handle_, none);
        if (mine == none) return;
#if defined(_WIN32)
        ::closesocket(mine);
#else
        ::close(mine);
#endif
    }
    /// Ends the connection with a reset.
    void reset() {
        linger none_left{};
        none_left.l_onoff = 1;
        none_left.l_linger = 0;
        const auto* const value = reinterpret_cast<const char*>(&none_left);
        BOOST_REQUIRE_EQUAL(::setsockopt(handle_, SOL_SOCKET, SO_LINGER, value, sizeof(none_left)), 0);
        close();
    }

private:
    struct owned {};
    bare_socket(owned, handle made) noexcept : handle_(made) {}

    handle handle_;
};

} // namespace tofu_test

#endif
