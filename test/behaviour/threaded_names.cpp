// SPDX-License-Identifier: BSL-1.0
// Names looked up by the resolver's real threads: a slow name delays some operations, and others do not wait for it.
#include "support/child_process.hpp"
#if !defined(_WIN32)
#include "support/forked_child.hpp"
#endif
#include "support/gated_names.hpp"
#include "support/harness.hpp"
#include "support/own_ports.hpp"
#include "support/reactor_of.hpp"

#include <tofu/engine/protocol/failure.hpp>
#include <tofu/reactor.hpp>

#include <pollers.hpp>

#if defined(_WIN32)
#include <process.h>
#else
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ; // POSIX leaves that to the program (environ(7)); Linux does it all the same
#endif

#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(threaded_names)

static_assert(std::is_same_v<tofu::default_poll::network_type::resolver, tofu::platform::system_resolver>);

namespace {

using threaded_network = tofu::platform::network<tofu::platform::basic_threaded_resolver<book_names>>;
// Names belong to TCP, and no poll policy knows of them: any one will do.
using threaded_poll = default_poll_over<threaded_network>;
constexpr settings one_network = defaults_only & tcp_only;
using threaded_reactor = tofu::basic_reactor<threaded_poll>;

/// Names are looked up in a book by the threads of the real resolver.
struct threaded_dialogue : dialogue_with_names {
    threaded_dialogue(const book_names& names, const setting& at, const tofu::options& opts = {})
        : dialogue_with_names(
              at, any_reactor(std::make_unique<reactor_of<threaded_reactor>>(
                      opts, at.who, nullptr, threaded_poll(threaded_network(threaded_network::resolver(names)))))) {}

    /// Connects to as many slow names as there are threads, and waits until each of them looks one up.
    std::array<std::uint16_t, 4> occupy_all_threads(const open_book& book) {
        std::array<std::uint16_t, 4> channels{};
        for (std::size_t i = 0; i < channels.size(); ++i) {
            const std::string name = "slow-" + std::to_string(i);
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

/// The reasons and channels of the next goodbyes of channels that never opened, in any order.
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

/// The reason of a channel to `where`, which the system refuses at once, with a number of its own choice.
std::string refusal_of(const tofu::address& where) {
    tofu::platform::endpoint to;
    tofu::io_error error;
    BOOST_REQUIRE(!tofu::platform::to_endpoint(where, false, to));
    static_cast<void>(tofu::platform::socket::connect(to, {}, error));
    BOOST_REQUIRE(error);
    return std::string(to_text(tofu::engine::cause_of(error, status::connect_failed)).view());
}

/// Runs one case of this program in a process of its own, which does not count it (see support/cases.cpp): 0 when that
/// ended by itself and all was right.
int run_alone(const std::string& test_case) {
    std::vector<std::string> words = own_command();
    const std::string program = words.front();
    words.insert(words.end(), {"--run_test=" + test_case, "--", "uncounted"});
    std::vector<char*> arguments;
#if defined(_WIN32)
    words.front() = '"' + program + '"'; // the arguments travel as one text
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    return static_cast<int>(::_spawnv(_P_WAIT, program.c_str(), arguments.data()));
#else
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t child = 0;
    BOOST_REQUIRE(::posix_spawnp(&child, program.c_str(), nullptr, nullptr, arguments.data(), environ) == 0);
    int ended = 0;
    BOOST_REQUIRE(::waitpid(child, &ended, 0) == child);
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
#endif
}

} // namespace

TOFU_TEST_CASE(localhost_is_listened_on_and_connected_to, here, one_network) {
    open_book book; // with nothing in it, the system is asked
    threaded_dialogue talk(book.names(), here);
    const tofu::address bound = talk.listen(tofu::tcp_address{"localhost", 0});
    BOOST_TEST((bound.host() == "127.0.0.1" || bound.host() == "::1"));
    talk.connect(tofu::tcp_address{"localhost", bound.port()}); // the same addresses in the same order
    BOOST_TEST(book->asked().size() == 2U);
}

TOFU_TEST_CASE(a_name_the_system_does_not_know_fails, here, one_network) {
    open_book book;
    threaded_dialogue talk(book.names(), here);
    const std::string name(64, 'x'); // longer than a label may be: refused without asking anybody
    const std::uint16_t client = talk.hello_to_name(name);
    talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed, "name_not_found");
    const std::uint16_t listener = talk.listen_on_name(name);
    talk.expect_failure(talk.server, op_code::welcome_response, listener, status::listen_failed, "name_not_found");
    talk.connect(talk.listening_at);
}

TOFU_TEST_CASE(literals_never_reach_the_threads, here, one_network) {
    open_book book;
    threaded_dialogue talk(book.names(), here);
    talk.connect(talk.listening_at);
    const std::uint16_t client = talk.hello(nowhere()).channel_number;
    talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed, "address_not_available");
    talk.listen(tofu::tcp_address{"", 0});
    BOOST_TEST(book->asked().empty());
}

TOFU_TEST_CASE(each_address_that_was_looked_up_is_tried_in_turn, here, one_network) {
    open_book book;
    threaded_dialogue talk(book.names(), here);
    const refusing_port refusing;
    book->write("one.refuses", {refusing.where(), talk.listening_at});
    talk.hello_to_name("one.refuses");
    talk.accept();
    BOOST_TEST(!talk.expect(talk.client, op_code::hello_response)->from_engine());
}

TOFU_TEST_CASE(when_all_addresses_fail_the_most_telling_one_says_why, here, one_network) {
    open_book book;
    threaded_dialogue talk(book.names(), here);
    const refusing_port refusing;
    const tofu::address group_address = tofu::tcp_address{"224.0.0.1", 9}; // multicast: no TCP, the system says at once
    book->write("refused.last", {group_address, refusing.where()});
    book->write("refused.first", {refusing.where(), group_address});
    book->write("refused.never", {group_address});
    for (const std::string_view name : {"refused.last", "refused.first"}) {
        const std::uint16_t client = talk.hello_to_name(name);
        talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed, "connect_refused");
    }
    const std::uint16_t client = talk.hello_to_name("refused.never");
    talk.expect_failure(talk.client, op_code::hello_response, client, status::connect_failed,
                        refusal_of(group_address));
}

