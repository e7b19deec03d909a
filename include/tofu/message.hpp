// SPDX-License-Identifier: BSL-1.0
// The message: binary header, text headers and body, and what the engine remembers about it while it travels.
#ifndef TOFU_MESSAGE_HPP
#define TOFU_MESSAGE_HPP

#include <tofu/address.hpp>
#include <tofu/binary_header.hpp>
#include <tofu/byte_buffer.hpp>
#include <tofu/config.hpp>
#include <tofu/detail/prefetch.hpp>
#include <tofu/detail/queue_node.hpp>
#include <tofu/options.hpp>
#include <tofu/reason.hpp>
#include <tofu/status.hpp>
#include <tofu/text_headers.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tofu::inline TOFU_ABI {

namespace engine {

class message_pool;
struct group_core;
struct routing_access;

/// The engine's notes on a message. In memory only, never on the wire, not for applications. Packed, so that a message
/// takes two cache lines.
struct message_route {
    static constexpr std::uint32_t generation_mask = 0xFFFFF;

    message_pool* home = nullptr;        ///< where the message returns to
    group_core* group = nullptr;         ///< the posting group, while the message is in the inbox
    std::uint32_t engine = 0;            ///< the engine that delivered this message; 0: none
    std::uint32_t generation : 20 = 0;   ///< of the channel that this message was delivered for
    std::uint32_t engine_status : 6 = 0; ///< the status that the engine put on this message; 0: none
    std::uint32_t explained : 1 = 0;     ///< true exactly when the engine added `cause` and the header `~reason`
    std::uint32_t credited : 1 = 0;      ///< counts against the receive credit
    std::uint32_t counted : 1 = 0;       ///< counts against the limit of messages alive
    std::uint16_t number = no_channel;   ///< of the channel that this message was delivered for
    reason cause_reason = reason::none;  ///< with `explained`: the parts of the cause
    status cause_code = status::success; ///< see cause_reason
    std::int32_t cause_os_code = 0;      ///< see cause_reason

    /// Why the channel ended; to be read only when `explained`.
    [[nodiscard]] tofu::cause cause() const noexcept { return {cause_reason, cause_code, cause_os_code}; }
    void explain(const tofu::cause& why) noexcept {
        explained = 1;
        cause_reason = why.why;
        cause_code = why.code;
        cause_os_code = why.os_code;
    }

    /// Notes the channel that this message is delivered for: an answer must not reach a later owner of its number.
    void bind(std::uint32_t to_engine, std::uint16_t to_number, std::uint32_t to_generation) noexcept {
        engine = to_engine;
        number = to_number;
        generation = to_generation & generation_mask;
    }

    // Marks: the status and the cause that an engine added. `post` removes them, so they are not sent to a peer.

    [[nodiscard]] bool has_marks() const noexcept { return (engine_status | explained) != 0; }
    void copy_marks(const message_route& other) noexcept {
        engine_status = other.engine_status;
        explained = other.explained;
        cause_reason = other.cause_reason;
        cause_code = other.cause_code;
        cause_os_code = other.cause_os_code;
    }
    void forget_marks() noexcept { engine_status = explained = 0; }
};

/// The marks of a message while they are set aside.
struct set_aside_marks {
    message_route route{};
    std::uint8_t status_byte = 0;
    bool has_reason = false; ///< the header `~reason` was there
};

} // namespace engine

/// One discrete message. Owned by exactly one `message_ptr` (or by the engine while it travels) and used by one thread
/// at a time. Nothing here throws; a lack of memory is a status. Aligned to lie in as few cache lines as can be.
class alignas(detail::cache_line_size) message : private detail::queue_node {
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

    /// Why the channel ended: set exactly on a goodbye and on a failed hello_response or welcome_response of the local
    /// engine. Read from the engine's own memory, never from the header `~reason`: no peer can fake it.
    [[nodiscard]] std::optional<cause> why() const noexcept {
        if (route_.explained == 0 || !from_engine()) return std::nullopt;
        return route_.cause();
    }

    /// Makes this a hello_request to `where`: the operation that connects. Text headers, body, message id and user
    /// pointer stay; what an engine added (its status, `~reason`) goes. So a hello that came back is ready for the next
    /// attempt. Errors: wrong_address (nobody can connect to it), invalid_headers_len, allocation_failed; the message
    /// is then as it was.
    [[nodiscard]] tofu::status connect_to(const address& where) noexcept {
        if (!connect_problem(where).empty()) return tofu::status::wrong_address;
        return set_address(op_code::hello_request, connect_to_header, where);
    }

    /// Makes this a welcome_request on `where`: the operation that listens. Errors as `connect_to`. The answer carries
    /// the address it listens on: the port that the system chose, a relative path as it is said here.
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
        route_.forget_marks();
    }

    /// Takes over header, text headers, body and user pointer of `other`, and what an engine added to it (see `why`),
    /// but not its place in the engine. False when memory is short: this message is empty then.
    [[nodiscard]] bool assign(const message& other) noexcept {
        reset();
        if (!headers_.assign_wire(other.headers_.wire()) || !body_.assign(other.body_.bytes())) {
            reset();
            return false;
        }
        header_ = other.header_;
        user_ = other.user_;
        route_.copy_marks(other.route_);
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
        if (done != tofu::status::success) return done;
        static_cast<void>(take_marks());
        header_.op = op;
        header_.channel_number = no_channel;
        header_.origin = origin::application;
        return tofu::status::success;
    }

    /// Takes off the engine's status, unless the application replaced it, and the engine's `~reason`.
    TOFU_COLD engine::set_aside_marks take_marks() noexcept {
        engine::set_aside_marks marks{.route = route_, .status_byte = header_.status_byte};
        if (header_.status_byte == route_.engine_status) header_.status_byte = 0;
        if (route_.explained != 0)
            marks.has_reason = headers_.erase_last(reason_header, to_text(route_.cause()).view());
        route_.forget_marks();
        return marks;
    }

    TOFU_COLD void put_marks(const engine::set_aside_marks& marks) noexcept {
        header_.status_byte = marks.status_byte;
        route_.copy_marks(marks.route);
        if (marks.has_reason) // cannot fail: its memory is still there
            static_cast<void>(headers_.append(reason_header, to_text(route_.cause()).view()));
    }

    binary_header header_;
    text_headers headers_;
    byte_buffer body_;
    void* user_ = nullptr;
    engine::message_route route_;
};

namespace engine {

/// The engine's key to the private side of a message.
struct routing_access {
    static message_route& route(message& m) noexcept { return m.route_; }
    static set_aside_marks take_marks(message& m) noexcept { return m.take_marks(); }
    static void put_marks(message& m, const set_aside_marks& marks) noexcept { m.put_marks(marks); }
    static detail::queue_node& node(message& m) noexcept { return m; }
    static message& from_node(detail::queue_node& node) noexcept { return static_cast<message&>(node); }
};

inline message_route& route_of(message& m) noexcept { return routing_access::route(m); }
inline detail::queue_node& node_of(message& m) noexcept { return routing_access::node(m); }
/// `node` must be of a kind that is a message (message, goodbye, pool_empty, end_of_stream).
inline message& message_of(detail::queue_node& node) noexcept { return routing_access::from_node(node); }

/// What belongs to this node will be read soon, by a thread that has not written it.
inline void prefetch_content(detail::queue_node& node) noexcept {
    if (node.kind == detail::node_kind::message) detail::prefetch_to_read(message_of(node).body().data());
}

} // namespace engine
} // namespace tofu::inline TOFU_ABI

#endif
