// SPDX-License-Identifier: BSL-1.0
// The conversation on one connection, as a sans-I/O state machine. It judges incoming messages and gives the next
// action.
//
//                    connecting side                          accepting side
//
//     connected --> hello_request out                 hello_request in  (announced to the application)
//                   hello_response in, or  --> both:  <-- hello_response out
//                   a regular message          any
//                                              regular message
//     bye_request out, bye_response in, or the other way round, or two bye_requests that crossed: done
//     done: end our output, read and drop until the end of the stream (or until grace_time is over), close
//     bye_signal in: close at once
//
// A server may skip the hello_response, as Zig servers do. Its first regular message then opens the conversation, and
// one hello_response may still follow. A bye never opens the conversation.
#ifndef TOFU_ENGINE_PROTOCOL_CONVERSATION_HPP
#define TOFU_ENGINE_PROTOCOL_CONVERSATION_HPP

#include <tofu/binary_header.hpp>
#include <tofu/config.hpp>
#include <tofu/reason.hpp>
#include <tofu/status.hpp>

#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

/// One thread at a time. The loop reports events and asks `next` what to do.
class conversation {
public:
    enum class side : std::uint8_t { connecting, accepting };

    /// The next action of the loop.
    enum class action : std::uint8_t {
        nothing,    ///< wait for the next event
        end_output, ///< our direction is over: shut down writing, report `output_ended`
        mark_end,   ///< put the end_of_stream marker behind the group's messages, report `end_marked`
        close,      ///< end the channel, for `why`
        give_up     ///< end the channel, for the failure of our output
    };
    struct decision {
        action what = action::nothing;
        reason why = reason::none;
    };

    /// The decision about an incoming message, made as soon as its header is complete.
    struct verdict {
        status violated = status::success; ///< anything else: the peer broke the protocol, end this channel only
        bool deliver = true;               ///< false: the message is tolerated and dropped
        bool aborts = false;               ///< a bye_signal: end this channel, see reason_of_abort
    };

    explicit conversation(side whose) noexcept : side_(whose) {}

    /// Judges the header of an incoming message. `max_text` and `max_body` are the limits of this engine, in bytes.
    [[nodiscard]] verdict judge(const binary_header& h, std::uint16_t max_text, std::uint16_t max_body) const noexcept {
        if (!is_valid(h.op)) return {status::invalid_op_code};
        if (!travels(h.op)) return {status::invalid_op_code};
        if (h.origin == origin::engine) return {status::invalid_message};
        if (h.more && !is_regular(h.op)) return {status::invalid_more_usage};
        if (h.text_headers_length > max_text) return {status::invalid_headers_len};
        if (h.body_length > max_body) return {status::invalid_body_len};
        if (h.op == op_code::bye_signal) return {status::success, false, true}; // in every state
        if (!in_turn(h.op)) return {status::invalid_op_code};
        return {status::success, !done()}; // done: the late bye_response after byes that crossed
    }

    // Events.

    /// A message that judge() let pass is complete.
    void received(op_code op) noexcept {
        TOFU_ASSERT(in_turn(op));
        if (op == op_code::hello_request || op == op_code::hello_response) hello_received_ = true;
        if (hello_received_ || is_regular(op)) begun_ = true;
        if (op == op_code::bye_request) in_bye_ = bye::request;
        if (op == op_code::bye_response) in_bye_ = bye::response;
    }
    /// A message of our side enters the send queue. False: it came after our own bye, and has to go back.
    [[nodiscard]] bool queue(op_code op) noexcept {
        if (out_bye_ != bye::none) return false;
        if (op == op_code::bye_request) out_bye_ = bye::request;
        if (op == op_code::bye_response) out_bye_ = bye::response;
        return true;
    }
    /// A message of our side was handed to the kernel completely.
    void sent(op_code op) noexcept {
        TOFU_ASSERT(op != op_code::bye_request || out_bye_ == bye::request);
        TOFU_ASSERT(op != op_code::bye_response || out_bye_ == bye::response);
        if (op == op_code::bye_request || op == op_code::bye_response) out_bye_sent_ = true;
    }
    void input_ended() noexcept { input_ = stream::ended; }
    void input_failed() noexcept { input_ = stream::failed; }
    void output_ended() noexcept {
        TOFU_ASSERT(done());
        output_ = stream::ended;
    }
    void output_failed() noexcept { output_ = stream::failed; }
    void end_marked() noexcept {
        TOFU_ASSERT(input_ == stream::ended && !end_marked_);
        end_marked_ = true;
    }
    /// The application has received everything before the end_of_stream marker.
    void end_seen() noexcept {
        TOFU_ASSERT(end_marked_);
        end_seen_ = true;
    }

