// SPDX-License-Identifier: BSL-1.0
// Unix domain sockets as an application sees them: statuses and reasons, the life of the file, and the credentials of
// the peer.
#include "support/harness.hpp"
#include "support/own_directory.hpp"
#include "support/scarce_memory.hpp"

#if defined(__linux__)
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <sched.h>
#endif
#if defined(_WIN32)
#include <process.h>
#else

#include <unistd.h>
#endif

#include <fstream>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(uds)

namespace {

/// The engine's answer to a hello_ or welcome_request that came to nothing.
void expect_failure(dialogue& talk, any_group& from, op_code op, status why, std::string_view reason) {
    const tofu::message_ptr m = talk.expect(from, op);
    BOOST_TEST(m->from_engine());
    BOOST_TEST(to_string(m->status()) == to_string(why));
    BOOST_TEST(reason_of(*m) == reason);
}

void expect_no_listener(dialogue& talk, const tofu::address& where, status why, std::string_view reason) {
    talk.server.post(welcome_request(talk.engine, where));
    expect_failure(talk, talk.server, op_code::welcome_response, why, reason);
}

void expect_no_connection(dialogue& talk, const tofu::address& where, status why, std::string_view reason) {
    talk.hello(where);
    expect_failure(talk, talk.client, op_code::hello_response, why, reason);
}

} // namespace

TOFU_TEST_CASE(a_listener_tells_its_path_and_serves_there, here, uds_only) {
    const own_directory home;
    dialogue talk(here);
    BOOST_TEST((talk.listen(home.address()) == home.address()));
    const auto link = talk.connect(home.address());
    talk.client.post(make(talk.engine, op_code::request, link.client, "over a path"));
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "over a path");
    BOOST_TEST((talk.client.stats(link.client)->peer == home.address()));
    BOOST_TEST(!talk.server.stats(link.server)->peer.valid()); // a connecting socket has no name
    BOOST_TEST((talk.server.stats(talk.listener)->peer == home.address()));
}

// ---- what cannot be ----

TOFU_TEST_CASE(where_nothing_is_nobody_can_connect, here, uds_only) {
    const own_directory home;
    dialogue talk(here);
    expect_no_connection(talk, home.address(), status::uds_path_not_found, "path_not_found");
    expect_no_connection(talk, home.address("no/such/directory"), status::uds_path_not_found, "path_not_found");
    leave_dead_file(home.file("dead"));
    expect_no_connection(talk, home.address("dead"), status::connect_failed, "connect_refused");
    std::ofstream(home.file("data")) << "data";
    expect_no_connection(talk, home.address("data"), status::connect_failed, "connect_refused");
}

TOFU_TEST_CASE(a_path_that_is_taken_or_missing_is_not_listened_on, here, uds_only) {
    const own_directory home;
    dialogue talk(here);
    talk.listen(home.address());
    expect_no_listener(talk, home.address(), status::listen_failed, "address_in_use");
    expect_no_listener(talk, home.address("no/such/directory"), status::uds_path_not_found, "path_not_found");
    std::ofstream(home.file("data")) << "data";
    expect_no_listener(talk, home.address("data"), status::listen_failed, "address_in_use");
    talk.connect(home.address()); // nobody has done any harm
}

TOFU_TEST_CASE(a_path_too_long_is_refused_when_it_is_posted, here, uds_only) {
    dialogue talk(here);
    tofu::message_ptr m = talk.engine.get();
    const std::string path(tofu::max_path_length + 1, 'x');
    BOOST_TEST((m->listen_on(tofu::uds_address{path}) == status::wrong_address));
    m->header().op = op_code::welcome_request;
    BOOST_REQUIRE(m->headers().append(tofu::listen_on_header, "uds|" + path) == status::success);
    std::error_code error;
    talk.server.post(std::move(m), error);
    BOOST_TEST((error == status::wrong_address));
    BOOST_TEST(m.get() != nullptr);
}

#if defined(__linux__)
TOFU_TEST_CASE(an_abstract_name_is_served_without_a_file, here, uds_only) {
    const own_directory home;
    const std::string name = home.abstract_name();
    const tofu::address where = tofu::uds_address{name};
    dialogue talk(here);
    expect_no_connection(talk, where, status::connect_failed, "connect_refused");
    BOOST_TEST((talk.listen(where) == where));
    talk.connect(where);
    expect_no_listener(talk, where, status::listen_failed, "address_in_use");
    BOOST_TEST(home.files() == 0U);
}

