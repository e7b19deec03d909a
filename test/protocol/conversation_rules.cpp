// SPDX-License-Identifier: BSL-1.0
// Tests of the conversation's state machine against tables written from the protocol: a peer's legal messages in each
// state, and the next state.
#include <boost/test/unit_test.hpp>

#include <tofu/engine/protocol/conversation.hpp>

#include <string>
#include <string_view>
#include <vector>

using conversation = tofu::engine::conversation;
using side = conversation::side;
using action = conversation::action;
using tofu::op_code;
using tofu::status;

namespace {

/// Operations by letter: q request, r response, s signal, h and H hello_request and _response, b and B bye_request and
/// _response.
constexpr std::string_view letters = "qrshHbB";

/// The history so far: a letter of `letters` for a received message, "<x" for one queued, "<x!" for one sent;
/// E and F the input ended or failed, e and f the output did, m the end was marked, v it was seen.
conversation after(side whose, std::string_view history) {
    conversation c(whose);
    for (std::size_t i = 0; i < history.size(); ++i) {
        switch (history[i]) {
        case 'E': c.input_ended(); break;
        case 'F': c.input_failed(); break;
        case 'e': c.output_ended(); break;
        case 'f': c.output_failed(); break;
        case 'm': c.end_marked(); break;
        case 'v': c.end_seen(); break;
        case '<': {
            const auto op = static_cast<op_code>(letters.find(history[++i]));
            BOOST_REQUIRE(c.queue(op));
            if (i + 1 < history.size() && history[i + 1] == '!') {
                c.sent(op);
                ++i;
            }
            break;
        }
        default: c.received(static_cast<op_code>(letters.find(history[i])));
        }
    }
    return c;
}

struct state {
    side whose;
    std::string_view history;
    std::string_view allowed;        ///< and delivered
    std::string_view tolerated = ""; ///< allowed, and dropped
};

// The protocol's list of violations, state by state.
const std::vector<state>& states() {
    static const std::vector<state> all{
        // Anything but a hello_request as the first message of an accepted connection.
        {side::accepting, "", "h"},
        // A hello_request anywhere else; a hello_response to the accepting side; a bye_response nobody asked for.
        {side::accepting, "h", "qrsb"},
        {side::accepting, "h<H!", "qrsb"},
        {side::accepting, "hqrs<q!", "qrsb"},
        {side::accepting, "h<H!<b", "qrsb"}, // asked, but the peer cannot know yet
        {side::accepting, "h<H!<b!", "qrsbB"},
        {side::accepting, "h<b!", "qrsbB"}, // refused without a hello_response
        // Anything after bye_request but a bye_response, and that only when asked for: two byes crossed.
        {side::accepting, "h<H!b", ""},
        {side::accepting, "h<H!<bb", ""},
        {side::accepting, "h<H!<b!b", "", "B"},
        {side::accepting, "h<H!b<B", ""},
        {side::accepting, "h<H!b<B!", ""},
        // Anything after a bye_response, the one of two crossed byes included.
        {side::accepting, "h<H!<b!B", ""},
        {side::accepting, "h<H!<b!bB", ""},
        // The accepting side may begin with a hello_response, a regular message or a bye_request; with a bye_response
        // if it was asked for.
        {side::connecting, "<h!", "qrsHb"},
        {side::connecting, "<h!<q!", "qrsHb"},
        {side::connecting, "<h!<b", "qrsHb"},
        {side::connecting, "<h!<b!", "qrsHbB"},
        // One hello_response may follow a regular message.
        {side::connecting, "<h!q", "qrsHb"},
        {side::connecting, "<h!sr<q!", "qrsHb"},
        {side::connecting, "<h!r<b!", "qrsHbB"},
        {side::connecting, "<h!qH", "qrsb"},
        {side::connecting, "<h!qHq", "qrsb"},
        {side::connecting, "<h!qb", ""},
        {side::connecting, "<h!<b!B", ""},
        // A second hello_response, and as above.
        {side::connecting, "<h!H", "qrsb"},
        {side::connecting, "<h!Hqrs", "qrsb"},
        {side::connecting, "<h!H<b", "qrsb"},
        {side::connecting, "<h!H<b!", "qrsbB"},
        {side::connecting, "<h!Hb", ""},
        {side::connecting, "<h!b", ""},
        {side::connecting, "<h!b<B!", ""},
        {side::connecting, "<h!<b!b", "", "B"},
        {side::connecting, "<h!H<bb", ""},
        {side::connecting, "<h!H<b!b", "", "B"},
        {side::connecting, "<h!Hb<B", ""},
        {side::connecting, "<h!Hb<B!", ""},
        {side::connecting, "<h!H<b!B", ""},
        {side::connecting, "<h!H<b!bB", ""},
    };
    return all;
}

std::string name_of(const state& s) {
    return std::string(s.whose == side::accepting ? "accepting" : "connecting") + " after '" + std::string(s.history) +
           "'";
}

conversation::verdict check(const conversation& c, const tofu::binary_header& h) { return c.judge(h, 65535, 65535); }

} // namespace

BOOST_AUTO_TEST_SUITE(conversation_rules)