TOFU_TEST_CASE(a_slow_name_delays_no_other_channel, here, one_network) {
    open_book book;
    threaded_dialogue talk(book.names(), here);
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

#if !defined(_WIN32)
// The child has none of the threads that look its parent's names up.
TOFU_TEST_CASE(a_forked_child_waits_for_no_look_up, here, one_network) {
    open_book book;
    threaded_dialogue talk(book.names(), here);
    const auto slow = talk.occupy_all_threads(book);
    forked_child child([&](const fork_line&) {
        { any_reactor gone = std::move(talk.engine); }
        { any_group gone = std::move(talk.client); }
        { any_group gone = std::move(talk.server); }
        if (!child_may_start_threads) return;
        open_book other;
        threaded_dialogue own(other.names(), here);
        other->write("known", {own.listening_at});
        own.connect(tofu::tcp_address{"known", 80});
    });
    child.wait();
    book->release_all();
    for (std::size_t i = 0; i < slow.size(); ++i) {
        talk.accept();
        BOOST_TEST(!talk.expect(talk.client, op_code::hello_response)->from_engine());
    }
}
#endif

TOFU_TEST_CASE(more_slow_names_than_threads_wait_for_their_turn, here, one_network) {
    open_book book;
    threaded_dialogue talk(book.names(), here);
    talk.occupy_all_threads(book);
    book->write("fifth", {talk.listening_at});
    const std::uint16_t fifth = talk.hello_to_name("fifth");
    talk.turn_loop();
    BOOST_TEST(book->asked().size() == 4U);
    book->release("slow-2");
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

TOFU_TEST_CASE(connect_time_ends_the_wait_for_a_slow_name_and_for_its_turn, here, one_network) {
    open_book book;
    {
        threaded_dialogue talk(book.names(), here, {.connect_time = 500ms}); // the threads come sooner
        for (const char* const name : {"slow-0", "slow-1", "slow-2", "slow-3"}) book->hold(name);
        std::vector<std::pair<std::uint16_t, std::string>> expected;
        for (const char* const name : {"slow-0", "slow-1", "slow-2", "slow-3"})
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

TOFU_TEST_CASE(an_abort_ends_the_wait_for_a_slow_name_and_for_its_turn, here, one_network) {
    open_book book;
    {
        threaded_dialogue talk(book.names(), here);
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

TOFU_TEST_CASE(a_reactor_goes_at_once_while_its_names_are_looked_up, here, one_network) {
    open_book book;
    std::optional<threaded_dialogue> talk(std::in_place, book.names(), here);
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

TOFU_TEST_CASE(the_threads_are_the_last_to_let_go_of_a_dead_engine, here, one_network) {
    open_book book;
    {
        threaded_dialogue talk(book.names(), here);
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
    threaded_dialogue talk(book_names(book), settings::at(0));
    talk.hello_to_name("endless");
    book->await_asked(1);
}

BOOST_AUTO_TEST_CASE(a_process_may_end_while_a_name_is_looked_up) {
    BOOST_TEST(run_alone("threaded_names/a_look_up_is_left_behind") == 0);
}

BOOST_AUTO_TEST_SUITE_END()
