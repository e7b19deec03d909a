// SPDX-License-Identifier: BSL-1.0
// Protocol section 4: the checks of `post`. A refused message stays with the caller; the header of an accepted message
// is completed.
#include "support/harness.hpp"
#include "support/scarce_memory.hpp"

#include <atomic>
#include <future>
#include <initializer_list>
#include <set>
#include <thread>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(post_rules)

constexpr op_code with_channel[] = {op_code::request,        op_code::response,    op_code::signal,
                                    op_code::hello_response, op_code::bye_request, op_code::bye_response,
                                    op_code::bye_signal};

/// `post` refuses this message for this reason, and it stays with the caller as it was.
void expect_refused(any_group& group, tofu::message_ptr m, status why) {
    const tofu::message* const same = m.get();
    const tofu::binary_header header = m->header();
    const std::string headers(m->headers().wire());
    const std::string body(body_of(*m));
    std::error_code error;
    group.post(std::move(m), error);
    BOOST_TEST(to_string(failure(error)) == to_string(why),
               to_string(header.op) << " on channel " << header.channel_number << ": " << error.message());
    BOOST_REQUIRE(m.get() == same);
    BOOST_TEST((m->header() == header));
    BOOST_TEST((m->headers().wire() == headers));
    BOOST_TEST((body_of(*m) == body));
}

void expect_not_allowed(dialogue& talk, any_group& group, std::uint16_t channel, std::initializer_list<op_code> ops) {
    for (const op_code op : ops) expect_refused(group, make(talk.engine, op, channel, "?"), status::not_allowed);
}

// Rules about the message alone.

TOFU_TEST_CASE(no_message_is_refused, here) {
    dialogue talk(here);
    std::error_code error;
    talk.client.post(nullptr, error);
    BOOST_TEST((error == status::null_message));
    talk.client.wait_post(nullptr, 1ms, error);
    BOOST_TEST((error == status::null_message));
}

TOFU_TEST_CASE(an_operation_that_is_none_is_refused, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    // Above 15 too: neither origin nor more nor the internal bits can be smuggled in with the op code.
    for (const int op : {10, 11, 12, 13, 14, 15, 16, 32, 64, 65, 128, 192, 255})
        for (const std::uint16_t channel : {link.client, tofu::no_channel})
            expect_refused(talk.client, make(talk.engine, static_cast<op_code>(op), channel), status::invalid_op_code);
}

TOFU_TEST_CASE(a_welcome_response_is_the_engines, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    for (const std::uint16_t channel : {link.client, talk.listener, tofu::no_channel}) {
        expect_refused(talk.client, make(talk.engine, op_code::welcome_response, channel), status::invalid_op_code);
        expect_refused(talk.server, make(talk.engine, op_code::welcome_response, channel), status::invalid_op_code);
    }
}

TOFU_TEST_CASE(more_is_for_request_response_and_signal_only, here) {
    dialogue talk(here);
    const tofu::address where = talk.listen();
    const auto link = talk.connect(where);
    const auto make_more = [&](op_code op, std::uint16_t channel) {
        tofu::message_ptr m = make(talk.engine, op, channel);
        m->header().more = true;
        return m;
    };
    for (const op_code op : {op_code::hello_response, op_code::bye_request, op_code::bye_response, op_code::bye_signal})
        expect_refused(talk.client, make_more(op, link.client), status::invalid_more_usage);
    for (const bool connects : {true, false}) {
        tofu::message_ptr m = make_more(op_code::hello_request, 0);
        BOOST_REQUIRE((connects ? m->connect_to(where) : m->listen_on(here.new_address())) == status::success);
        expect_refused(talk.client, std::move(m), status::invalid_more_usage);
    }
    for (const op_code op : {op_code::request, op_code::response, op_code::signal}) {
        tofu::message_ptr m = make_more(op, link.client);
        m->header().message_id = 7;
        talk.client.post(std::move(m));
        BOOST_TEST(talk.expect(talk.server, op)->header().more);
    }
}

