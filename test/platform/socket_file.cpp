// SPDX-License-Identifier: BSL-1.0
// Tests of the files of Unix domain sockets: the rules for replacing a file, and its removal by its owner.

#include "path_listeners.hpp"
#include "support/eight_threads.hpp"
#include "support/scarce_memory.hpp"
#include "support/system.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace tofu_test;
using tofu::io_error;
using tofu::io_failure;

namespace {

/// (On Windows the file of a socket is not there for everything that follows links, std::filesystem::remove included.)
void remove_file(const std::string& path) {
#if defined(_WIN32)
    BOOST_REQUIRE(::DeleteFileW(std::filesystem::u8path(path).c_str()) != 0);
#else
    BOOST_REQUIRE(std::filesystem::remove(path));
#endif
}

} // namespace

BOOST_AUTO_TEST_SUITE(socket_file, *needs_uds())

// ---- addresses ----

BOOST_AUTO_TEST_CASE(a_path_survives_the_way_through_the_system) {
    const own_directory home;
    tofu::platform::socket listener = listener_at(home.address());
    BOOST_TEST(to_text(tofu::platform::to_address(listener.local_endpoint())).view() == to_text(home.address()).view());
    tofu::platform::socket client;
    BOOST_REQUIRE(!connect_to(at(home.address()), client));
    BOOST_TEST(to_text(tofu::platform::to_address(client.peer_endpoint())).view() == to_text(home.address()).view());
    const tofu::platform::socket server = accept_from(listener);
    BOOST_TEST(!tofu::platform::to_address(server.peer_endpoint()).valid()); // a connecting socket has no name
}

BOOST_AUTO_TEST_CASE(the_longest_path_can_be_used) {
    const own_directory home;
    std::string path = home.file();
    path.resize(tofu::max_path_length, 'x');
    tofu::platform::socket listener = listener_at(tofu::uds_address{path});
    BOOST_TEST(tofu::platform::to_address(listener.local_endpoint()).path() == path);
    BOOST_TEST(failure_of_connect(tofu::uds_address{path}) == io_failure::none);
}

// ---- what is in the way ----

BOOST_AUTO_TEST_CASE(a_listener_leaves_nothing_behind) {
    const own_directory home;
    {
        const tofu::platform::socket listener = listener_at(home.address());
        BOOST_TEST(home.files() == 1U); // no lock file
    }
    BOOST_TEST(home.files() == 0U);
    BOOST_TEST(failure_of_connect(home.address()) == io_failure::path_not_found);
}

BOOST_AUTO_TEST_CASE(without_memory_a_listener_leaves_nothing_behind) {
    const own_directory home;
    tofu::platform::socket listener;
    std::size_t refusals = 0;
    const io_error error = with_each_refusal([&] { return try_listen(home.address(), listener); },
                                             [&](const io_error& refused) {
                                                 ++refusals;
                                                 BOOST_TEST(refused.kind == io_failure::no_memory);
                                                 BOOST_TEST(home.files() == 0U);
                                             });
    BOOST_TEST(!error);
    BOOST_TEST(refusals == 1U); // the note of which file it is
    BOOST_TEST(home.files() == 1U);
}

BOOST_AUTO_TEST_CASE(a_dead_socket_file_is_replaced) {
    const own_directory home;
    leave_dead_file(home.file());
    BOOST_TEST(failure_of_connect(home.address()) == io_failure::refused);
    const tofu::platform::socket listener = listener_at(home.address());
    BOOST_TEST(failure_of_connect(home.address()) == io_failure::none);
}

BOOST_AUTO_TEST_CASE(a_live_listener_is_left_alone) {
    const own_directory home;
    tofu::platform::socket listener = listener_at(home.address());
    BOOST_TEST(failure_of_listen(home.address()) == io_failure::address_in_use);
    accept_from(listener); // the question whether it is alive does no harm
    BOOST_TEST(failure_of_connect(home.address()) == io_failure::none);
    BOOST_TEST(home.files() == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_no_socket_is_never_removed) {
    const own_directory home;
    std::ofstream(home.file("precious")) << "data";
    BOOST_TEST(failure_of_listen(home.address("precious")) == io_failure::address_in_use);
    std::string content;
    std::ifstream(home.file("precious")) >> content;
    BOOST_TEST(content == "data");

    std::filesystem::create_directory(home.file("directory"));
    BOOST_TEST(failure_of_listen(home.address("directory")) == io_failure::address_in_use);
    BOOST_TEST(home.files() == 2U);
}

BOOST_AUTO_TEST_CASE(a_directory_that_is_missing_or_none_is_said_to_be_missing) {
    const own_directory home;
    BOOST_TEST(failure_of_listen(home.address("no/such/socket")) == io_failure::path_not_found);
    BOOST_TEST(failure_of_connect(home.address("no/such/socket")) == io_failure::path_not_found);
    std::ofstream(home.file("file")) << "data";
    BOOST_TEST(failure_of_listen(home.address("file/socket")) == io_failure::path_not_found);
}

BOOST_AUTO_TEST_CASE(of_many_who_start_at_once_exactly_one_listens_and_is_reached) {
    constexpr int starters = 8;
    constexpr int rounds = 100;
    const own_directory home;
    meeting_point in_step(starters);
    std::array<io_failure, starters> outcome{};
    std::atomic<int> bad_rounds{0};
    std::vector<std::thread> all;
    const tofu::platform::endpoint where = at(home.address());
    const std::string file = home.file();
    for (int self = 0; self < starters; ++self) {
        all.emplace_back([&, self] {
            for (int round = 0; round < rounds; ++round) {
                in_step.arrive_and_wait();
                io_error error;
                tofu::platform::socket mine = tofu::platform::socket::listen(where, {}, 16, error);
                outcome[static_cast<std::size_t>(self)] = error.kind;
                in_step.arrive_and_wait();
                if (self == 0) {
                    int winners = 0;
                    int others = 0;
                    for (const io_failure one : outcome) {
                        winners += one == io_failure::none;
                        others += one != io_failure::none && one != io_failure::address_in_use;
                    }
                    io_error reached;
                    const tofu::platform::socket caller = tofu::platform::socket::connect(where, {}, reached);
                    bad_rounds += winners != 1 || others != 0 || reached;
                }
                in_step.arrive_and_wait();
                if (mine.is_open() && round % 2 == 0) { // every other round begins with a dead file
                    mine.close();
                    leave_dead_file(file);
                }
            }
        });
    }
    for (std::thread& one : all) one.join();
    BOOST_TEST(bad_rounds == 0);
}

// ---- the end ----

BOOST_AUTO_TEST_CASE(only_ones_own_file_is_removed) {
    const own_directory home;
    tofu::platform::socket first = listener_at(home.address());
    remove_file(home.file()); // by somebody who should not have
    const tofu::platform::socket second = listener_at(home.address());
    first.close();
    BOOST_TEST(failure_of_connect(home.address()) == io_failure::none);
    BOOST_TEST(home.files() == 1U);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_gone_already_is_no_trouble) {
    const own_directory home;
    tofu::platform::socket listener = listener_at(home.address());
    remove_file(home.file());
    listener.close();
    std::ofstream(home.file()) << "another's";
    listener = listener_at(home.address("next"));
    listener = tofu::platform::socket(); // assigning is an end, too
    BOOST_TEST(home.files() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