BOOST_AUTO_TEST_CASE(a_whole_conversation_is_no_violation) {
    conversation client(side::connecting);
    BOOST_TEST(client.queue(op_code::hello_request));
    client.sent(op_code::hello_request);
    for (const op_code op : {op_code::hello_response, op_code::request, op_code::response, op_code::signal}) {
        BOOST_TEST((check(client, {.op = op}).violated == status::success));
        client.received(op);
    }
    BOOST_TEST(client.queue(op_code::bye_request));
    client.sent(op_code::bye_request);
    BOOST_TEST((check(client, {.op = op_code::bye_response}).violated == status::success));
    client.received(op_code::bye_response);
    BOOST_TEST(client.done());
}

BOOST_AUTO_TEST_CASE(every_operation_is_allowed_or_a_violation_in_every_state) {
    for (const state& s : states()) {
        const conversation c = after(s.whose, s.history);
        for (std::size_t i = 0; i < letters.size(); ++i) {
            BOOST_TEST_CONTEXT(name_of(s) << ", " << to_string(static_cast<op_code>(i))) {
                const auto verdict = check(c, {.op = static_cast<op_code>(i)});
                const bool delivered = s.allowed.find(letters[i]) != std::string_view::npos;
                const bool dropped = s.tolerated.find(letters[i]) != std::string_view::npos;
                BOOST_TEST((verdict.violated == (delivered || dropped ? status::success : status::invalid_op_code)));
                if (delivered || dropped) BOOST_TEST(verdict.deliver == delivered);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(what_never_travels_is_a_violation_in_every_state) {
    for (const state& s : states()) {
        const conversation c = after(s.whose, s.history);
        BOOST_TEST_CONTEXT(name_of(s)) {
            for (unsigned op = 8; op < 16; ++op)
                BOOST_TEST((check(c, {.op = static_cast<op_code>(op)}).violated == status::invalid_op_code));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_false_origin_and_a_wrong_more_are_violations_in_every_state) {
    for (const state& s : states()) {
        const conversation c = after(s.whose, s.history);
        for (const char letter : s.allowed) {
            const auto op = static_cast<op_code>(letters.find(letter));
            BOOST_TEST_CONTEXT(name_of(s) << ", " << to_string(op)) {
                BOOST_TEST((check(c, {.op = op, .origin = tofu::origin::engine}).violated == status::invalid_message));
                const status more = check(c, {.op = op, .more = true}).violated;
                BOOST_TEST((more == (is_regular(op) ? status::success : status::invalid_more_usage)));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_bye_signal_aborts_in_every_state) {
    for (const state& s : states()) {
        const conversation c = after(s.whose, s.history);
        BOOST_TEST_CONTEXT(name_of(s)) {
            const auto verdict = check(c, {.op = op_code::bye_signal});
            BOOST_TEST((verdict.violated == status::success));
            BOOST_TEST(verdict.aborts);
            BOOST_TEST(!verdict.deliver);
            BOOST_TEST(to_string(c.reason_of_abort()) == (c.done() ? "bye" : "peer_aborted"));
            BOOST_TEST((check(c, {.op = op_code::bye_signal, .more = true}).violated == status::invalid_more_usage));
            BOOST_TEST((check(c, {.op = op_code::bye_signal, .origin = tofu::origin::engine}).violated ==
                        status::invalid_message));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_hello_response_or_a_regular_message_opens_for_the_connecting_side_once) {
    for (const std::string_view history : {"<h!", "<h!<q!", "<h!<b!"})
        for (const op_code op : {op_code::request, op_code::response, op_code::signal, op_code::hello_response,
                                 op_code::bye_request, op_code::bye_response}) {
            conversation c = after(side::connecting, history);
            BOOST_TEST(c.opens(op) == (is_regular(op) || op == op_code::hello_response));
            const bool opened = c.opens(op);
            if (check(c, {.op = op}).violated != status::success) continue;
            c.received(op);
            if (opened) BOOST_TEST((!c.opens(op_code::request) && !c.opens(op_code::hello_response)));
        }
}

BOOST_AUTO_TEST_CASE(lengths_above_the_limits_are_violations) {
    const conversation c = after(side::accepting, "h");
    const auto violated = [&c](std::uint16_t text, std::uint16_t body) {
        return c.judge({.op = op_code::request, .text_headers_length = text, .body_length = body}, 100, 200).violated;
    };
    BOOST_TEST((violated(100, 200) == status::success));
    BOOST_TEST((violated(101, 0) == status::invalid_headers_len));
    BOOST_TEST((violated(0, 201) == status::invalid_body_len));
    BOOST_TEST((violated(0, 0) == status::success));
}

BOOST_AUTO_TEST_CASE(the_status_byte_is_the_applications_business) {
    const conversation c = after(side::connecting, "<h!");
    for (unsigned s = 0; s < 256; ++s) {
        const tofu::binary_header h{.op = op_code::hello_response, .status_byte = static_cast<std::uint8_t>(s)};
        BOOST_TEST((check(c, h).violated == status::success));
    }
}

BOOST_AUTO_TEST_CASE(nothing_is_queued_behind_ones_own_bye) {
    for (const std::string_view history : {"h<H!<b", "h<H!<b!", "h<H!b<B", "h<H!b<B!"}) {
        conversation c = after(side::accepting, history);
        for (std::size_t i = 0; i < letters.size(); ++i) BOOST_TEST(!c.queue(static_cast<op_code>(i)));
    }
    conversation asked = after(side::accepting, "h<H!b"); // after receiving one, everything is
    BOOST_TEST(asked.queue(op_code::signal));
    BOOST_TEST(asked.queue(op_code::bye_response));
}

BOOST_AUTO_TEST_CASE(a_channel_is_done_when_both_directions_said_bye) {
    for (const std::string_view history : {"h<H!<b!B", "h<H!<b!b", "h<H!b<B!", "h<H!<b!bB", "h<H!b<b!"})
        BOOST_TEST(after(side::accepting, history).done(), history);
    for (const std::string_view history : {"", "h", "h<H!<b!", "h<H!b", "h<H!b<B", "h<H!<bb"})
        BOOST_TEST(!after(side::accepting, history).done(), history);
}

BOOST_AUTO_TEST_CASE(what_happens_next_follows_from_what_has_happened) {
    struct expectation {
        side whose;
        std::string_view history;
        bool flushed;
        action what;
        std::string_view why = "none";
    };
    const std::vector<expectation> all{
        // The peer is there: nothing to decide.
        {side::connecting, "", true, action::nothing},
        {side::connecting, "<h!H", true, action::nothing},
        {side::accepting, "h", false, action::nothing},
        {side::accepting, "h<H!<b!", true, action::nothing},
        {side::accepting, "h<H!b", true, action::nothing},
        // Reset.
        {side::connecting, "F", false, action::close, "peer_reset"},
        {side::accepting, "hF", true, action::close, "peer_reset"},
        {side::accepting, "h<H!<b!F", true, action::close, "peer_reset"},
        // Gone before anything was agreed.
        {side::connecting, "<h!E", true, action::close, "peer_disconnected"},
        {side::accepting, "E", true, action::close, "peer_disconnected"},
        // Half-closed: marked, seen, flushed, gone.
        {side::accepting, "h<H!E", true, action::mark_end},
        {side::accepting, "h<H!Em", true, action::nothing},
        {side::accepting, "h<H!Emv", false, action::nothing},
        {side::accepting, "h<H!Emv", true, action::close, "peer_disconnected"},
        {side::connecting, "<h!HE", false, action::mark_end},
        {side::connecting, "<h!HEm", true, action::nothing},
        {side::connecting, "<h!HEmv", true, action::close, "peer_disconnected"},
        {side::connecting, "<h!qE", false, action::mark_end}, // agreed without a hello_response
        {side::connecting, "<h!bE", true, action::nothing},
        // A write error stops writing only.
        {side::accepting, "h<H!f", false, action::nothing},
        {side::accepting, "h<H!fE", false, action::give_up},
        {side::accepting, "h<H!fF", false, action::close, "peer_reset"},
        // Done: end our direction, then wait for the peer's end.
        {side::accepting, "h<H!<b!B", true, action::end_output},
        {side::accepting, "h<H!<b!Be", true, action::nothing},
        {side::accepting, "h<H!<b!BeE", true, action::close, "bye"},
        {side::accepting, "h<H!<b!BeF", true, action::close, "bye"},
        {side::connecting, "<h!Hb<B!", true, action::end_output},
        {side::connecting, "<h!Hb<B!e", true, action::nothing},
        {side::connecting, "<h!Hb<B!eE", true, action::close, "bye"},
        {side::connecting, "<h!<b!B", true, action::end_output}, // a bye that was answered before the hello
        {side::connecting, "<h!<b!BeE", true, action::close, "bye"},
        // Byes that crossed.
        {side::connecting, "<h!H<b!b", true, action::end_output},
        {side::connecting, "<h!H<b!be", true, action::nothing},
        {side::connecting, "<h!H<b!beB", true, action::nothing},
        {side::connecting, "<h!H<b!beE", true, action::close, "bye"},
        {side::connecting, "<h!H<b!bE", true, action::close, "bye"},
        // Half-closed in the middle of a bye.
        {side::accepting, "h<H!<bE", false, action::nothing}, // flush it first
        {side::accepting, "h<H!<b!E", true, action::close, "peer_disconnected"},
        {side::accepting, "h<H!bE", true, action::nothing}, // the application owes the bye_response
        {side::accepting, "h<H!b<BE", false, action::nothing},
        {side::accepting, "h<H!b<B!E", true, action::close, "bye"},
        {side::connecting, "<h!H<b!BE", true, action::close, "bye"},
    };
    for (const expectation& e : all) {
        BOOST_TEST_CONTEXT(name_of({e.whose, e.history, ""}) << (e.flushed ? ", flushed" : ", not flushed")) {
            const conversation::decision next = after(e.whose, e.history).next(e.flushed);
            BOOST_TEST((next.what == e.what));
            BOOST_TEST(to_string(next.why) == e.why);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