// The receiver could not put them together.
TOFU_TEST_CASE(parts_without_a_common_id_are_refused, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    for (const op_code op : {op_code::request, op_code::response, op_code::signal}) {
        tofu::message_ptr m = make(talk.engine, op, link.client);
        m->header().more = true;
        expect_refused(talk.client, std::move(m), status::invalid_message_id);
        talk.client.post(make(talk.engine, op, link.client)); // a message in one part needs none
        BOOST_TEST(!talk.expect(talk.server, op)->header().more);
    }
}

TOFU_TEST_CASE(only_hello_and_welcome_come_without_a_number, here) {
    dialogue talk(here);
    const tofu::address where = talk.listen();
    const auto link = talk.connect(where);
    for (const op_code op : with_channel)
        expect_refused(talk.client, make(talk.engine, op, tofu::no_channel), status::invalid_channel_number);
    for (const std::uint16_t number : {link.client, std::uint16_t{4711}, tofu::engine_channel}) {
        tofu::message_ptr m = talk.engine.get();
        BOOST_REQUIRE(m->connect_to(where) == status::success);
        m->header().channel_number = number;
        expect_refused(talk.client, std::move(m), status::invalid_channel_number);
        m = talk.engine.get();
        BOOST_REQUIRE(m->listen_on(here.new_address()) == status::success);
        m->header().channel_number = number;
        expect_refused(talk.client, std::move(m), status::invalid_channel_number);
    }
}

TOFU_TEST_CASE(a_number_nobody_has_is_refused, here) {
    dialogue talk(here);
    talk.connect();
    for (const std::uint16_t number :
         {std::uint16_t{999}, std::uint16_t{60000}, tofu::last_channel, tofu::engine_channel})
        for (const op_code op : with_channel)
            expect_refused(talk.client, make(talk.engine, op, number), status::invalid_channel_number);
}

TOFU_TEST_CASE(another_groups_channel_is_refused, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    for (const op_code op : with_channel) {
        expect_refused(talk.client, make(talk.engine, op, link.server), status::invalid_channel_group);
        expect_refused(talk.client, make(talk.engine, op, talk.listener), status::invalid_channel_group);
        expect_refused(talk.server, make(talk.engine, op, link.client), status::invalid_channel_group);
    }
}

TOFU_TEST_CASE(headers_and_body_have_the_protocols_limit, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    const std::string limit(tofu::max_part_length, 'x');

    tofu::message_ptr m = make(talk.engine, op_code::request, link.client, limit + "x");
    expect_refused(talk.client, std::move(m), status::invalid_body_len);
    m = make(talk.engine, op_code::request, link.client);
    BOOST_REQUIRE(m->headers().buffer().append(limit + "x"));
    expect_refused(talk.client, std::move(m), status::invalid_headers_len);

    m = make(talk.engine, op_code::request, link.client, limit);
    BOOST_REQUIRE(m->headers().buffer().append(limit));
    talk.client.post(std::move(m));
    m = talk.expect(talk.server, op_code::request);
    BOOST_TEST((m->headers().wire() == limit));
    BOOST_TEST((body_of(*m) == limit));
}

TOFU_TEST_CASE(a_hello_or_welcome_needs_its_own_address_header, here) {
    dialogue talk(here);
    expect_refused(talk.client, make(talk.engine, op_code::hello_request, 0), status::invalid_address);
    expect_refused(talk.client, make(talk.engine, op_code::welcome_request, 0), status::invalid_address);
    tofu::message_ptr m = talk.engine.get();
    BOOST_REQUIRE(m->connect_to(loopback(7099)) == status::success);
    m->header().op = op_code::welcome_request;
    expect_refused(talk.client, std::move(m), status::invalid_address);
    m = talk.engine.get();
    BOOST_REQUIRE(m->listen_on(loopback(7099)) == status::success);
    m->header().op = op_code::hello_request;
    expect_refused(talk.client, std::move(m), status::invalid_address);
}