// The file system is asked by the thread that drives the loop, so this one (caller only)
// can be somebody else for it.
TOFU_TEST_CASE(what_is_not_permitted_is_refused_with_that_reason, here, uds_only& caller_only) {
    if (::geteuid() != 0) return; // needs two users
    const own_directory home;
    std::filesystem::permissions(home.path(), std::filesystem::perms(0755));
    dialogue talk(here);
    talk.listen(home.address());
    ::setfsuid(65534);
    expect_no_connection(talk, home.address(), status::connect_failed, "permission_denied");
    expect_no_listener(talk, home.address("new"), status::listen_failed, "permission_denied");
    ::setfsuid(0);
    talk.connect(home.address());
}

namespace {

/// On a file system of its own, which has no room for one more file. 0: as it should be; 1: it is not; 2: cannot be
/// tried here.
int listen_on_a_full_disk(const setting& here, const std::string& directory) {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 2;
    if (::mount("tofu", directory.c_str(), "tmpfs", 0, "size=4k,nr_inodes=1") != 0) return 2;
    any_reactor engine(here);
    any_group group = engine.create_group();
    tofu::message_ptr m = engine.get();
    if (m->listen_on(tofu::uds_address{directory + "/socket"}) != status::success) return 1;
    group.post(std::move(m));
    m = group.wait_receive(patience);
    const bool right = m && m->op() == op_code::welcome_response && m->status() == status::listen_failed &&
                       reason_of(*m) == "os_error:" + std::to_string(ENOSPC);
    return right ? 0 : 1;
}

} // namespace

// Caller only: a child of fork has no other thread; one poll policy is enough for what no poll policy sees.
TOFU_TEST_CASE(a_full_disk_is_named_by_the_systems_number, here, uds_only& caller_only& defaults_only) {
    const own_directory home;
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) ::_exit(listen_on_a_full_disk(here, home.path().string()));
    int ended = -1;
    BOOST_REQUIRE(::waitpid(child, &ended, 0) == child);
    BOOST_REQUIRE(WIFEXITED(ended));
    if (WEXITSTATUS(ended) == 2)
        BOOST_TEST_MESSAGE("skipped: no file system can be mounted here");
    else
        BOOST_TEST(WEXITSTATUS(ended) == 0);
}
#endif

// ---- the file ----

TOFU_TEST_CASE(a_dead_file_is_replaced, here, uds_only) {
    const own_directory home;
    leave_dead_file(home.file());
    dialogue talk(here);
    talk.connect(talk.listen(home.address()));
}

TOFU_TEST_CASE(the_file_goes_with_its_listener_however_it_ends, here, uds_only) {
    const own_directory home;
    {
        dialogue talk(here);
        talk.listen(home.address());
        BOOST_TEST(home.files() == 1U);
        talk.server.post(make(talk.engine, op_code::bye_signal, talk.listener));
        talk.expect_goodbye(talk.server, talk.listener, "aborted");
        BOOST_TEST(home.files() == 0U);

        talk.listen(home.address());
        talk.server = {};
        BOOST_TEST(home.files() == 0U);

        talk.server = talk.engine.create_group();
        talk.connect(talk.listen(home.address()));
        BOOST_TEST(home.files() == 1U);
    }
    BOOST_TEST(home.files() == 0U);
}

#if !defined(_WIN32)
TOFU_TEST_CASE(a_relative_path_is_told_as_it_was_said_and_its_file_goes_from_any_directory, here, uds_only) {
    const own_directory home;
    const own_directory elsewhere;
    const tofu::address relative = tofu::uds_address{"socket"};
    dialogue other(here);
    other.listen(elsewhere.address());
    {
        dialogue talk(here);
        {
            const working_directory there(home.path());
            BOOST_TEST((talk.listen(relative) == relative));
            BOOST_TEST((talk.server.stats(talk.listener)->peer == relative));
        }
        const working_directory there(elsewhere.path());
        BOOST_TEST(home.files() == 1U);
        const auto link = talk.connect(home.address());
        BOOST_TEST((talk.client.stats(link.client)->peer == relative));
        talk.server.post(make(talk.engine, op_code::bye_signal, talk.listener));
        talk.expect_goodbye(talk.server, talk.listener, "aborted");
        BOOST_TEST(home.files() == 0U);
    }
    other.connect(elsewhere.address()); // of the same name, and still there
}

