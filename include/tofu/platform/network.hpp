// SPDX-License-Identifier: BSL-1.0
// The network of the target system: sockets, endpoints and a resolver in one replaceable type.
//
// This header is open to policies outside of the library; see doc/writing-policies.md.

#ifndef TOFU_PLATFORM_NETWORK_HPP
#define TOFU_PLATFORM_NETWORK_HPP

#include <tofu/address.hpp>
#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/fwd.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/resolver.hpp>
#include <tofu/platform/socket.hpp>

#include <span>
#include <utility>

namespace tofu::inline TOFU_ABI::platform {

/// A resolver that knows no names. It completes at once, on the calling thread.
struct literals_only {
    template <class Resolution>
    void resolve(Resolution request) noexcept {
        request.complete(std::span<const endpoint>{}, io_error{io_failure::name_not_found, 0});
    }
};

/// Meets the contract in policies/concepts/network.hpp; the network_type of each shipped poller. I/O thread. `Resolver`
/// has the member template <class Resolution> void resolve(Resolution) noexcept. A Resolution is a movable handle with
///     std::string_view host() const; std::uint16_t port() const; bool for_listening() const;
///     bool still_wanted() const noexcept;
///     void complete(std::span<const endpoint>, io_error) noexcept;
/// The resolver calls complete() once, from any thread; only at shutdown it may drop the handle instead. Before that,
/// any thread may call still_wanted(). It returns false if nobody needs the answer any more.
template <class Resolver>
class network {
public:
    using socket = platform::socket;
    using endpoint = platform::endpoint;
    using resolver = Resolver;

    network() = default;
    explicit network(Resolver names) noexcept : resolver_(std::move(names)) {}

    /// See platform::socket::connect.
    socket connect(const endpoint& to, const socket_options& options, io_error& error) noexcept {
        return socket::connect(to, options, error);
    }

    /// See platform::socket::listen.
    socket listen(const endpoint& at, const socket_options& options, int backlog, io_error& error) noexcept {
        return socket::listen(at, options, backlog, error);
    }

    /// See platform::to_endpoint. After io_failure::name_required the engine calls resolve().
    io_error to_endpoint(const address& from, bool for_listening, endpoint& out) noexcept {
        return platform::to_endpoint(from, for_listening, out);
    }

    /// See platform::to_address.
    address to_address(const endpoint& from) noexcept { return platform::to_address(from); }

    /// Looks up the endpoints of a name without blocking; completes `request`.
    template <class Resolution>
    void resolve(Resolution request) noexcept {
        resolver_.resolve(std::move(request));
    }

private:
    Resolver resolver_;
};

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_NETWORK_HPP