TOFU_TEST_CASE(an_address_that_is_none_is_refused, here) {
    dialogue talk(here);
    for (const std::string_view text :
         {"", "tcp", "tcp|127.0.0.1", "tcp|127.0.0.1|", "tcp|127.0.0.1|65536", "tcp|127.0.0.1|-1", "tcp|127.0.0.1|http",
          "uds|", "udp|127.0.0.1|1", "|", "nonsense"}) {
        for (const bool connects : {true, false}) {
            tofu::message_ptr m =
                make(talk.engine, connects ? op_code::hello_request : op_code::welcome_request, tofu::no_channel);
            const auto name = connects ? tofu::connect_to_header : tofu::listen_on_header;
            BOOST_REQUIRE(m->headers().append(name, text) == status::success);
            BOOST_TEST_CONTEXT(text) { expect_refused(talk.client, std::move(m), status::wrong_address); }
        }
    }
    for (const std::string_view text : {"tcp||7099", "tcp|127.0.0.1|0"}) { // one can listen there, not connect
        tofu::message_ptr m = make(talk.engine, op_code::hello_request, tofu::no_channel);
        BOOST_REQUIRE(m->headers().append(tofu::connect_to_header, text) == status::success);
        BOOST_TEST_CONTEXT(text) { expect_refused(talk.client, std::move(m), status::wrong_address); }
    }
}

// Rules that depend on the conversation.

TOFU_TEST_CASE(a_listener_takes_nothing_but_a_bye_signal, here) {
    dialogue talk(here);
    talk.listen();
    expect_not_allowed(talk, talk.server, talk.listener,
                       {op_code::request, op_code::response, op_code::signal, op_code::hello_response,
                        op_code::bye_request, op_code::bye_response});
    talk.server.post(make(talk.engine, op_code::bye_signal, talk.listener));
    talk.expect_goodbye(talk.server, talk.listener, "aborted");
}

TOFU_TEST_CASE(the_accepting_side_says_hello_first, here) {
    dialogue talk(here);
    talk.hello(talk.listen());
    const std::uint16_t server = talk.expect(talk.server, op_code::hello_request)->header().channel_number;
    expect_not_allowed(talk, talk.server, server,
                       {op_code::request, op_code::response, op_code::signal, op_code::bye_response});
    talk.server.post(make(talk.engine, op_code::hello_response, server));
    talk.expect(talk.client, op_code::hello_response);
    talk.server.post(make(talk.engine, op_code::request, server));
    talk.expect(talk.client, op_code::request);
}

TOFU_TEST_CASE(the_accepting_side_answers_a_bye_only_after_its_hello, here) {
    dialogue talk(here);
    const std::uint16_t client = talk.hello(talk.listen()).channel_number;
    talk.client.post(make(talk.engine, op_code::bye_request, client));
    const std::uint16_t server = talk.expect(talk.server, op_code::hello_request)->header().channel_number;
    talk.expect(talk.server, op_code::bye_request);
    expect_not_allowed(talk, talk.server, server, {op_code::bye_response, op_code::request});
    talk.server.post(make(talk.engine, op_code::hello_response, server));
    talk.server.post(make(talk.engine, op_code::bye_response, server));
    talk.expect(talk.client, op_code::hello_response);
    talk.expect(talk.client, op_code::bye_response);
    talk.expect_goodbye(talk.client, client, "bye");
    talk.expect_goodbye(talk.server, server, "bye");
}

TOFU_TEST_CASE(a_hello_response_is_for_the_accepting_side_and_once, here) {
    dialogue talk(here);
    const std::uint16_t client = talk.hello(talk.listen()).channel_number;
    const std::uint16_t server = talk.expect(talk.server, op_code::hello_request)->header().channel_number;
    expect_not_allowed(talk, talk.client, client, {op_code::hello_response});
    talk.server.post(make(talk.engine, op_code::hello_response, server));
    expect_not_allowed(talk, talk.server, server, {op_code::hello_response});
    talk.expect(talk.client, op_code::hello_response);
    expect_not_allowed(talk, talk.client, client, {op_code::hello_response});
    expect_not_allowed(talk, talk.server, server, {op_code::hello_response});
}