// Not on Windows, where a socket's file has no permissions of its own.
TOFU_TEST_CASE(only_its_owner_may_connect_unless_the_options_say_otherwise, here, uds_only) {
    const own_directory home;
    dialogue shy(here);
    shy.listen(home.address("shy"));
    BOOST_TEST(permissions_of(home.file("shy")) == 0600);
    dialogue open(here, {.uds_permissions = 0666});
    open.listen(home.address("open"));
    BOOST_TEST(permissions_of(home.file("open")) == 0666);
}
#endif

// ---- who the peer is ----

TOFU_TEST_CASE(both_sides_know_who_the_other_is, here, uds_only) {
    const own_directory home;
    dialogue talk(here);
    [[maybe_unused]] const auto link = talk.connect(talk.listen(home.address()));
#if defined(__linux__)
    const tofu::peer_credentials self{.process = ::getpid(), .user = ::geteuid(), .group = ::getegid()};
    BOOST_TEST((talk.server.stats(link.server)->credentials == self));
    BOOST_TEST((talk.client.stats(link.client)->credentials == self));
#elif defined(_WIN32)
    BOOST_TEST((talk.server.stats(link.server)->credentials == tofu::peer_credentials{.process = ::_getpid()}));
#endif
    BOOST_TEST((talk.server.stats(talk.listener)->credentials == tofu::peer_credentials{}));
    const auto other = talk.connect(talk.listen(loopback()));
    BOOST_TEST((talk.server.stats(other.server)->credentials == tofu::peer_credentials{}));
}

// ---- a listener that takes no more for now ----

namespace {

constexpr std::chrono::milliseconds soon(5);

/// True if a listener that takes no more for now differs from a missing listener.
boost::test_tools::assertion_result backlogs_fill(boost::unit_test::test_unit_id) {
    if (!system_has_uds()) return uds_there({});
    const own_directory home;
    bare_socket listener(AF_UNIX);
    listener.bind(home.address());
    listener.listen();
    tofu::platform::endpoint target;
    BOOST_REQUIRE(!tofu::platform::to_endpoint(home.address(), false, target));
    std::vector<tofu::platform::socket> waiting;
    tofu::io_error error;
    while (!error && waiting.size() < 1000U) waiting.push_back(tofu::platform::socket::connect(target, {}, error));
    boost::test_tools::assertion_result result(error.kind == tofu::io_failure::backlog_full);
    if (!result) result.message() << "the system does not say that a backlog is full";
    return result;
}

/// Connects until the backlog of a listener that does not accept is full.
std::vector<tofu::platform::socket> fill_backlog(const tofu::address& where) {
    tofu::platform::endpoint target;
    BOOST_REQUIRE(!tofu::platform::to_endpoint(where, false, target));
    std::vector<tofu::platform::socket> waiting;
    tofu::io_error error;
    while (!error) {
        waiting.push_back(tofu::platform::socket::connect(target, {}, error));
        BOOST_REQUIRE(waiting.size() < 1000U);
    }
    BOOST_REQUIRE((error.kind == tofu::io_failure::backlog_full));
    waiting.pop_back();
    return waiting;
}

} // namespace

BOOST_TEST_DECORATOR(*boost::unit_test::precondition(backlogs_fill))
TOFU_TEST_CASE(a_full_backlog_is_tried_again_until_there_is_room, here, uds_only) {
    const own_directory home;
    dialogue talk(here, {.retry_time = soon});
    raw_listener busy(talk.engine, home.address(), 1);
    const auto waiting = fill_backlog(home.address());
    std::vector<std::uint16_t> numbers;
    for (int i = 0; i < 3; ++i) numbers.push_back(talk.hello(home.address(), "after all").channel_number);
    talk.expect_silence(talk.client);
    BOOST_TEST(talk.engine.stats().turns < 200U);
    for (std::size_t i = 0; i < waiting.size(); ++i) static_cast<void>(busy.accept());
    std::vector<std::unique_ptr<raw_socket>> peers;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        peers.emplace_back(new raw_socket(busy.accept()));
        BOOST_TEST(peers.back()->receive()->body == "after all");
        peers.back()->send({.op = op_code::hello_response});
        BOOST_TEST((talk.expect(talk.client, op_code::hello_response)->status() == status::success));
    }
}

