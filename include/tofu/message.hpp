// SPDX-License-Identifier: BSL-1.0
// The message: binary header, text headers and body, and what the engine remembers about it while it travels.
#ifndef TOFU_MESSAGE_HPP
#define TOFU_MESSAGE_HPP

#include <tofu/address.hpp>
#include <tofu/binary_header.hpp>
#include <tofu/byte_buffer.hpp>
#include <tofu/options.hpp>
#include <tofu/prefetch.hpp>
#include <tofu/queue_node.hpp>
#include <tofu/reason.hpp>
#include <tofu/status.hpp>
#include <tofu/text_headers.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tofu {

namespace engine {
class message_pool;
struct group_core;
struct routing_access;
} // namespace engine

/// What the engine notes on a message while it travels. In memory only, never on the wire, not for applications.
struct message_route {
    engine::message_pool* home = nullptr; ///< where the message returns to
    engine::group_core* group = nullptr;  ///< the posting group, while the message is in the inbox
    std::uint64_t engine = 0;             ///< that this message was received from; 0: none
    std::uint32_t generation = 0;         ///< of the channel this message was received on
    std::uint16_t number = no_channel;    ///< of the channel this message was received on
    bool credited = false;                ///< counts against the receive credit
    bool counted = false;                 ///< counts against the limit of messages alive
};

/// One discrete message. Owned by exactly one `message_ptr` (or by the engine while it travels) and used by one thread
/// at a time. Nothing here throws; a lack of memory is a status. Aligned to lie in as few cache lines as can be.
class alignas(cache_line_size) message : private queue_node {
public:
    message() noexcept = default;
    message(const message&) = delete;
    message& operator=(const message&) = delete;

    /// Routing, kind, status and correlation id. The two length fields are filled in by `post` and by the engine.
    [[nodiscard]] binary_header& header() noexcept { return header_; }
    [[nodiscard]] const binary_header& header() const noexcept { return header_; }

    [[nodiscard]] text_headers& headers() noexcept { return headers_; }
    [[nodiscard]] const text_headers& headers() const noexcept { return headers_; }

    /// Bytes the engine never looks into; `post` refuses more than 65,535 of them (invalid_body_len).
    [[nodiscard]] byte_buffer& body() noexcept { return body_; }
    [[nodiscard]] const byte_buffer& body() const noexcept { return body_; }

    /// True when the local engine made this message (or gave it back). Check it before the status: a peer cannot set
    /// it.
    [[nodiscard]] bool from_engine() const noexcept { return header_.origin == origin::engine; }
    [[nodiscard]] tofu::status status() const noexcept { return header_.status(); }
    [[nodiscard]] op_code op() const noexcept { return header_.op; }

    /// Why the engine ended a channel, from the header `~reason`; nothing when there is none or it is not one of ours.
    [[nodiscard]] std::optional<cause> why() const noexcept { return parse_reason(headers_.find(reason_header)); }

    /// Makes this a hello_request to `where`: the operation that connects. Refuses what nobody can connect to
    /// (wrong_address); allocation_failed leaves the message as it was.
    [[nodiscard]] tofu::status connect_to(const address& where) noexcept {
        if (!connect_problem(where).empty()) return tofu::status::wrong_address;
        return set_address(op_code::hello_request, connect_to_header, where);
    }

    /// Makes this a welcome_request on `where`: the operation that listens. Errors as `connect_to`.
    [[nodiscard]] tofu::status listen_on(const address& where) noexcept {
        if (!where.valid()) return tofu::status::wrong_address;
        return set_address(op_code::welcome_request, listen_on_header, where);
    }

    /// A pointer the engine carries along and never follows. It stays with the message until `reset`.
    [[nodiscard]] void* user() const noexcept { return user_; }
    void user(void* pointer) noexcept { user_ = pointer; }

    /// Empty again, as a message fresh from the pool; buffers keep their memory.
    void reset() noexcept {
        header_ = binary_header{};
        headers_.clear();
        body_.clear();
        user_ = nullptr;
        route_.engine = 0;
    }

    /// Takes over header, text headers, body and user pointer of `other`, not its place in the engine.
    /// False when memory is short: this message is empty then.
    [[nodiscard]] bool assign(const message& other) noexcept {
        reset();
        if (!headers_.assign_wire(other.headers_.wire()) || !body_.assign(other.body_.bytes())) {
            reset();
            return false;
        }
        header_ = other.header_;
        user_ = other.user_;
        return true;
    }

    /// Bytes this message takes on the wire.
    [[nodiscard]] std::size_t wire_size() const noexcept {
        return binary_header::wire_size + headers_.size_bytes() + body_.size();
    }

private:
    friend struct engine::routing_access;

    tofu::status set_address(op_code op, std::string_view name, const address& where) noexcept {
        const tofu::status done = headers_.set(name, to_text(where).view());
        if (done == tofu::status::success) {
            header_.op = op;
            header_.channel_number = no_channel;
        }
        return done;
    }

    binary_header header_;
    text_headers headers_;
    byte_buffer body_;
    void* user_ = nullptr;
    message_route route_;
};

namespace engine {

/// The engine's key to the private side of a message.
struct routing_access {
    static message_route& route(message& m) noexcept { return m.route_; }
    static queue_node& node(message& m) noexcept { return m; }
    static message& from_node(queue_node& node) noexcept { return static_cast<message&>(node); }
};

inline message_route& route_of(message& m) noexcept { return routing_access::route(m); }
inline queue_node& node_of(message& m) noexcept { return routing_access::node(m); }
/// `node` must be of a kind that is a message (message, goodbye, pool_empty, end_of_stream).
inline message& message_of(queue_node& node) noexcept { return routing_access::from_node(node); }

/// What belongs to this node will be read soon, by a thread that has not written it.
inline void prefetch_content(queue_node& node) noexcept {
    if (node.kind == node_kind::message) prefetch_to_read(message_of(node).body().data());
}

} // namespace engine
} // namespace tofu

#endif