TOFU_TEST_CASE(the_connecting_side_may_post_at_once, here) {
    dialogue talk(here);
    const std::uint16_t client = talk.hello(talk.listen()).channel_number;
    for (const op_code op : {op_code::request, op_code::response, op_code::signal})
        talk.client.post(make(talk.engine, op, client, to_string(op)));
    talk.expect(talk.server, op_code::hello_request);
    for (const op_code op : {op_code::request, op_code::response, op_code::signal})
        BOOST_TEST(body_of(*talk.expect(talk.server, op)) == to_string(op));
}

TOFU_TEST_CASE(a_bye_response_must_be_asked_for, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    expect_not_allowed(talk, talk.client, link.client, {op_code::bye_response});
    expect_not_allowed(talk, talk.server, link.server, {op_code::bye_response});
    talk.client.post(make(talk.engine, op_code::bye_request, link.client));
    talk.expect(talk.server, op_code::bye_request);
    talk.server.post(make(talk.engine, op_code::bye_response, link.server));
    talk.expect(talk.client, op_code::bye_response);
}

TOFU_TEST_CASE(after_ones_own_bye_only_a_bye_signal_is_taken, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    talk.client.post(make(talk.engine, op_code::bye_request, link.client));
    expect_not_allowed(talk, talk.client, link.client,
                       {op_code::request, op_code::response, op_code::signal, op_code::hello_response,
                        op_code::bye_request, op_code::bye_response});
    talk.expect(talk.server, op_code::bye_request);
    for (const op_code op : {op_code::request, op_code::response, op_code::signal}) { // the peer still may
        talk.server.post(make(talk.engine, op, link.server, to_string(op)));
        BOOST_TEST(body_of(*talk.expect(talk.client, op)) == to_string(op));
    }
    talk.client.post(make(talk.engine, op_code::bye_signal, link.client));
    talk.expect_goodbye(talk.client, link.client, "aborted");
    // An end of stream is no end yet: the answer to the bye is still owed.
    if (here.tells_aborts()) talk.expect_goodbye(talk.server, link.server, "peer_reset");
}

TOFU_TEST_CASE(a_refused_message_changes_nothing, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    tofu::message_ptr m = make(talk.engine, op_code::bye_response, link.client, "not asked for");
    std::error_code error;
    talk.client.post(std::move(m), error);
    BOOST_TEST((error == status::not_allowed));
    BOOST_REQUIRE(m);
    m->header().op = op_code::request; // corrected, the same message goes
    talk.client.post(std::move(m));
    BOOST_TEST(!m);
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "not asked for");
}

// An engine that has ended, a group without one.

TOFU_TEST_CASE(without_an_engine_everything_is_refused_with_shutdown_started, here) {
    std::optional<dialogue> talk(std::in_place, here);
    const tofu::address where = talk->listen();
    const auto link = talk->connect(where);
    std::vector<tofu::message_ptr> late;
    late.push_back(make(talk->engine, op_code::request, link.client));
    late.push_back(make(talk->engine, op_code::bye_signal, link.client));
    late.push_back(talk->engine.get());
    BOOST_REQUIRE(late.back()->connect_to(where) == status::success);
    late.push_back(talk->engine.get());
    BOOST_REQUIRE(late.back()->listen_on(here.new_address()) == status::success);
    any_group none = talk->engine.group_without_engine();
    any_group group = std::move(talk->client);
    talk.reset();
    for (tofu::message_ptr& m : late) {
        const tofu::message* const same = m.get();
        for (any_group* const to : {&group, &none}) {
            std::error_code error;
            to->post(std::move(m), error);
            BOOST_TEST((error == status::shutdown_started));
            BOOST_REQUIRE(m.get() == same);
        }
    }
}

// The header fields of an accepted message.

