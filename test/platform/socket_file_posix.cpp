// SPDX-License-Identifier: BSL-1.0
// Tests of the files of Unix domain sockets on POSIX systems only: links, permissions, users, forks, and names that
// are no files. The rest is in socket_file.cpp.

#include "path_listeners.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/platform/posix/descriptor.hpp>
#include <tofu/stats.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/fsuid.h>
#endif

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace tofu_test;
using tofu::io_error;
using tofu::io_failure;
namespace posix = tofu::posix;

#if defined(__linux__)
namespace {

/// The calling thread asks for files as nobody in particular, as long as this lives. Only root can; others are nobody
/// in particular already.
class as_nobody {
public:
    as_nobody() : before_(::setfsuid(65534)) {}
    as_nobody(const as_nobody&) = delete;
    as_nobody& operator=(const as_nobody&) = delete;
    ~as_nobody() { ::setfsuid(static_cast<uid_t>(before_)); }

private:
    int before_;
};

} // namespace
#endif

BOOST_AUTO_TEST_SUITE(socket_file_posix)

// ---- abstract names ----

#if defined(__linux__)
BOOST_AUTO_TEST_CASE(the_longest_abstract_name_can_be_used) {
    const own_directory home;
    std::string name = home.abstract_name();
    name.resize(tofu::max_path_length, 'y');
    tofu::platform::socket other = listener_at(tofu::uds_address{name});
    BOOST_TEST(tofu::platform::to_address(other.local_endpoint()).path() == name);
    BOOST_TEST(failure_of_connect(tofu::uds_address{name}) == io_failure::none);
}

BOOST_AUTO_TEST_CASE(an_abstract_name_has_no_file_and_is_free_when_its_listener_is_gone) {
    const own_directory home;
    const std::string name = home.abstract_name();
    const tofu::address where = tofu::uds_address{name};
    {
        posix::socket listener = listener_at(where);
        BOOST_TEST(failure_of_listen(where) == io_failure::address_in_use);
        BOOST_TEST(failure_of_connect(where) == io_failure::none);
    }
    BOOST_TEST(failure_of_connect(where) == io_failure::refused);
    BOOST_TEST(failure_of_listen(where) == io_failure::none);
    BOOST_TEST(home.files() == 0U);
}
#endif

// ---- what is in the way ----

BOOST_AUTO_TEST_CASE(a_live_listener_is_left_alone_even_if_its_backlog_is_full) {
    const own_directory home;
    io_error error;
    posix::socket listener = posix::socket::listen(at(home.address()), {}, 1, error);
    BOOST_REQUIRE(!error);
    BOOST_TEST(failure_of_listen(home.address()) == io_failure::address_in_use);
    std::vector<posix::socket> waiting;
    do {
        waiting.push_back(posix::socket::connect(at(home.address()), {}, error));
        BOOST_REQUIRE(waiting.size() < 100U);
    } while (!error);
    BOOST_TEST(error.kind == io_failure::backlog_full);
    BOOST_TEST(!waiting.back().is_open());
    BOOST_TEST(failure_of_listen(home.address()) == io_failure::address_in_use);
    accept_from(listener); // the question whether it is alive does no harm
    BOOST_TEST(home.files() == 1U);
}

// The question for systems on which a full backlog refuses as if nobody listened. This system understands it, too.
BOOST_AUTO_TEST_CASE(who_is_bound_is_told_from_who_is_dead_without_a_connection) {
    const own_directory home;
    const auto answer = [&] { return posix::detail::ask_who_is_bound(at(home.address())).kind; };
    BOOST_TEST(answer() == io_failure::path_not_found);
    leave_dead_file(home.file());
    BOOST_TEST(answer() == io_failure::refused);
    io_error error;
    posix::socket listener = posix::socket::listen(at(home.address()), {}, 1, error);
    BOOST_REQUIRE(!error);
    BOOST_TEST(answer() == io_failure::backlog_full);
    static_cast<void>(listener.accept({}, error));
    BOOST_TEST(error.kind == io_failure::would_block); // nobody has come
}

