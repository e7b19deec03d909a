// SPDX-License-Identifier: BSL-1.0
// Names instead of literals: what the engine does while a resolver thinks, with its answer, and without one; first with
// a resolver that does what a test says, then with the resolver's real threads.
#include "gated_names.hpp"
#include "own_ports.hpp"
#include "scripted_names.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <type_traits>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(names)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_name_is_asked_for_and_its_address_connected_to, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    const tofu::address where = talk.listen();
    const std::uint16_t client = talk.hello_to_name("a.name");
    question asked = service.next(talk.engine);
    BOOST_TEST(asked.host == "a.name");
    BOOST_TEST(asked.port == 80);
    BOOST_TEST(!asked.for_listening);
    asked.answer({where});

    tofu::message_ptr m = talk.expect(talk.server, op_code::hello_request);
    BOOST_TEST(m->headers().find(tofu::connect_to_header) == "tcp|a.name|80"); // as it was posted
    talk.server.post(answer(std::move(m), op_code::hello_response));
    m = talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST(m->header().channel_number == client);
    BOOST_TEST(!m->from_engine());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_literal_never_goes_to_the_resolver, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    talk.connect();
    BOOST_TEST(service.idle());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_address_of_a_name_is_tried_in_turn, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    const tofu::address where = talk.listen();
    const std::array<refusing_port, 3> refusing;
    const std::uint16_t client = talk.hello_to_name();
    service.next(talk.engine).answer({refusing[0].where(), refusing[1].where(), where, refusing[2].where()});
    talk.accept();
    const tofu::message_ptr m = talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST(!m->from_engine());
    BOOST_TEST(m->header().channel_number == client);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(when_every_address_refuses_so_does_the_name, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    const std::array<refusing_port, 2> refusing;
    const std::uint16_t client = talk.hello_to_name();
    service.next(talk.engine).answer({refusing[0].where(), refusing[1].where()});
    talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed, "connect_refused");
    talk.expect_silence(talk.client);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_unknown_name_fails_the_connect, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    const tofu::binary_header hello = talk.hello(tofu::tcp_address{"un.known", 1});
    service.next(talk.engine).fail(tofu::io_failure::name_not_found);
    const tofu::message_ptr m = talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST(m->from_engine());
    BOOST_TEST(m->header().message_id == hello.message_id);
    BOOST_TEST(m->header().channel_number == hello.channel_number);
    BOOST_TEST(to_string(m->status()) == to_string(status::connect_failed));
    BOOST_TEST(reason_of(*m) == "name_not_found");
    talk.expect_silence(talk.client);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_answer_without_addresses_is_an_unknown_name, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    const std::uint16_t client = talk.hello_to_name();
    service.next(talk.engine).answer({});
    talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed, "name_not_found");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_question_dropped_unanswered_is_an_unknown_name, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    const std::uint16_t client = talk.hello_to_name();
    { const question dropped = service.next(talk.engine); }
    talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed, "name_not_found");
    const std::uint16_t listener = talk.listen_on_name();
    { const question dropped = service.next(talk.engine); }
    talk.expect_failure(talk.server, op_code::welcome_response, listener, status::listen_failed, "name_not_found");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_answer_may_come_from_another_thread, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    const tofu::address where = talk.listen();
    talk.hello_to_name();
    question asked = service.next(talk.engine);
    std::thread resolver([&] { asked.answer({where}); });
    talk.accept(); // in a caller-driven engine this thread waits in the poller meanwhile
    resolver.join();
    BOOST_TEST(!talk.expect(talk.client, op_code::hello_response)->from_engine());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(others_go_on_while_a_name_is_asked_for, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    const auto link = talk.connect();
    talk.hello_to_name();
    const std::uint16_t listener = talk.listen_on_name();
    const question first = service.next(talk.engine);
    const question second = service.next(talk.engine);
    BOOST_TEST(second.for_listening);
    for (int i = 0; i < 10; ++i) {
        talk.client.post(make(talk.engine, op_code::request, link.client, "still there?"));
        talk.server.post(answer(talk.expect(talk.server, op_code::request), op_code::response));
        BOOST_TEST(body_of(*talk.expect(talk.client, op_code::response)) == "still there?");
    }
    BOOST_TEST(talk.server.stats(listener).has_value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_was_posted_meanwhile_follows_the_hello, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    const tofu::address where = talk.listen();
    const std::uint16_t client = talk.hello_to_name();
    question asked = service.next(talk.engine);
    talk.client.post(make(talk.engine, op_code::request, client, "first"));
    talk.client.post(make(talk.engine, op_code::signal, client, "second"));
    asked.answer({where});
    talk.accept();
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "first");
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::signal)) == "second");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_was_posted_meanwhile_comes_back_when_the_name_is_unknown, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    const std::uint16_t client = talk.hello_to_name();
    question asked = service.next(talk.engine);
    talk.client.post(make(talk.engine, op_code::request, client, "in vain", 77));
    asked.fail(tofu::io_failure::name_not_found);
    const tofu::message_ptr m = talk.expect(talk.client, op_code::request);
    BOOST_TEST(m->from_engine());
    BOOST_TEST(body_of(*m) == "in vain");
    BOOST_TEST(m->header().message_id == 77U);
    BOOST_TEST(to_string(m->status()) == to_string(status::connect_failed));
    talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed, "name_not_found");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_resolver_that_never_answers_is_a_connect_timeout, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who, {.connect_time = 50ms});
    const auto before = std::chrono::steady_clock::now();
    const std::uint16_t client = talk.hello_to_name();
    talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed, "connect_timeout");
    BOOST_TEST((std::chrono::steady_clock::now() - before >= 50ms));
    question late = service.next(talk.engine);
    late.answer({talk.listen()});
    talk.expect_silence(talk.client);
    talk.expect_silence(talk.server);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_abort_ends_the_wait_for_a_name, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    const tofu::address where = talk.listen();
    const std::uint16_t client = talk.hello_to_name();
    question late = service.next(talk.engine);
    talk.client.post(make(talk.engine, op_code::bye_signal, client));
    talk.expect_failure(talk.client, op_code::hello_response, client, status::channel_closed, "aborted");
    late.answer({where});
    talk.expect_silence(talk.client);
    talk.expect_silence(talk.server);
    talk.connect(where);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_abort_ends_a_listener_that_waits_for_its_name, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    const std::uint16_t listener = talk.listen_on_name();
    question late = service.next(talk.engine);
    talk.server.post(make(talk.engine, op_code::bye_signal, listener));
    talk.expect_failure(talk.server, op_code::welcome_response, listener, status::channel_closed, "aborted");
    late.answer({loopback()});
    talk.expect_silence(talk.server);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_late_answer_does_not_reach_the_next_owner_of_the_slot, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    const tofu::address where = talk.listen();
    const std::uint16_t first = talk.hello_to_name("first");
    question late = service.next(talk.engine);
    talk.client.post(make(talk.engine, op_code::bye_signal, first));
    talk.expect_failure(talk.client, op_code::hello_response, first, status::channel_closed, "aborted");
    const std::uint16_t second = talk.hello_to_name("second"); // the free slot was used last
    question present = service.next(talk.engine);
    late.answer({where});
    talk.expect_silence(talk.server);
    present.fail(tofu::io_failure::name_not_found);
    talk.expect_failure(talk.client, op_code::hello_response, second, status::connect_failed, "name_not_found");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_listener_may_have_a_name, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    const std::uint16_t listener = talk.listen_on_name();
    question asked = service.next(talk.engine);
    BOOST_TEST(asked.for_listening);
    asked.answer({loopback()});
    const tofu::message_ptr m = talk.expect(talk.server, op_code::welcome_response);
    BOOST_TEST(m->from_engine());
    BOOST_TEST(m->header().channel_number == listener);
    BOOST_TEST(to_string(m->status()) == to_string(status::success));
    talk.connect(tofu::parse_address(m->headers().find(tofu::listen_on_header)).value);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_address_of_a_listeners_name_is_tried_in_turn, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    const tofu::address taken = talk.listen();
    talk.listen_on_name();
    service.next(talk.engine).answer({taken, tofu::tcp_address{"192.0.2.1", 0}, loopback()}); // 192.0.2.1: nobody's
    const tofu::message_ptr m = talk.expect(talk.server, op_code::welcome_response);
    BOOST_TEST(to_string(m->status()) == to_string(status::success));
    talk.connect(tofu::parse_address(m->headers().find(tofu::listen_on_header)).value);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_listener_whose_addresses_all_fail_tells_the_last_failure, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    const tofu::address taken = talk.listen();
    std::uint16_t listener = talk.listen_on_name();
    service.next(talk.engine).answer({tofu::tcp_address{"192.0.2.1", 0}, taken});
    talk.expect_failure(talk.server, op_code::welcome_response, listener, status::listen_failed, "address_in_use");
    listener = talk.listen_on_name();
    service.next(talk.engine).answer({tofu::tcp_address{"192.0.2.1", 0}});
    talk.expect_failure(talk.server, op_code::welcome_response, listener, status::listen_failed,
                        "address_not_available");
    listener = talk.listen_on_name();
    service.next(talk.engine).fail(tofu::io_failure::name_not_found);
    talk.expect_failure(talk.server, op_code::welcome_response, listener, status::listen_failed, "name_not_found");
    talk.expect_silence(talk.server);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_group_may_go_while_its_name_is_asked_for, Mode, modes) {
    name_service service;
    scripted_dialogue<> talk(service, Mode::who);
    const tofu::address where = talk.listen();
    talk.hello_to_name();
    question late = service.next(talk.engine);
    talk.client = talk.engine.create_group();
    late.answer({where});
    talk.expect_silence(talk.server);
    talk.connect(where);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_engine_may_stop_while_names_are_asked_for, Mode, modes) {
    name_service service;
    std::optional<scripted_dialogue<>> talk(std::in_place, service, Mode::who);
    const std::uint16_t client = talk->hello_to_name();
    const std::uint16_t listener = talk->listen_on_name();
    question to_connect = service.next(talk->engine);
    question to_listen = service.next(talk->engine);
    auto clients = std::move(talk->client);
    auto servers = std::move(talk->server);
    talk.reset();

    tofu::message_ptr m = clients.wait_receive(patience);
    BOOST_REQUIRE(m);
    BOOST_TEST((m->op() == op_code::hello_response));
    BOOST_TEST(m->header().channel_number == client);
    BOOST_TEST(to_string(m->status()) == to_string(status::shutdown_started));
    BOOST_TEST(reason_of(*m) == "engine_stopped");
    m = servers.wait_receive(patience);
    BOOST_REQUIRE(m);
    BOOST_TEST((m->op() == op_code::welcome_response));
    BOOST_TEST(m->header().channel_number == listener);
    BOOST_TEST(to_string(m->status()) == to_string(status::shutdown_started));

    to_connect.answer({loopback(9)}); // after the end: dropped
    std::error_code error;
    BOOST_TEST(!clients.wait_receive(patience, error));
    BOOST_TEST((error == status::shutdown_started));
    // The other question is the last to let go of the engine: it may outlive reactor, groups and messages.
    clients = {};
    servers = {};
    m.reset();
    to_listen.answer({loopback()});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(questions_of_a_dead_engine_may_be_dropped, Mode, modes) {
    name_service service;
    std::vector<question> unanswered;
    {
        scripted_dialogue<> talk(service, Mode::who);
        talk.hello_to_name();
        unanswered.push_back(service.next(talk.engine));
        talk.listen_on_name();
        unanswered.push_back(service.next(talk.engine));
    }
    unanswered.clear(); // the last hold on the engine: what it must not do is the sanitizers' to see
    BOOST_TEST(service.idle());
}

// The inbox is drained only when the engine already stops: the answer must not hide the reason why its channels end.
BOOST_AUTO_TEST_CASE(an_answer_that_comes_while_the_engine_stops_changes_nothing) {
    name_service service;
    std::optional<scripted_dialogue<>> talk(std::in_place, service, tofu::driven_by::caller);
    talk->hello_to_name();
    question asked = service.next(talk->engine);
    auto clients = std::move(talk->client);
    const auto servers = std::move(talk->server); // the end of a group would turn the loop
    asked.fail(tofu::io_failure::aborted);
    talk.reset();
    const tofu::message_ptr m = clients.wait_receive(patience);
    BOOST_REQUIRE(m);
    BOOST_TEST(to_string(m->status()) == to_string(status::shutdown_started));
    BOOST_TEST(reason_of(*m) == "engine_stopped");
}

// ---- by the resolver's threads ----

static_assert(std::is_same_v<tofu::default_poll::network_type::resolver, tofu::platform::system_resolver>);

namespace {

using threaded_network = tofu::platform::network<tofu::platform::basic_threaded_resolver<book_names>>;
using threaded_poll = poll_with_network<threaded_network>;
using threaded_reactor = tofu::basic_reactor<threaded_poll>;

/// Names are looked up in a book by the threads of the real resolver.
struct threaded_dialogue : dialogue_with_names<threaded_reactor> {
    threaded_dialogue(const book_names& names, tofu::driven_by who, const tofu::options& opts = {})
        : dialogue_with_names(who, opts, threaded_poll(threaded_network(threaded_network::resolver(names)))) {}

    /// Connects to as many slow names as there are threads, and waits until each of them looks one up.
    std::array<std::uint16_t, 4> occupy_all_threads(const open_book& book) {
        std::array<std::uint16_t, 4> channels{};
        for (std::size_t i = 0; i < channels.size(); ++i) {
            const std::string name = "slow." + std::to_string(i);
            book->write(name, {listening_at});
            book->hold(name);
            channels[i] = hello_to_name(name);
        }
        turn_loop();
        book->await_asked(channels.size());
        return channels;
    }

    tofu::address listening_at = listen();
};

/// The reasons and channels of the next goodbyes of channels that never opened, whatever their order.
template <class Group>
std::vector<std::pair<std::uint16_t, std::string>> goodbyes(Group& group, std::size_t count) {
    std::vector<std::pair<std::uint16_t, std::string>> result;
    for (; count != 0; --count) {
        const tofu::message_ptr m = group.wait_receive(patience);
        BOOST_REQUIRE(m);
        BOOST_TEST(m->from_engine());
        result.emplace_back(m->header().channel_number, reason_of(*m));
    }
    std::sort(result.begin(), result.end());
    return result;
}

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(localhost_is_listened_on_and_connected_to, Mode, modes) {
    open_book book; // with nothing in it, the system is asked
    threaded_dialogue talk(book.names(), Mode::who);
    const tofu::address bound = talk.listen(tofu::tcp_address{"localhost", 0});
    BOOST_TEST((bound.host() == "127.0.0.1" || bound.host() == "::1"));
    talk.connect(tofu::tcp_address{"localhost", bound.port()}); // the same addresses in the same order
    BOOST_TEST(book->asked().size() == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_name_the_system_does_not_know_fails, Mode, modes) {
    open_book book;
    threaded_dialogue talk(book.names(), Mode::who);
    const std::string name(64, 'x'); // longer than a label may be: refused without asking anybody
    const std::uint16_t client = talk.hello_to_name(name);
    talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed, "name_not_found");
    const std::uint16_t listener = talk.listen_on_name(name);
    talk.expect_failure(talk.server, op_code::welcome_response, listener, status::listen_failed, "name_not_found");
    talk.connect(talk.listening_at);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(literals_never_reach_the_threads, Mode, modes) {
    open_book book;
    threaded_dialogue talk(book.names(), Mode::who);
    talk.connect(talk.listening_at);
    const std::uint16_t client = talk.hello(nowhere()).channel_number;
    talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed, "address_not_available");
    talk.listen(tofu::tcp_address{"", 0});
    BOOST_TEST(book->asked().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_address_that_was_looked_up_is_tried_in_turn, Mode, modes) {
    open_book book;
    threaded_dialogue talk(book.names(), Mode::who);
    const refusing_port refusing;
    book->write("one.refuses", {refusing.where(), talk.listening_at});
    talk.hello_to_name("one.refuses");
    talk.accept();
    BOOST_TEST(!talk.expect(talk.client, op_code::hello_response)->from_engine());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(when_all_addresses_fail_the_last_one_says_why, Mode, modes) {
    open_book book;
    threaded_dialogue talk(book.names(), Mode::who);
    const refusing_port refusing;
    const tofu::address group_address = tofu::tcp_address{"224.0.0.1", 9}; // multicast: no TCP, the system says at once
    const std::string unreachable = "os_error:" + std::to_string(ENETUNREACH);
    book->write("refused.last", {group_address, refusing.where()});
    book->write("refused.first", {refusing.where(), group_address});
    std::uint16_t client = talk.hello_to_name("refused.last");
    talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed, "connect_refused");
    client = talk.hello_to_name("refused.first");
    talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed, unreachable);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_slow_name_delays_no_other_channel, Mode, modes) {
    open_book book;
    threaded_dialogue talk(book.names(), Mode::who);
    book->write("slow", {talk.listening_at});
    book->hold("slow");
    book->write("quick", {talk.listening_at});
    const std::uint16_t slow = talk.hello_to_name("slow");
    const auto link = talk.connect(talk.listening_at);
    talk.client.post(make(talk.engine, op_code::request, link.client, "still there?"));
    talk.server.post(answer(talk.expect(talk.server, op_code::request), op_code::response));
    BOOST_TEST(body_of(*talk.expect(talk.client, op_code::response)) == "still there?");
    talk.connect(tofu::tcp_address{"quick", 80});
    book->release("slow");
    talk.accept();
    BOOST_TEST(talk.expect(talk.client, op_code::hello_response)->header().channel_number == slow);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(more_slow_names_than_threads_wait_for_their_turn, Mode, modes) {
    open_book book;
    threaded_dialogue talk(book.names(), Mode::who);
    talk.occupy_all_threads(book);
    book->write("fifth", {talk.listening_at});
    const std::uint16_t fifth = talk.hello_to_name("fifth");
    talk.turn_loop();
    BOOST_TEST(book->asked().size() == 4U);
    book->release("slow.2");
    book->await_asked(5);
    talk.accept();
    talk.accept();
    book->release_all();
    for (int i = 0; i < 3; ++i) talk.accept();
    bool served = false;
    for (int i = 0; i < 5; ++i) {
        const tofu::message_ptr m = talk.expect(talk.client, op_code::hello_response);
        BOOST_TEST(!m->from_engine());
        served = served || m->header().channel_number == fifth;
    }
    BOOST_TEST(served);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(connect_time_ends_the_wait_for_a_slow_name_and_for_its_turn, Mode, modes) {
    open_book book;
    {
        threaded_dialogue talk(book.names(), Mode::who, {.connect_time = 50ms});
        for (const char* const name : {"slow.0", "slow.1", "slow.2", "slow.3"}) book->hold(name);
        std::vector<std::pair<std::uint16_t, std::string>> expected;
        for (const char* const name : {"slow.0", "slow.1", "slow.2", "slow.3"})
            expected.emplace_back(talk.hello_to_name(name), "connect_timeout");
        talk.turn_loop();
        book->await_asked(4);
        expected.emplace_back(talk.hello_to_name("fifth"), "connect_timeout");
        const std::uint16_t listener = talk.listen_on_name("sixth");
        BOOST_TEST((goodbyes(talk.client, 5) == expected));
        talk.expect_failure(talk.server, op_code::welcome_response, listener, status::connect_failed,
                            "connect_timeout");
        book->release_all();
    }
    book->await_end();
    BOOST_TEST(book->asked().size() == 4U); // nobody wanted the others any more
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_abort_ends_the_wait_for_a_slow_name_and_for_its_turn, Mode, modes) {
    open_book book;
    {
        threaded_dialogue talk(book.names(), Mode::who);
        const std::uint16_t slow = talk.occupy_all_threads(book)[1];
        const std::uint16_t fifth = talk.hello_to_name("fifth");
        const std::uint16_t listener = talk.listen_on_name("sixth");
        talk.turn_loop();
        for (const std::uint16_t channel : {slow, fifth}) {
            talk.client.post(make(talk.engine, op_code::bye_signal, channel));
            talk.expect_failure(talk.client, op_code::hello_response, channel, status::channel_closed, "aborted");
        }
        talk.server.post(make(talk.engine, op_code::bye_signal, listener));
        talk.expect_failure(talk.server, op_code::welcome_response, listener, status::channel_closed, "aborted");
        book->release_all();
        for (int i = 0; i < 3; ++i) talk.accept(); // of the slow ones, the aborted one does not connect any more
        for (int i = 0; i < 3; ++i) talk.expect(talk.client, op_code::hello_response);
    }
    book->await_end();
    BOOST_TEST(book->asked().size() == 4U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_reactor_goes_at_once_while_its_names_are_looked_up, Mode, modes) {
    open_book book;
    std::optional<threaded_dialogue> talk(std::in_place, book.names(), Mode::who);
    std::vector<std::pair<std::uint16_t, std::string>> expected;
    for (const std::uint16_t channel : talk->occupy_all_threads(book)) expected.emplace_back(channel, "engine_stopped");
    expected.emplace_back(talk->hello_to_name("fifth"), "engine_stopped");
    const std::uint16_t listener = talk->listen_on_name("sixth");
    talk->turn_loop();
    auto clients = std::move(talk->client);
    auto servers = std::move(talk->server);
    talk.reset(); // returns, though nobody has released the look-ups

    BOOST_TEST((goodbyes(clients, 5) == expected));
    tofu::message_ptr m = servers.wait_receive(patience);
    while (m && m->header().channel_number != listener) m = servers.wait_receive(patience);
    BOOST_REQUIRE(m);
    BOOST_TEST((m->op() == op_code::welcome_response));
    BOOST_TEST(to_string(m->status()) == to_string(status::shutdown_started));
    BOOST_TEST(reason_of(*m) == "engine_stopped");
    book->release_all();
    std::error_code error;
    BOOST_TEST(!clients.wait_receive(patience, error)); // whether answers have come in meanwhile or not
    BOOST_TEST((error == status::shutdown_started));
    clients = {};
    servers = {};
    m.reset();
    book->await_end();
    BOOST_TEST(book->asked().size() == 4U); // a stopped engine's names are not looked up
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_threads_are_the_last_to_let_go_of_a_dead_engine, Mode, modes) {
    open_book book;
    {
        threaded_dialogue talk(book.names(), Mode::who);
        talk.occupy_all_threads(book);
        talk.hello_to_name("fifth");
    }
    BOOST_TEST(book->asked().size() == 4U);
    book->release_all();
    book->await_end();
    BOOST_TEST(book->asked().size() == 4U);
}

// Not a test by itself: the next one runs it in a process of its own.
BOOST_AUTO_TEST_CASE(a_look_up_is_left_behind, *boost::unit_test::disabled()) {
    const auto book = std::make_shared<name_book>();
    book->hold("endless"); // and nobody ever releases it
    threaded_dialogue talk(book_names(book), tofu::driven_by::io_thread);
    talk.hello_to_name("endless");
    book->await_asked(1);
}

BOOST_AUTO_TEST_CASE(a_process_may_end_while_a_name_is_looked_up) {
    std::string program = boost::unit_test::framework::master_test_suite().argv[0];
    std::string which = "--run_test=names/a_look_up_is_left_behind";
    const std::array<char*, 3> arguments{program.data(), which.data(), nullptr};
    pid_t child = 0;
    BOOST_REQUIRE(::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments.data(), environ) == 0);
    int ended = 0;
    BOOST_REQUIRE(::waitpid(child, &ended, 0) == child);
    BOOST_TEST(WIFEXITED(ended));
    BOOST_TEST(WEXITSTATUS(ended) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
