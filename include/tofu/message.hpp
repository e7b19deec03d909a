// SPDX-License-Identifier: BSL-1.0
// The message: binary header, text headers and body, and the engine's notes about it.
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

/// The engine's notes about a message: in memory only, never on the wire, not for applications. Packed, so that a
/// message takes two cache lines.
struct message_route {
    static constexpr std::uint32_t generation_mask = 0xFFFFF;

    message_pool* home = nullptr;        ///< the pool to which the message returns
    group_core* group = nullptr;         ///< the posting group, while the message is in the inbox
    std::uint32_t engine = 0;            ///< the engine that delivered this message; 0: none
    std::uint32_t generation : 20 = 0;   ///< the generation of the channel for which the message was delivered
    std::uint32_t engine_status : 6 = 0; ///< the status that the engine put on this message; 0: none
    std::uint32_t explained : 1 = 0;     ///< true exactly when the engine added `cause` and the header `~reason`
    std::uint32_t credited : 1 = 0;      ///< true exactly when the message counts against the receive credit
    std::uint32_t counted : 1 = 0;       ///< true exactly when the message counts against the limit of living messages
    std::uint16_t number = no_channel;   ///< the channel for which the message was delivered
    reason cause_reason = reason::none;  ///< with `explained`: the parts of the cause
    status cause_code = status::success; ///< see cause_reason
    std::int32_t cause_os_code = 0;      ///< see cause_reason

    /// Why the channel ended. Only when `explained`.
    [[nodiscard]] tofu::cause cause() const noexcept { return {cause_reason, cause_code, cause_os_code}; }
    void explain(const tofu::cause& why) noexcept {
        explained = 1;
        cause_reason = why.why;
        cause_code = why.code;
        cause_os_code = why.os_code;
    }

    /// Notes the channel for which the message is delivered: an answer must not reach a later owner of the number.
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

/// One discrete message. Exactly one `message_ptr` owns it, or the engine while it travels. One thread at a time.
/// Nothing here throws; a lack of memory is a status. Messages come from basic_reactor::get; a message that the program
/// constructs itself belongs to no pool and must not get into a message_ptr.
class alignas(detail::cache_line_size) message : private detail::queue_node {
public:
    message() noexcept = default;
    message(const message&) = delete;
    message& operator=(const message&) = delete;

    /// Routing, operation, status and correlation id. `post` and the engine fill in the two length fields.
    [[nodiscard]] binary_header& header() noexcept { return header_; }
    [[nodiscard]] const binary_header& header() const noexcept { return header_; }

    /// The text headers. `post` refuses more than 65,535 bytes of them, or 65,471 in a hello_request or welcome_request
    /// (invalid_headers_len).
    [[nodiscard]] text_headers& headers() noexcept { return headers_; }
    [[nodiscard]] const text_headers& headers() const noexcept { return headers_; }

    /// The bytes of the application; the engine never looks into them. `post` refuses more than 65,535 of them
    /// (invalid_body_len).
    [[nodiscard]] byte_buffer& body() noexcept { return body_; }
    [[nodiscard]] const byte_buffer& body() const noexcept { return body_; }

    /// True: the local engine made this message, or gave it back. Check this before the status. A peer cannot make this
    /// true.
    [[nodiscard]] bool from_engine() const noexcept { return header_.origin == origin::engine; }
    [[nodiscard]] tofu::status status() const noexcept { return header_.status(); }
    [[nodiscard]] op_code op() const noexcept { return header_.op; }

    /// Why the channel ended. There is a value exactly on a goodbye, and on a failed hello_response or welcome_response
    /// of the local engine. The value is read from the engine's own memory, not from the header `~reason`, so no peer
    /// can fake it.
    [[nodiscard]] std::optional<cause> why() const noexcept {
        if (route_.explained == 0 || !from_engine()) return std::nullopt;
        return route_.cause();
    }

    /// Makes this message a hello_request to `where`: the operation that connects. Text headers, body, message id and
    /// user pointer stay. The engine's status and `~reason` are removed, so a hello that came back is ready for the
    /// next attempt. On an error the message is unchanged. Errors: wrong_address (it is not possible to connect there),
    /// invalid_headers_len, allocation_failed.
    [[nodiscard]] tofu::status connect_to(const address& where) noexcept;

    /// Makes this message a welcome_request on `where`: the operation that listens. The answer carries the address of
    /// the listener: the port that the system chose, or the path as given here. Errors as `connect_to`.
    [[nodiscard]] tofu::status listen_on(const address& where) noexcept;

    /// A pointer of the application. The engine keeps it with the message and never follows it, until `reset`.
    [[nodiscard]] void* user() const noexcept { return user_; }
    void user(void* pointer) noexcept { user_ = pointer; }

    /// Makes the message empty, as a message fresh from the pool. The buffers keep their memory.
    void reset() noexcept {
        header_ = binary_header{};
        headers_.clear();
        body_.clear();
        user_ = nullptr;
        route_.engine = 0;
        route_.forget_marks();
    }

    /// Copies header, text headers, body and user pointer of `other`, and the status and cause that an engine added
    /// (see `why`). The copy is bound to no channel. False: memory is short, and this message is empty.
    [[nodiscard]] bool assign(const message& other) noexcept;

    /// The number of bytes of this message on the wire.
    [[nodiscard]] std::size_t wire_size() const noexcept {
        return binary_header::wire_size + headers_.size_bytes() + body_.size();
    }

private:
    friend struct engine::routing_access;

    tofu::status set_address(op_code op, std::string_view name, const address& where) noexcept;

    /// Removes the engine's `~reason`, and the engine's status unless the application has replaced it.
    engine::set_aside_marks take_marks() noexcept;

    void put_marks(const engine::set_aside_marks& marks) noexcept;

    binary_header header_;
    text_headers headers_;
    byte_buffer body_;
    void* user_ = nullptr;
    engine::message_route route_;
};

namespace engine {

/// Gives the engine access to the private members of a message.
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

/// Prefetches the body of a message that another thread has written.
inline void prefetch_content(detail::queue_node& node) noexcept {
    if (node.kind == detail::node_kind::message) detail::prefetch_to_read(message_of(node).body().data());
}

} // namespace engine
} // namespace tofu::inline TOFU_ABI

#if !TOFU_COMPILED
#include <tofu/impl/message.hpp>
#endif

#endif