BOOST_TEST_DECORATOR(*boost::unit_test::precondition(backlogs_fill))
TOFU_TEST_CASE(a_channel_that_waited_for_a_full_backlog_waits_for_credit_like_all_others, here, uds_only) {
    const own_directory home;
    dialogue talk(here, {.max_messages = 4, .retry_time = soon});
    raw_listener busy(talk.engine, home.address(), 1);
    const auto waiting = fill_backlog(home.address());
    const std::uint16_t number = talk.hello(home.address()).channel_number;
    talk.expect_silence(talk.client);
    for (std::size_t i = 0; i < waiting.size(); ++i) static_cast<void>(busy.accept());
    raw_socket peer = busy.accept();
    BOOST_REQUIRE(peer.receive());
    peer.send({.op = op_code::hello_response});
    talk.expect(talk.client, op_code::hello_response);
    for (int i = 0; i < 10; ++i) peer.send({.op = op_code::signal});
    talk.await([&] { return talk.engine.stats().starvation_episodes == 1U; });
    const std::uint64_t turns = talk.engine.stats().turns;
    talk.expect_silence(talk.server);
    BOOST_TEST(talk.engine.stats().turns - turns < 50U);

    // It leaves the list of the channels that wait for credit, and no other.
    talk.client.post(make(talk.engine, op_code::bye_signal, number));
    for (tofu::message_ptr m = talk.next(talk.client); reason_of(*m).empty();) m = talk.next(talk.client);
    talk.connect();
}

BOOST_TEST_DECORATOR(*boost::unit_test::precondition(backlogs_fill))
TOFU_TEST_CASE(without_memory_to_wait_a_full_backlog_ends_with_out_of_memory, here, uds_only& caller_only) {
    const own_directory home;
    dialogue talk(here);
    raw_listener busy(talk.engine, home.address(), 1);
    const auto waiting = fill_backlog(home.address());
    tofu::message_ptr m = hello_request(talk.engine, home.address());
    const auto connect = [&] { // on this thread, whose memory is short
        std::error_code error;
        const tofu::binary_header sent = talk.client.post(std::move(m), error);
        std::error_code ignored;
        talk.engine.run_once(0ms, ignored);
        return sent;
    };
    const auto failed = [&](const tofu::binary_header& sent) {
        if (m) return; // it was not even accepted
        talk.expect_failed(talk.client, op_code::hello_response, sent, status::allocation_failed, "out_of_memory");
        m = hello_request(talk.engine, home.address());
    };
    const tofu::binary_header sent = with_each_refusal(connect, failed);
    BOOST_TEST(!m);
    talk.expect_silence(talk.client);
    for (std::size_t i = 0; i < waiting.size(); ++i) static_cast<void>(busy.accept());
    raw_socket peer = busy.accept();
    BOOST_TEST(peer.receive()->header.message_id == sent.message_id);
}

BOOST_TEST_DECORATOR(*boost::unit_test::precondition(backlogs_fill))
TOFU_TEST_CASE(a_backlog_that_stays_full_ends_with_the_connect_time, here, uds_only& with_timers) {
    const own_directory home;
    dialogue talk(here, {.connect_time = 10 * soon, .retry_time = soon});
    raw_listener busy(talk.engine, home.address(), 1);
    const auto waiting = fill_backlog(home.address());
    const auto begin = std::chrono::steady_clock::now();
    expect_no_connection(talk, home.address(), status::connect_failed, "connect_timeout");
    BOOST_TEST((std::chrono::steady_clock::now() - begin >= 10 * soon));
}

BOOST_TEST_DECORATOR(*boost::unit_test::precondition(backlogs_fill))
TOFU_TEST_CASE(who_waits_for_a_full_backlog_can_be_told_to_stop, here, uds_only) {
    const own_directory home;
    dialogue talk(here, {.retry_time = soon});
    raw_listener busy(talk.engine, home.address(), 1);
    const auto waiting = fill_backlog(home.address());
    const std::uint16_t number = talk.hello(home.address()).channel_number;
    talk.turn_loop();
    talk.client.post(make(talk.engine, op_code::bye_signal, number));
    expect_failure(talk, talk.client, op_code::hello_response, status::channel_closed, "aborted");
    talk.hello(home.address()); // the engine ends while this one waits
}

BOOST_AUTO_TEST_SUITE_END()