TOFU_TEST_CASE(an_id_of_zero_becomes_one_that_is_unique, here) {
    dialogue talk(here);
    const tofu::address where = talk.listen();
    std::set<std::uint64_t> seen;
    const auto note = [&](const tofu::binary_header& sent, std::string_view what) {
        BOOST_TEST((sent.message_id & tofu::engine_id_bit) != 0U, what); // no id of an application has that
        BOOST_TEST(seen.insert(sent.message_id).second, what << " has an id that another has");
        return sent.message_id;
    };
    tofu::message_ptr m = talk.engine.get();
    BOOST_REQUIRE(m->listen_on(here.new_address()) == status::success);
    const std::uint64_t welcome = note(talk.server.post(std::move(m)), "welcome_request");
    BOOST_TEST(talk.expect(talk.server, op_code::welcome_response)->header().message_id == welcome);

    const tofu::binary_header hello = talk.hello(where);
    note(hello, "hello_request");
    m = talk.expect(talk.server, op_code::hello_request);
    BOOST_TEST(m->header().message_id == hello.message_id);
    talk.server.post(answer(std::move(m), op_code::hello_response));
    BOOST_TEST(talk.expect(talk.client, op_code::hello_response)->header().message_id == hello.message_id);
    for (int i = 0; i < 100; ++i) {
        for (const op_code op : {op_code::request, op_code::signal}) {
            const std::uint64_t id = note(talk.client.post(make(talk.engine, op, hello.channel_number)), to_string(op));
            BOOST_TEST(talk.expect(talk.server, op)->header().message_id == id);
        }
    }
    const auto bye =
        note(talk.client.post(make(talk.engine, op_code::bye_request, hello.channel_number)), "bye_request");
    BOOST_TEST(talk.expect(talk.server, op_code::bye_request)->header().message_id == bye);

    dialogue other(here); // unique in the process, not in the engine
    note(other.hello(other.listen()), "hello_request of another engine");
}

TOFU_TEST_CASE(an_id_of_the_applications_own_is_kept, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    constexpr std::uint64_t own = 0xFEDCBA9876543210U;
    for (const op_code op : {op_code::request, op_code::response, op_code::signal, op_code::bye_request}) {
        BOOST_TEST(talk.client.post(make(talk.engine, op, link.client, {}, own)).message_id == own);
        BOOST_TEST(talk.expect(talk.server, op)->header().message_id == own);
    }
}

TOFU_TEST_CASE(a_response_keeps_an_id_of_zero, here) {
    dialogue talk(here);
    raw_socket peer(talk.engine, talk.listen());
    peer.send({.op = op_code::hello_request, .message_id = 0}, "~connect_to:tcp|127.0.0.1|1\r\n");
    tofu::message_ptr m = talk.expect(talk.server, op_code::hello_request);
    BOOST_TEST(m->header().message_id == 0U);
    talk.server.post(answer(std::move(m), op_code::hello_response));
    peer.send({.op = op_code::request, .message_id = 0});
    m = talk.expect(talk.server, op_code::request);
    BOOST_TEST(m->header().message_id == 0U);
    talk.server.post(answer(std::move(m), op_code::response));
    peer.send({.op = op_code::bye_request, .message_id = 0});
    talk.server.post(answer(talk.expect(talk.server, op_code::bye_request), op_code::bye_response));
    for (const op_code op : {op_code::hello_response, op_code::response, op_code::bye_response}) {
        const auto got = peer.receive();
        BOOST_REQUIRE(got);
        BOOST_TEST(to_string(got->header.op) == to_string(op));
        BOOST_TEST(got->header.message_id == 0U);
    }
}

TOFU_TEST_CASE(origin_is_cleared_and_status_and_lengths_are_what_they_say, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    tofu::message_ptr m = make(talk.engine, op_code::request, link.client, "seven b");
    m->header().origin = tofu::origin::engine;
    m->header().status_byte = 200;
    m->header().text_headers_length = 9999;
    m->header().body_length = 9999;
    const tofu::binary_header sent = talk.client.post(std::move(m));
    BOOST_TEST((sent.origin == tofu::origin::application));
    BOOST_TEST(sent.body_length == 7U);
    BOOST_TEST(sent.text_headers_length == 0U);
    m = talk.expect(talk.server, op_code::request);
    BOOST_TEST(!m->from_engine());
    BOOST_TEST(m->header().status_byte == 200);
    BOOST_TEST(m->header().body_length == 7U);
    BOOST_TEST(m->header().text_headers_length == 0U);
    BOOST_TEST(body_of(*m) == "seven b");
}

