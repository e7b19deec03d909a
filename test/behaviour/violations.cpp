// SPDX-License-Identifier: BSL-1.0
// Violations by a peer, in both roles: only that one channel ends, with the reason, and no other channel notices.
#include "support/harness.hpp"

#include <algorithm>
#include <initializer_list>
#include <random>
#include <vector>

using namespace tofu_test;
using tofu::binary_header;
using tofu::op_code;
using tofu::origin;
using tofu::status;

BOOST_AUTO_TEST_SUITE(violations)

namespace {

using bytes = std::vector<std::byte>;

/// The bytes that a peer sends, and the rule that they break.
struct offence {
    std::string_view what;
    bytes sent;
    status rule;
};

bytes message(op_code op) { return raw_socket::wire_of({.op = op, .message_id = 7}); }
bytes code(unsigned op) { return message(static_cast<op_code>(op)); }
bytes with_origin(op_code op) { return raw_socket::wire_of({.op = op, .origin = origin::engine, .message_id = 7}); }
bytes with_more(op_code op) { return raw_socket::wire_of({.op = op, .more = true, .message_id = 7}); }
/// A header that announces more than is ever sent.
bytes announcing(op_code op, std::uint16_t text, std::uint16_t body) {
    bytes wire(binary_header::wire_size);
    tofu::encode({.op = op, .message_id = 7, .text_headers_length = text, .body_length = body},
                 std::span<std::byte, binary_header::wire_size>(wire));
    return wire;
}
bytes operator+(bytes first, const bytes& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

std::string reason_for(status rule) { return "violation:" + std::string(to_string(rule)); }

/// Messages that are forbidden to everybody at any time, and those that are forbidden in one place.
std::vector<offence> never_allowed(std::initializer_list<offence> there) {
    std::vector<offence> list{
        {"welcome_request", message(op_code::welcome_request), status::invalid_op_code},
        {"welcome_response", message(op_code::welcome_response), status::invalid_op_code},
        {"bye_signal of the engine", with_origin(op_code::bye_signal), status::invalid_message},
        {"more on bye_signal", with_more(op_code::bye_signal), status::invalid_more_usage},
        {"a signal of the engine", with_origin(op_code::signal), status::invalid_message},
        {"a response of the engine", with_origin(op_code::response), status::invalid_message},
        {"more on bye_request", with_more(op_code::bye_request), status::invalid_more_usage},
    };
    for (unsigned op = 10; op <= 15; ++op) list.push_back({"no op code", code(op), status::invalid_op_code});
    list.insert(list.end(), there);
    return list;
}

/// A connection of two others, which works no matter what a peer does.
struct with_bystanders : dialogue {
    using dialogue::dialogue;

    /// All other messages that the server receives go to `others`.
    template <class Others>
    void expect_echo(Others others) {
        client.post(make(engine, op_code::request, bystanders.client, "still there?"));
        for (;;) {
            tofu::message_ptr m = next(server);
            if (m->header().channel_number != bystanders.server) {
                others(*m);
                continue;
            }
            BOOST_REQUIRE(m->op() == op_code::request);
            server.post(answer(std::move(m), op_code::response));
            break;
        }
        BOOST_TEST(body_of(*expect(client, op_code::response)) == "still there?");
    }
    void expect_echo() {
        expect_echo([](const tofu::message& m) {
            BOOST_ERROR("not expected: " << to_string(m.op()) << " " << m.headers().wire());
        });
    }

    template <class Offend>
    void survive(const std::vector<offence>& offences, Offend offend) {
        for (const offence& one : offences) {
            BOOST_TEST_CONTEXT(one.what) {
                offend(one);
                expect_echo();
            }
        }
    }

    const tofu::address where = listen();
    const link bystanders = connect(where);
};

} // namespace

TOFU_TEST_CASE(a_peer_that_has_not_said_hello_is_closed_and_nobody_is_told, here) {
    with_bystanders talk(here);
    const std::vector<offence> first_messages = never_allowed({
        {"request", message(op_code::request), {}},
        {"response", message(op_code::response), {}},
        {"signal", message(op_code::signal), {}},
        {"hello_response", message(op_code::hello_response), {}},
        {"bye_request", message(op_code::bye_request), {}},
        {"bye_response", message(op_code::bye_response), {}},
        {"a hello_request of the engine", with_origin(op_code::hello_request), {}},
        {"more on hello_request", with_more(op_code::hello_request), {}},
    });
    talk.survive(first_messages, [&](const offence& one) {
        raw_socket peer(talk.engine, talk.where);
        peer.send(one.sent);
        peer.reads_until_end();
    });
    raw_socket polite(talk.engine, talk.where);
    be_accepted(talk, polite);
}

TOFU_TEST_CASE(an_accepted_peer_that_breaks_a_rule_loses_its_channel_alone, here) {
    with_bystanders talk(here);
    const std::vector<offence> offences = never_allowed({
        {"a second hello_request", message(op_code::hello_request), status::invalid_op_code},
        {"hello_response", message(op_code::hello_response), status::invalid_op_code},
        {"a bye_response nobody asked for", message(op_code::bye_response), status::invalid_op_code},
    });
    talk.survive(offences, [&](const offence& one) {
        raw_socket peer(talk.engine, talk.where);
        const std::uint16_t number = be_accepted(talk, peer);
        peer.send(raw_socket::wire_of({.op = op_code::signal}, "", "before") + one.sent);
        BOOST_TEST(body_of(*talk.expect(talk.server, op_code::signal)) == "before");
        talk.expect_goodbye(talk.server, number, reason_for(one.rule));
        peer.reads_until_end();
    });
}

TOFU_TEST_CASE(a_rule_broken_before_the_hello_was_answered_is_told_too, here) {
    dialogue talk(here);
    raw_socket peer(talk.engine, talk.listen());
    peer.say_hello();
    const tofu::message_ptr hello = talk.expect(talk.server, op_code::hello_request);
    peer.send(message(op_code::hello_response));
    talk.expect_goodbye(talk.server, hello->header().channel_number, reason_for(status::invalid_op_code));
}

TOFU_TEST_CASE(after_a_bye_request_only_a_bye_response_may_follow, here) {
    with_bystanders talk(here);
    std::vector<offence> offences; // nobody has asked this peer for a bye: even a bye_response is one too many
    for (const op_code op :
         {op_code::request, op_code::signal, op_code::bye_request, op_code::hello_request, op_code::bye_response})
        offences.push_back({to_string(op), message(op_code::bye_request) + message(op), status::invalid_op_code});
    talk.survive(offences, [&](const offence& one) {
        raw_socket peer(talk.engine, talk.where);
        const std::uint16_t number = be_accepted(talk, peer);
        peer.send(one.sent);
        talk.expect(talk.server, op_code::bye_request);
        talk.expect_goodbye(talk.server, number, reason_for(one.rule));
    });
}

TOFU_TEST_CASE(nothing_may_follow_a_bye_response, here) {
    with_bystanders talk(here);
    std::vector<offence> offences;
    for (const op_code op : {op_code::request, op_code::bye_request, op_code::bye_response})
        offences.push_back({to_string(op), message(op_code::bye_response) + message(op), status::invalid_op_code});
    talk.survive(offences, [&](const offence& one) {
        raw_socket peer(talk.engine, talk.where);
        const std::uint16_t number = be_accepted(talk, peer);
        talk.server.post(make(talk.engine, op_code::bye_request, number));
        BOOST_REQUIRE(peer.receive());
        peer.send(one.sent);
        talk.expect(talk.server, op_code::bye_response);
        talk.expect_goodbye(talk.server, number, reason_for(one.rule));
    });
}

TOFU_TEST_CASE(a_server_that_answers_a_hello_wrongly_is_left, here) {
    with_bystanders talk(here);
    raw_listener wrong(talk.engine, here.new_address());
    const std::vector<offence> offences = never_allowed({
        {"hello_request", message(op_code::hello_request), status::invalid_op_code},
        {"a bye_response nobody asked for", message(op_code::bye_response), status::invalid_op_code},
        {"a hello_response of the engine", with_origin(op_code::hello_response), status::invalid_message},
        {"more on hello_response", with_more(op_code::hello_response), status::invalid_more_usage},
    });
    talk.survive(offences, [&](const offence& one) {
        const binary_header hello = talk.hello(wrong.where());
        raw_socket peer = wrong.accept();
        BOOST_REQUIRE(peer.receive());
        peer.send(one.sent);
        talk.expect_failed(talk.client, op_code::hello_response, hello, one.rule, reason_for(one.rule));
        peer.reads_until_end();
    });
}

TOFU_TEST_CASE(a_server_that_breaks_a_rule_later_loses_its_channel_alone, here) {
    with_bystanders talk(here);
    raw_listener wrong(talk.engine, here.new_address());
    const std::vector<offence> offences = never_allowed({
        {"a second hello_response", message(op_code::hello_response), status::invalid_op_code},
        {"hello_request", message(op_code::hello_request), status::invalid_op_code},
        {"a bye_response nobody asked for", message(op_code::bye_response), status::invalid_op_code},
    });
    talk.survive(offences, [&](const offence& one) {
        const binary_header hello = talk.hello(wrong.where());
        raw_socket peer = wrong.accept();
        BOOST_REQUIRE(peer.receive());
        peer.send(message(op_code::hello_response) + one.sent);
        BOOST_TEST(!talk.expect(talk.client, op_code::hello_response)->from_engine());
        talk.expect_goodbye(talk.client, hello.channel_number, reason_for(one.rule));
    });
}

TOFU_TEST_CASE(a_refusal_that_goes_on_talking_is_a_violation, here) {
    dialogue talk(here);
    raw_listener wrong(talk.engine, here.new_address());
    const binary_header hello = talk.hello(wrong.where());
    raw_socket peer = wrong.accept();
    BOOST_REQUIRE(peer.receive());
    peer.send(message(op_code::bye_request) + message(op_code::hello_response));
    talk.expect(talk.client, op_code::bye_request);
    const tofu::message_ptr failed = talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST(failed->from_engine());
    BOOST_TEST(failed->header().message_id == hello.message_id);
    BOOST_TEST(reason_of(*failed) == reason_for(status::invalid_op_code));
}

TOFU_TEST_CASE(what_was_not_sent_to_an_offender_comes_back_with_its_offence, here) {
    dialogue talk(here);
    raw_socket peer(talk.engine, talk.listen());
    const std::uint16_t number = be_accepted(talk, peer);
    const std::string large(65535, 'x');
    constexpr std::uint64_t posted = 100; // more than any socket takes while its peer does not read
    for (std::uint64_t id = 1; id <= posted; ++id)
        talk.server.post(make(talk.engine, op_code::signal, number, large, id));
    peer.send(with_origin(op_code::request));
    tofu::message_ptr m = talk.expect(talk.server, op_code::signal);
    BOOST_REQUIRE(m->status() == status::invalid_message);
    for (std::uint64_t id = m->header().message_id; id <= posted; ++id) {
        BOOST_TEST(m->from_engine());
        BOOST_TEST(m->header().message_id == id);
        BOOST_TEST(to_string(m->status()) == to_string(status::invalid_message));
        BOOST_TEST((body_of(*m) == large));
        if (id != posted) m = talk.expect(talk.server, op_code::signal);
    }
    talk.expect_goodbye(talk.server, number, reason_for(status::invalid_message));
}

TOFU_TEST_CASE(internal_bits_of_a_peer_are_no_violation_and_go_no_further, here) {
    dialogue talk(here);
    raw_socket peer(talk.engine, talk.listen());
    constexpr std::byte internal{0xC0};
    bytes hello =
        raw_socket::wire_of({.op = op_code::hello_request, .message_id = 1}, "~connect_to:tcp|127.0.0.1|1\r\n");
    hello[2] |= internal;
    bytes request = raw_socket::wire_of({.op = op_code::request, .more = true, .message_id = 2}, "", "q");
    request[2] |= internal;
    peer.send(hello + request);
    talk.accept();
    tofu::message_ptr m = talk.expect(talk.server, op_code::request);
    BOOST_TEST(m->header().more);
    m->header().more = false;
    talk.server.post(answer(std::move(m), op_code::response));
    for (const op_code expected : {op_code::hello_response, op_code::response}) {
        const bytes wire = peer.receive_bytes(binary_header::wire_size);
        BOOST_REQUIRE(wire.size() == binary_header::wire_size);
        BOOST_TEST(std::to_integer<unsigned>(wire[2]) == static_cast<unsigned>(expected));
        const binary_header h = tofu::decode(std::span(wire).first<binary_header::wire_size>());
        peer.receive_bytes(std::size_t{h.text_headers_length} + h.body_length);
    }
}

TOFU_TEST_CASE(any_status_byte_of_a_peer_is_its_own_business, here) {
    dialogue talk(here);
    raw_socket peer(talk.engine, talk.listen());
    be_accepted(talk, peer);
    for (const unsigned byte : {0U, 22U, 31U, 32U, 255U}) {
        peer.send({.op = op_code::signal, .status_byte = static_cast<std::uint8_t>(byte)});
        const tofu::message_ptr m = talk.expect(talk.server, op_code::signal);
        BOOST_TEST(!m->from_engine());
        BOOST_TEST(m->header().status_byte == byte);
    }
}

TOFU_TEST_CASE(lengths_above_the_limits_are_refused_at_the_header, here) {
    with_bystanders talk(here, {.max_text_headers = 64, .max_body = 100});
    const std::string text = "n:" + std::string(60, 'v') + "\r\n";
    const std::string body(100, 'b');
    const std::vector<offence> offences{
        {"text headers", announcing(op_code::request, 65, 0), status::invalid_headers_len},
        {"all text headers", announcing(op_code::request, 65535, 0), status::invalid_headers_len},
        {"body", announcing(op_code::signal, 0, 101), status::invalid_body_len},
        {"whole body", announcing(op_code::response, 64, 65535), status::invalid_body_len},
    };
    talk.survive(offences, [&](const offence& one) {
        raw_socket peer(talk.engine, talk.where);
        const std::uint16_t number = be_accepted(talk, peer);
        peer.send(raw_socket::wire_of({.op = op_code::request}, text, body)); // the limits themselves are allowed
        const tofu::message_ptr m = talk.expect(talk.server, op_code::request);
        BOOST_TEST(m->headers().wire().size() == 64U);
        BOOST_TEST(body_of(*m) == body);
        peer.send(one.sent);
        talk.expect_goodbye(talk.server, number, reason_for(one.rule));
    });
    raw_socket stranger(talk.engine, talk.where);
    stranger.send(announcing(op_code::hello_request, 65, 0));
    stranger.reads_until_end();
    talk.expect_echo();
}

TOFU_TEST_CASE(without_limits_the_largest_message_of_the_protocol_is_no_violation, here) {
    dialogue talk(here);
    raw_socket peer(talk.engine, talk.listen());
    be_accepted(talk, peer);
    const std::string text = "n:" + std::string(65535 - 4, 'v') + "\r\n";
    const std::string body(65535, 'b');
    peer.send(raw_socket::wire_of({.op = op_code::request}, text, body));
    const tofu::message_ptr m = talk.expect(talk.server, op_code::request);
    BOOST_TEST((m->headers().wire() == text));
    BOOST_TEST((body_of(*m) == body));
}

namespace {

/// Bytes that a fixed seed makes: noise, or headers with random fields and short parts behind them.
class noise {
public:
    bytes raw() {
        bytes made(pick(1, 400));
        for (std::byte& one : made) one = static_cast<std::byte>(pick(0, 255));
        return made;
    }
    bytes almost_messages() {
        bytes made;
        for (std::size_t n = pick(1, 8); n > 0; --n) {
            bytes one = raw_socket::wire_of({.message_id = pick(0, 9)}, std::string(pick(0, 40), 'h'),
                                            std::string(pick(0, 40), 'b'));
            one[2] = static_cast<std::byte>(pick(0, 9) == 0 ? pick(0, 255) : pick(0, 2));
            made = made + one;
        }
        made.resize(pick(1, made.size()));
        return made;
    }
    std::size_t pick(std::size_t least, std::size_t most) {
        return std::uniform_int_distribution<std::size_t>(least, most)(engine_);
    }

private:
    std::mt19937 engine_{20260501}; // NOLINT: always the same on purpose
};

} // namespace

TOFU_TEST_CASE(random_bytes_from_many_peers_harm_nobody_else, here) {
    with_bystanders talk(here);
    noise source;
    std::vector<std::uint16_t> announced;
    std::size_t hellos = 0;
    const auto until = std::chrono::steady_clock::now() + patience;
    const auto others = [&](const tofu::message& m) {
        const std::uint16_t number = m.header().channel_number;
        if (m.op() == op_code::hello_request) {
            ++hellos;
            announced.push_back(number);
        }
        BOOST_TEST((std::find(announced.begin(), announced.end(), number) != announced.end()));
        if (m.from_engine()) {
            BOOST_TEST(to_string(m.status()) == to_string(status::channel_closed));
            std::erase(announced, number);
        }
    };
    for (std::size_t peers = 0; peers < 150; ++peers) {
        raw_socket peer(talk.engine, talk.where);
        if (peers % 3 != 0) peer.say_hello();
        const bytes sent = source.pick(0, 1) == 0 ? source.raw() : source.almost_messages();
        static_cast<void>(peer.try_send(sent)); // the engine may close in the middle
        if (peers % 2 == 0) peer.reset();
        if (peers % 10 == 0) talk.expect_echo(others);
    }
    // Until only the listener and the two ends of the bystanders' connection are left.
    for (;;) {
        const tofu::message_ptr m = talk.server.wait_receive(moment);
        if (m) others(*m);
        if (!m && announced.empty() && talk.engine.stats().channels == 3) break;
        BOOST_REQUIRE(std::chrono::steady_clock::now() < until);
    }
    BOOST_TEST(hellos != 0U);
    talk.expect_echo();
    raw_socket polite(talk.engine, talk.where);
    be_accepted(talk, polite);
}

BOOST_AUTO_TEST_SUITE_END()
