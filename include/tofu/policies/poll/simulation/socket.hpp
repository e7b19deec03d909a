// SPDX-License-Identifier: BSL-1.0
// A simulated socket, with the contract of the real one.
#ifndef TOFU_POLICIES_POLL_SIMULATION_SOCKET_HPP
#define TOFU_POLICIES_POLL_SIMULATION_SOCKET_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/policies/poll/simulation/universe.hpp>
#include <tofu/stats.hpp>

#include <cstddef>
#include <span>
#include <utility>

namespace tofu::inline TOFU_ABI::simulation {

/// A listener or a connection. Meets the contract in policies/concepts/network.hpp. Move-only; closes in its
/// destructor.
class socket {
public:
    /// Not open.
    socket() noexcept = default;
    socket(engine::ref<universe> below, socket_id id) noexcept : universe_(std::move(below)), id_(id) {}
    socket(socket&& other) noexcept : universe_(std::move(other.universe_)), id_(std::exchange(other.id_, 0)) {}
    socket& operator=(socket&& other) noexcept {
        close();
        universe_ = std::move(other.universe_);
        id_ = std::exchange(other.id_, 0);
        return *this;
    }
    ~socket() { close(); }

    [[nodiscard]] bool is_open() const noexcept { return id_ != 0; }
    /// The socket's number in its world; 0 if not open.
    [[nodiscard]] socket_id id() const noexcept { return id_; }

    /// The lowest number that no open socket of its world had, from 0; -1 if not open. Free again when it is closed.
    [[nodiscard]] int native_handle() const noexcept { return id_ == 0 ? -1 : universe_->at(id_).handle; }

    [[nodiscard]] io_error finish_connect() noexcept { return universe_->finish_connect(id_); }
    [[nodiscard]] socket accept(const socket_options&, io_error& error) noexcept {
        const socket_id accepted = universe_->accept(id_, error);
        return accepted == 0 ? socket() : socket(universe_, accepted);
    }
    [[nodiscard]] io_result read(std::span<const mutable_buffer> into) noexcept { return universe_->read(id_, into); }
    [[nodiscard]] io_result write(std::span<const const_buffer> from) noexcept { return universe_->write(id_, from); }
    [[nodiscard]] std::size_t available() noexcept { return universe_->at(id_).in.unread(); }
    io_error shutdown_write() noexcept { return universe_->shutdown_write(id_); }
    void close() noexcept {
        if (id_ != 0) universe_->close(std::exchange(id_, 0));
    }
    void abort() noexcept {
        if (id_ != 0) universe_->abort(std::exchange(id_, 0));
    }
    [[nodiscard]] endpoint local_endpoint() const noexcept { return id_ == 0 ? endpoint{} : universe_->at(id_).local; }
    /// Always unknown.
    [[nodiscard]] peer_credentials peer_identity() const noexcept { return {}; }
    [[nodiscard]] endpoint peer_endpoint() const noexcept { return id_ == 0 ? endpoint{} : universe_->at(id_).peer; }

private:
    engine::ref<universe> universe_;
    socket_id id_ = 0;
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