TOFU_TEST_CASE(internal_bits_of_a_peer_do_not_travel_on, here) {
    dialogue talk(here);
    raw_socket peer(talk.engine, talk.listen());
    be_accepted(talk, peer);
    std::vector<std::byte> wire = raw_socket::wire_of({.op = op_code::request, .message_id = 5}, {}, "hi");
    wire[2] |= std::byte{0xC0};
    peer.send(wire);
    tofu::message_ptr m = talk.expect(talk.server, op_code::request);
    BOOST_TEST(!m->from_engine());
    talk.server.post(answer(std::move(m), op_code::response));
    const std::vector<std::byte> back = peer.receive_bytes(wire.size());
    BOOST_REQUIRE(back.size() == wire.size());
    BOOST_TEST(std::to_integer<int>(back[2]) == static_cast<int>(op_code::response)); // proto byte: op code alone
}

// Room in the send queue.

/// A channel whose raw peer does not read yet, with its send queue full.
struct full_channel {
    explicit full_channel(const setting& here, const tofu::options& opts)
        : talk(here, opts), peer(talk.engine, talk.listen()) {
        channel = be_accepted(talk, peer);
        std::error_code error;
        do { // the system's buffers may still take something
            for (error.clear(); !error; ++posted) talk.server.post(next(), error);
            --posted;
            BOOST_REQUIRE((error == status::send_failed));
        } while (talk.engine.drain(moment));
        for (error.clear(); !error; ++posted) talk.server.post(next(), error);
        --posted;
    }
    tofu::message_ptr next(std::uint64_t id = 0) {
        return make(talk.engine, op_code::signal, channel, std::string(tofu::max_part_length, 'x'), id);
    }
    /// Reads on a thread of its own until the message with this id.
    std::thread read_until(std::uint64_t id) {
        return std::thread([this, id] {
            for (auto m = peer.receive(); m; m = peer.receive()) {
                received.fetch_add(1);
                if (m->header.message_id == id) return;
            }
        });
    }

    dialogue talk;
    raw_socket peer;
    std::uint16_t channel = 0;
    std::size_t posted = 0;
    std::atomic<std::size_t> received{0};
};

constexpr std::uint64_t last_id = 0xABCDEF;

/// A send queue may be full of messages or of bytes. Seven of full_channel's messages leave room for 65,431 bytes; each
/// of them has 65,551.
constexpr tofu::options few_messages{.max_queued_messages = 3};
constexpr tofu::options few_bytes{.max_queued_bytes = 512 * 1024};

/// A wait_post on a thread of its own. The test goes on meanwhile, and can end a wait that does not end by itself.
class waiting_post {
public:
    waiting_post(full_channel& c, nanoseconds timeout) : message(c.next(last_id)), c_(c) {
        result_ = std::async(std::launch::async, [this, timeout] {
            std::error_code error;
            c_.talk.server.wait_post(std::move(message), timeout, error);
            return error;
        });
    }
    waiting_post(const waiting_post&) = delete;
    waiting_post& operator=(const waiting_post&) = delete;
    ~waiting_post() {
        if (!result_.valid()) return;
        c_.peer.reset(); // the end of the channel ends the wait
        while (!is_over()) c_.talk.turn_loop();
    }

    [[nodiscard]] bool is_over() const { return result_.wait_for(0s) == std::future_status::ready; }
    /// The outcome; the test ends when there is none in time.
    [[nodiscard]] std::error_code outcome() {
        BOOST_REQUIRE_MESSAGE(result_.wait_for(patience) == std::future_status::ready, "wait_post does not end");
        return result_.get();
    }