    // Questions.

    [[nodiscard]] side whose() const noexcept { return side_; }
    /// True when an incoming message with this operation opens the conversation for the connecting side.
    [[nodiscard]] bool opens(op_code op) const noexcept {
        return !begun_ && (op == op_code::hello_response || is_regular(op));
    }
    /// The reason if the peer's bye_signal ends the channel. After both byes it is `bye`.
    [[nodiscard]] reason reason_of_abort() const noexcept { return done() ? reason::bye : reason::peer_aborted; }
    [[nodiscard]] bool reads() const noexcept { return input_ == stream::open; }
    [[nodiscard]] bool writes() const noexcept { return output_ == stream::open; }
    [[nodiscard]] bool output_has_failed() const noexcept { return output_ == stream::failed; }
    [[nodiscard]] bool bye_queued() const noexcept { return out_bye_ != bye::none; }
    [[nodiscard]] bool end_was_seen() const noexcept { return end_seen_; }
    /// True: both byes are exchanged. No incoming message is delivered any more.
    [[nodiscard]] bool done() const noexcept {
        if (!out_bye_sent_) return false;
        return out_bye_ == bye::request ? in_bye_ != bye::none : in_bye_ == bye::request;
    }

    /// Returns the next action, after any event. `flushed`: the send queue is empty.
    [[nodiscard]] decision next(bool flushed) const noexcept {
        if (input_ == stream::failed) return {action::close, done() ? reason::bye : reason::peer_reset};
        if (done()) return next_when_done();
        // Still readable, also after a write error: read first, because reading may tell the cause. grace_time limits
        // that.
        if (input_ == stream::open) return {};
        if (output_ == stream::failed) return {action::give_up, reason::none};
        return next_after_end_of_stream(flushed);
    }

private:
    enum class bye : std::uint8_t { none, request, response };
    enum class stream : std::uint8_t { open, ended, failed };

    [[nodiscard]] decision next_when_done() const noexcept {
        if (input_ == stream::ended) return {action::close, reason::bye};
        if (output_ == stream::open) return {action::end_output, reason::none};
        return {}; // the peer has not closed yet: read and drop, for grace_time at most
    }

    /// The peer has half-closed, but still receives: our messages are sent before the channel ends.
    [[nodiscard]] decision next_after_end_of_stream(bool flushed) const noexcept {
        constexpr decision gone{action::close, reason::peer_disconnected};
        if (out_bye_ == bye::request)
            return out_bye_sent_ ? gone : decision{}; // no answer can come; send our bye first
        if (out_bye_ == bye::response) return {};     // send it, then we are done
        if (in_bye_ == bye::request) return {};       // the application owes the bye_response, within bye_time
        if (!begun_) return gone;                     // no hello was exchanged
        if (!end_marked_) return {action::mark_end, reason::none};
        if (!end_seen_) return {}; // the application has not received all messages before the end
        return flushed ? gone : decision{};
    }

    [[nodiscard]] static constexpr bool travels(op_code op) noexcept {
        return op != op_code::welcome_request && op != op_code::welcome_response;
    }

    /// True: the conversation allows this operation now.
    [[nodiscard]] bool in_turn(op_code op) const noexcept {
        const bool asked_for_bye = out_bye_ == bye::request && out_bye_sent_;
        if (in_bye_ == bye::response) return false; // nothing follows a bye_response
        if (in_bye_ == bye::request) return op == op_code::bye_response && asked_for_bye;
        if (op == op_code::bye_response) return asked_for_bye;
        if (side_ == side::accepting)
            return (op == op_code::hello_request) != hello_received_ && op != op_code::hello_response;
        return op != op_code::hello_request && !(op == op_code::hello_response && hello_received_);
    }

    side side_;
    bool hello_received_ = false; ///< true exactly when the hello_request (or hello_response) of the peer was received
    bool begun_ = false;          ///< true exactly when the peer's hello, or a regular message, was received
    bye in_bye_ = bye::none;      ///< the bye that the peer has sent
    bye out_bye_ = bye::none;     ///< the bye that entered our send queue
    bool out_bye_sent_ = false;   ///< true exactly when our bye was handed to the kernel
    stream input_ = stream::open;
    stream output_ = stream::open;
    bool end_marked_ = false; ///< true exactly when the end_of_stream marker was delivered to the group
    bool end_seen_ = false;   ///< true exactly when the application has received everything before the marker
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
