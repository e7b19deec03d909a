// SPDX-License-Identifier: BSL-1.0
// The simulated network as the engine sees it: sockets, endpoints and a resolver.
#ifndef TOFU_POLICIES_POLL_SIMULATION_NETWORK_HPP
#define TOFU_POLICIES_POLL_SIMULATION_NETWORK_HPP

#include <tofu/address.hpp>
#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/policies/poll/simulation/endpoint.hpp>
#include <tofu/policies/poll/simulation/socket.hpp>

#include <utility>

namespace tofu::inline TOFU_ABI::simulation {

/// The network of a simulated poller. Meets the contract in policies/concepts/network.hpp. A handle: copies refer to
/// the same network. One thread at a time.
class network {
public:
    using socket = simulation::socket;
    using endpoint = simulation::endpoint;

    explicit network(engine::ref<universe> below) noexcept : universe_(std::move(below)) {}

    [[nodiscard]] socket connect(const endpoint& to, const socket_options&, io_error& error) noexcept {
        return hold(universe_->connect(to, error));
    }
    [[nodiscard]] socket listen(const endpoint& at, const socket_options&, int backlog, io_error& error) noexcept {
        return hold(universe_->listen(at, backlog, error));
    }
    [[nodiscard]] io_error to_endpoint(const address& from, bool for_listening, endpoint& out) noexcept {
        return simulation::to_endpoint(from, for_listening, out);
    }
    [[nodiscard]] address to_address(const endpoint& from) noexcept { return simulation::to_address(from); }

    template <class Resolution>
    void resolve(Resolution request) noexcept {
        const auto [asked, after] = universe_->names.ask(std::move(request));
        if (asked != nullptr) universe_->schedule(after, {.what = event::kind::answer, .question = asked});
    }

private:
    [[nodiscard]] socket hold(socket_id id) noexcept { return id == 0 ? socket() : socket(universe_, id); }

    engine::ref<universe> universe_;
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