    tofu::message_ptr message; ///< null: the engine's. To be looked at after the outcome.

private:
    full_channel& c_;
    std::future<std::error_code> result_;
};

TOFU_TEST_CASE(a_full_send_queue_refuses_until_there_is_room, here) {
    for (const tofu::options& opts :
         {tofu::options{.max_queued_bytes = 512 * 1024}, tofu::options{.max_queued_messages = 3}}) {
        full_channel c(here, opts);
        expect_refused(c.talk.server, c.next(), status::send_failed);
        const auto figures = c.talk.server.stats(c.channel);
        BOOST_REQUIRE(figures);
        BOOST_TEST(figures->queued_messages <= opts.max_queued_messages);
        BOOST_TEST(figures->queued_bytes <= opts.max_queued_bytes);

        for (std::size_t i = 0; i < c.posted; ++i) BOOST_REQUIRE(c.peer.receive()); // accepted messages arrive
        BOOST_REQUIRE(c.talk.engine.drain(patience));
        c.talk.server.post(c.next(last_id));
        const auto m = c.peer.receive();
        BOOST_REQUIRE(m);
        BOOST_TEST(m->header.message_id == last_id);
    }
}

TOFU_TEST_CASE(a_full_send_queue_has_room_for_the_end, here) {
    full_channel c(here, {.max_queued_messages = 3});
    c.talk.server.post(make(c.talk.engine, op_code::bye_request, c.channel, {}, last_id));
    std::thread reader = c.read_until(last_id);
    reader.join();
    BOOST_TEST(c.received.load() == c.posted + 1);
}

TOFU_TEST_CASE(wait_post_gives_up_in_time_and_leaves_the_message, here) {
    for (const tofu::options& opts : {few_messages, few_bytes}) {
        full_channel c(here, opts);
        const auto before = std::chrono::steady_clock::now();
        waiting_post late(c, 30ms);
        const std::error_code error = late.outcome();
        const auto took = std::chrono::steady_clock::now() - before;
        BOOST_TEST((error == status::send_failed), error.message());
        BOOST_REQUIRE(late.message);
        BOOST_TEST(late.message->header().message_id == last_id);
        BOOST_TEST((took >= 30ms));
        BOOST_TEST((took < 5s)); // far from any other deadline of the engine
    }
}

TOFU_TEST_CASE(wait_post_waits_until_there_is_room, here) {
    full_channel c(here, {.max_queued_messages = 3});
    std::vector<tofu::message_ptr> more; // made before: Boost.Test is for one thread, and the reader may do checks
    for (int i = 0; i < 50; ++i) more.push_back(c.next());
    more.push_back(c.next(last_id));
    std::thread reader = c.read_until(last_id);
    std::error_code error;
    for (tofu::message_ptr& m : more)
        if (!error) c.talk.server.wait_post(std::move(m), patience, error);
    if (!error) c.talk.engine.drain(patience);
    reader.join();
    BOOST_TEST(!error, error.message());
    BOOST_TEST(c.received.load() == c.posted + more.size());
}

TOFU_TEST_CASE(wait_post_waits_until_there_is_room_for_the_bytes, here) {
    full_channel c(here, few_bytes);
    waiting_post late(c, 1h);
    c.talk.expect_silence(c.talk.server);
    for (std::size_t i = 0; i < c.posted; ++i) BOOST_REQUIRE(c.peer.receive());
    const auto last = c.peer.receive();
    BOOST_REQUIRE(last);
    BOOST_TEST(last->header.message_id == last_id);
    const std::error_code error = late.outcome();
    BOOST_TEST(!error, error.message());
}