BOOST_AUTO_TEST_CASE(a_link_is_never_removed) {
    const own_directory home;
    leave_dead_file(home.file("dead"));
    std::filesystem::create_symlink(home.file("dead"), home.file("link"));
    BOOST_TEST(failure_of_listen(home.address("link")) == io_failure::address_in_use);
    std::filesystem::create_symlink(home.file("nothing"), home.file("dangling"));
    BOOST_TEST(failure_of_listen(home.address("dangling")) == io_failure::address_in_use);
    BOOST_TEST(home.files() == 3U);
}

BOOST_AUTO_TEST_CASE(a_socket_of_another_kind_is_never_removed) {
    const own_directory home;
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    home.file().copy(where.sun_path, sizeof where.sun_path - 1);
    const posix::descriptor datagrams(::socket(AF_UNIX, SOCK_DGRAM, 0));
    BOOST_REQUIRE(::bind(datagrams.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0);
    BOOST_TEST(failure_of_listen(home.address()) == io_failure::address_in_use);
    BOOST_TEST(home.files() == 1U);
}

// ---- locks ----

BOOST_AUTO_TEST_CASE(who_comes_while_another_starts_is_told_that_the_address_is_in_use) {
    const own_directory home;
    leave_dead_file(home.file());
    {
        const posix::descriptor lock(::open(home.file("socket.tofu-lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
        BOOST_REQUIRE(::flock(lock.get(), LOCK_EX) == 0);
        BOOST_TEST(failure_of_listen(home.address()) == io_failure::address_in_use);
        BOOST_TEST(home.files() == 2U);
    }
    // A lock file that nobody holds, as a killed process leaves it, is no obstacle, and goes.
    BOOST_TEST(failure_of_listen(home.address()) == io_failure::none);
    BOOST_TEST(home.files() == 0U);
}

BOOST_AUTO_TEST_CASE(a_lock_file_that_is_a_link_is_not_followed) {
    const own_directory home;
    std::filesystem::create_symlink(home.file("elsewhere"), home.file("socket.tofu-lock"));
    BOOST_TEST(failure_of_listen(home.address()) == io_failure::other);
    BOOST_TEST(home.files() == 1U);
}

// ---- the end ----

BOOST_AUTO_TEST_CASE(a_forked_child_that_ends_leaves_the_file_to_its_parent) {
    const own_directory home;
    posix::socket listener = listener_at(home.address());
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        listener.close();
        ::_exit(0);
    }
    int status = -1;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST(status == 0);
    BOOST_TEST(failure_of_connect(home.address()) == io_failure::none);
}

// ---- the way to the file changes ----

namespace {

/// 0 when there is nothing.
ino_t inode_of(const std::string& path) {
    struct ::stat found {};
    return ::lstat(path.c_str(), &found) == 0 ? found.st_ino : 0;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_file_of_a_relative_path_is_removed_from_another_working_directory) {
    const own_directory home;
    const own_directory elsewhere;
    std::filesystem::create_directory(home.file("below"));
    const posix::socket bystander = listener_at(elsewhere.address());
    for (const char* const path : {"socket", "./socket", "below/../socket", "below/socket"}) {
        posix::socket listener;
        {
            const working_directory there(home.path());
            listener = listener_at(tofu::uds_address{path});
            BOOST_TEST(failure_of_connect(tofu::uds_address{path}) == io_failure::none);
            BOOST_TEST(tofu::platform::to_address(listener.local_endpoint()).path() == path); // as it was said
        }
        const working_directory there(elsewhere.path());
        listener.close();
        BOOST_TEST(home.files() == 1U); // the directory below
        BOOST_TEST(std::filesystem::is_empty(home.file("below")));
        BOOST_TEST(elsewhere.files() == 1U);
    }
    BOOST_TEST(failure_of_connect(elsewhere.address()) == io_failure::none);
}

BOOST_AUTO_TEST_CASE(a_listener_of_the_same_name_in_another_directory_is_left_alone) {
    const own_directory home;
    const own_directory elsewhere;
    const tofu::address name = tofu::uds_address{"socket"};
    posix::socket first;
    posix::socket second;
    {
        const working_directory there(home.path());
        first = listener_at(name);
    }
    const working_directory there(elsewhere.path());
    second = listener_at(name);
    first.close();
    BOOST_TEST(home.files() == 0U);
    BOOST_TEST(failure_of_connect(name) == io_failure::none);
}

BOOST_AUTO_TEST_CASE(the_file_is_removed_from_a_directory_that_was_renamed) {
    const own_directory home;
    std::filesystem::create_directory(home.file("old"));
    posix::socket listener = listener_at(home.address("old/socket"));
    std::filesystem::rename(home.file("old"), home.file("new"));
    std::filesystem::create_directory(home.file("old"));
    const posix::socket successor = listener_at(home.address("old/socket"));
    listener.close();
    BOOST_TEST(std::filesystem::is_empty(home.file("new")));
    BOOST_TEST(failure_of_connect(home.address("old/socket")) == io_failure::none);
}

BOOST_AUTO_TEST_CASE(a_directory_that_was_removed_is_no_trouble) {
    const own_directory home;
    std::filesystem::create_directory(home.file("gone"));
    posix::socket listener = listener_at(home.address("gone/socket"));
    std::filesystem::remove_all(home.file("gone"));
    std::filesystem::create_directory(home.file("gone"));
    const posix::socket successor = listener_at(home.address("gone/socket"));
    listener.close();
    BOOST_TEST(failure_of_connect(home.address("gone/socket")) == io_failure::none);
}

BOOST_AUTO_TEST_CASE(the_directory_may_be_deeper_than_any_path) {
    const own_directory home;
    const working_directory there(home.path());
    const std::string level(200, 'd');
    for (int depth = 0; depth < 25; ++depth) {
        BOOST_REQUIRE(::mkdir(level.c_str(), 0700) == 0);
        BOOST_REQUIRE(::chdir(level.c_str()) == 0);
    }
    const std::string longest(tofu::max_path_length, 'x');
    for (const std::string& name : {std::string("socket"), longest}) {
        leave_dead_file(name);
        posix::socket listener = listener_at(tofu::uds_address{name});
        BOOST_TEST(failure_of_connect(tofu::uds_address{name}) == io_failure::none);
        BOOST_TEST(failure_of_listen(tofu::uds_address{name}) == io_failure::address_in_use);
        {
            const working_directory elsewhere(home.path());
            listener.close();
        }
        BOOST_TEST(permissions_of(name) == -1);
        BOOST_TEST(permissions_of(name + ".tofu-lock") == -1);
    }
}

BOOST_AUTO_TEST_CASE(a_root_directory_that_changes_does_not_matter) {
    if (::geteuid() != 0) return; // chroot is root's
    const own_directory home;
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        posix::socket listener;
        const bool changed = !try_listen(home.address(), listener) && ::mkdir(home.file("root").c_str(), 0700) == 0 &&
                             ::chroot(home.file("root").c_str()) == 0 && ::chdir("/") == 0;
        listener.close();
        ::_exit(changed ? 0 : 1);
    }
    int status = -1;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST(status == 0);
    BOOST_TEST(home.files() == 1U); // the new root
}

BOOST_AUTO_TEST_CASE(a_link_in_place_of_the_file_lends_its_permissions_to_nobody) {
    const own_directory home;
    std::ofstream(home.file("precious")) << "data";
    std::filesystem::permissions(home.file("precious"), std::filesystem::perms(0600));
    std::filesystem::create_symlink(home.file("precious"), home.file("link"));
    posix::detail::socket_place where;
    BOOST_REQUIRE(!where.find(at(home.address("link"))));
    BOOST_TEST(where.permit(0666).kind == io_failure::unsupported);
    BOOST_TEST(permissions_of(home.file("precious")) == 0600);
}

// One thread goes back and forth between two directories while this one listens at a relative path. In one directory
// the name is a live listener's, in the other a dead one's.
BOOST_AUTO_TEST_CASE(a_live_listener_survives_a_working_directory_that_changes_all_the_time) {
    const own_directory home;
    const own_directory elsewhere;
    const working_directory there(home.path());
    const posix::socket live = listener_at(elsewhere.address());
    const ino_t file_of_live = inode_of(elsewhere.file());
    std::atomic<bool> over{false};
    std::thread wanderer([&] {
        while (!over) {
            std::filesystem::current_path(elsewhere.path());
            std::filesystem::current_path(home.path());
        }
    });
    bool unharmed = true;
    for (int round = 0; round < 300 && unharmed; ++round) {
        if (permissions_of(home.file()) == -1) leave_dead_file(home.file());
        io_error error;
        posix::socket::listen(at(tofu::uds_address{"socket"}), {}, 1, error).close();
        unharmed = inode_of(elsewhere.file()) == file_of_live;
    }
    over = true;
    wanderer.join();
    BOOST_TEST(unharmed);
}

// ---- who may ----

BOOST_AUTO_TEST_CASE(a_socket_file_is_its_owners_alone_unless_something_else_is_said) {
    const own_directory home;
    const mode_t before = ::umask(0);
    posix::socket listener;
    BOOST_TEST(!try_listen(home.address(), listener));
    BOOST_TEST(permissions_of(home.file()) == 0600);
    ::umask(077); // takes nothing away from what was asked for
    BOOST_TEST(!try_listen(home.address("all"), listener, 0666));
    BOOST_TEST(permissions_of(home.file("all")) == 0666);
    BOOST_TEST(!try_listen(home.address("group"), listener, 0620));
    BOOST_TEST(permissions_of(home.file("group")) == 0620);
    ::umask(before);
}

#if defined(__linux__)
BOOST_AUTO_TEST_CASE(what_is_not_permitted_is_said_to_be_so) {
    if (::geteuid() != 0) return; // needs two users
    const own_directory home;
    std::filesystem::permissions(home.path(), std::filesystem::perms(0755));
    posix::socket listener = listener_at(home.address());
    posix::socket open_to_all;
    BOOST_REQUIRE(!try_listen(home.address("open"), open_to_all, 0666));
    leave_dead_file(home.file("dead"));
    {
        const as_nobody nobody;
        BOOST_TEST(failure_of_connect(home.address()) == io_failure::permission_denied);
        BOOST_TEST(failure_of_connect(home.address("open")) == io_failure::none);
        BOOST_TEST(failure_of_listen(home.address("new")) == io_failure::permission_denied);
        BOOST_TEST(failure_of_listen(home.address("dead")) == io_failure::permission_denied);
    }
    // In a directory in which everybody may make files, a socket that must not be asked does not count as dead.
    std::filesystem::permissions(home.path(), std::filesystem::perms(0777));
    const as_nobody nobody;
    BOOST_TEST(failure_of_listen(home.address()) == io_failure::permission_denied);
    BOOST_TEST(failure_of_listen(home.address("new")) == io_failure::none);
}

BOOST_AUTO_TEST_CASE(the_system_says_who_the_peer_is) {
    const own_directory home;
    posix::socket listener = listener_at(home.address());
    const socket_pair pair = connect_pair(listener);
    const tofu::peer_credentials self{.process = ::getpid(), .user = ::geteuid(), .group = ::getegid()};
    BOOST_TEST((pair.server.peer_identity() == self));
    BOOST_TEST((pair.client.peer_identity() == self));
    BOOST_TEST((connect_pair().server.peer_identity() == tofu::peer_credentials{})); // TCP
    BOOST_TEST((posix::socket().peer_identity() == tofu::peer_credentials{}));
}

BOOST_AUTO_TEST_CASE(the_peer_is_who_connected_in_another_process) {
    const own_directory home;
    posix::socket listener = listener_at(home.address());
    const tofu::platform::endpoint where = at(home.address());
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        io_error error;
        const posix::socket made = posix::socket::connect(where, {}, error);
        char byte = 0;
        while (::read(made.native_handle(), &byte, 1) < 0) ::poll(nullptr, 0, 1); // until the parent has closed
        ::_exit(error ? 1 : 0);
    }
    {
        const posix::socket server = accept_from(listener);
        BOOST_TEST(server.peer_identity().process == child);
    }
    int status = -1;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST(status == 0);
}
#endif

BOOST_AUTO_TEST_SUITE_END()