// The bye time is off: no later end of the channel can end the wait in place of the half-close.
TOFU_TEST_CASE(wait_post_learns_that_a_half_closed_peer_takes_nothing_more, here) {
    full_channel c(here, {.max_queued_messages = 3, .bye_time = 0ms});
    waiting_post late(c, 1h);
    c.talk.expect_silence(c.talk.server); // most likely the post waits by now
    c.peer.shutdown_write();
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!late.is_over()) { // the receiver reaches the end of what the peer has sent
        BOOST_REQUIRE(!c.talk.server.wait_receive(1ms));
        BOOST_REQUIRE(std::chrono::steady_clock::now() < until);
    }
    const std::error_code error = late.outcome();
    BOOST_TEST((error == status::invalid_channel_number), error.message());
    BOOST_TEST(static_cast<bool>(late.message));
}

// Caller only: memory is short on this thread only. The bye time is off, as above.
TOFU_TEST_CASE(without_memory_to_mark_its_end_a_half_closed_peer_takes_nothing_more, here, caller_only) {
    full_channel c(here, {.max_queued_messages = 3, .bye_time = 0ms});
    tofu::message_ptr m = c.next();
    c.peer.shutdown_write();
    std::error_code error;
    const auto until = std::chrono::steady_clock::now() + patience;
    while (error != status::invalid_channel_number) {
        if (!m) m = c.next(); // the system's buffers have taken something
        const scarce_memory scarce(0);
        std::error_code ignored;
        c.talk.engine.run_once(1ms, ignored);
        c.talk.server.post(std::move(m), error);
        BOOST_REQUIRE(std::chrono::steady_clock::now() < until);
    }
    BOOST_TEST(static_cast<bool>(m));
    BOOST_TEST(c.talk.server.stats(c.channel).has_value()); // queued messages may still be sent
}

TOFU_TEST_CASE(wait_post_learns_that_the_channel_has_ended, here) {
    full_channel c(here, few_messages);
    waiting_post late(c, 1h);
    c.talk.expect_silence(c.talk.server); // most likely the post waits by now
    c.peer.reset();
    const std::error_code error = late.outcome();
    BOOST_TEST((error == status::invalid_channel_number), error.message());
    BOOST_TEST(static_cast<bool>(late.message));
}

TOFU_TEST_CASE(wait_post_refuses_at_once_what_room_does_not_help, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    std::error_code error;
    tofu::message_ptr m = make(talk.engine, op_code::bye_response, link.client);
    talk.client.wait_post(std::move(m), tofu::infinite_duration, error);
    BOOST_TEST((error == status::not_allowed));
    BOOST_TEST(static_cast<bool>(m));
}

// The twins that throw.

TOFU_TEST_CASE(the_throwing_twins_throw_a_system_error_of_tofu, here) {
    full_channel c(here, {.max_queued_messages = 3});
    const auto is = [](status why) {
        return [why](const std::system_error& e) {
            return e.code() == why && e.code().category() == tofu::status_category();
        };
    };
    tofu::message_ptr m = c.next();
    BOOST_CHECK_EXCEPTION(c.talk.server.post(std::move(m)), std::system_error, is(status::send_failed));
    BOOST_REQUIRE(m); // the caller still holds it
    BOOST_CHECK_EXCEPTION(c.talk.server.wait_post(std::move(m), 1ms), std::system_error, is(status::send_failed));
    BOOST_REQUIRE(m);
    m->header().op = op_code::bye_response;
    BOOST_CHECK_EXCEPTION(c.talk.server.post(std::move(m)), std::system_error, is(status::not_allowed));
    BOOST_REQUIRE(m);
    BOOST_CHECK_EXCEPTION(c.talk.client.post(std::move(m)), std::system_error, is(status::invalid_channel_group));
    BOOST_REQUIRE(m);
    BOOST_CHECK_EXCEPTION(c.talk.client.post(nullptr), std::system_error, is(status::null_message));
    any_group none = c.talk.engine.group_without_engine();
    BOOST_CHECK_EXCEPTION(none.post(std::move(m)), std::system_error, is(status::shutdown_started));
    BOOST_REQUIRE(m);
    BOOST_CHECK_EXCEPTION(static_cast<void>(none.wait_receive(1ms)), std::system_error, is(status::shutdown_started));
}

BOOST_AUTO_TEST_SUITE_END()
