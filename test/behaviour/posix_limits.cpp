// SPDX-License-Identifier: BSL-1.0
// The process has no descriptors left: nothing is lost, no thread spins, and everything goes on when there are
// descriptors again. POSIX only: the limit is lowered with setrlimit.
#include "support/harness.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(posix_limits)

/// Lets the process have only `spare` descriptors more than it has now, until it goes. New descriptors take the lowest
/// free number, so a limit above that number counts them, as long as there are no holes below; holes are filled.
///
/// While it lasts the tests only note what they see: to say it, Boost.Test calls virtual functions, and the sanitizer
/// that watches those opens a pipe.
class descriptor_limit {
public:
    explicit descriptor_limit(unsigned spare) {
        BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
        int highest = 2;
        for (int fd = 0; fd < 1024; ++fd)
            if (::fcntl(fd, F_GETFD) != -1) highest = fd;
        for (int fd = ::dup(0); fd != -1; fd = ::dup(0)) {
            if (fd > highest) {
                ::close(fd);
                break;
            }
            fillers_.push_back(fd);
        }
        rlimit lowered = before_;
        lowered.rlim_cur = static_cast<rlim_t>(highest) + 1 + spare;
        works_ = ::setrlimit(RLIMIT_NOFILE, &lowered) == 0;
    }
    descriptor_limit(const descriptor_limit&) = delete;
    descriptor_limit& operator=(const descriptor_limit&) = delete;
    ~descriptor_limit() {
        ::setrlimit(RLIMIT_NOFILE, &before_);
        for (const int fd : fillers_) ::close(fd);
        BOOST_TEST(works_);
    }

private:
    rlimit before_{};
    std::vector<int> fillers_;
    bool works_ = false;
};

/// Posts, and receives the next message of the other group (or the same).
tofu::message_ptr post_and_receive(any_group& from, tofu::message_ptr m, any_group& to, tofu::binary_header& posted) {
    std::error_code error;
    posted = from.post(std::move(m), error);
    return to.wait_receive(patience, error);
}

/// The engine's answer to a hello_ or welcome_request for which there was no descriptor.
void expect_failure(const tofu::message_ptr& m, const tofu::binary_header& posted, op_code op, status why) {
    BOOST_REQUIRE(m);
    BOOST_TEST((m->op() == op));
    BOOST_TEST(m->from_engine());
    BOOST_TEST(m->header().channel_number == posted.channel_number);
    BOOST_TEST(m->header().message_id == posted.message_id);
    BOOST_TEST(to_string(m->status()) == to_string(why));
    BOOST_TEST(reason_of(*m) == "os_error:" + std::to_string(EMFILE));
    BOOST_TEST((m->why() == std::optional(tofu::cause::os(EMFILE, why)))); // with the step that failed
}

TOFU_TEST_CASE(a_listener_survives_that_there_is_no_descriptor_to_accept_with, here) {
    dialogue talk(here, {.retry_time = std::chrono::milliseconds(10)});
    const tofu::address where = talk.listen();
    const auto link = talk.connect(where);
    tofu::message_ptr request = make(talk.engine, op_code::request, link.client, "the others go on");
    tofu::platform::endpoint target;
    BOOST_REQUIRE(!tofu::platform::to_endpoint(where, false, target));

    tofu::posix::socket peer;
    tofu::message_ptr unexpected;
    tofu::engine_stats before;
    tofu::engine_stats after;
    {
        const descriptor_limit limit(1);
        tofu::io_error in_progress;
        peer = tofu::posix::socket::connect(target, {}, in_progress); // takes the last one
        std::error_code error;
        before = talk.engine.stats();
        unexpected = talk.server.wait_receive(moment, error);
        after = talk.engine.stats();
        tofu::binary_header posted;
        request = post_and_receive(talk.client, std::move(request), talk.server, posted);
    }
    BOOST_REQUIRE(peer.is_open());
    BOOST_TEST(!unexpected);
    BOOST_TEST(after.accepted == 1U); // the link
    BOOST_TEST(after.refused == 0U);
    BOOST_TEST(after.turns - before.turns < 50U); // it tries again from time to time
    BOOST_REQUIRE(request);
    BOOST_TEST(body_of(*request) == "the others go on");

    const auto until = std::chrono::steady_clock::now() + patience;
    while (talk.engine.stats().accepted != 2) {
        static_cast<void>(talk.server.wait_receive(1ms));
        BOOST_REQUIRE((std::chrono::steady_clock::now() < until));
    }
    talk.connect(where); // the listener lives on
}

TOFU_TEST_CASE(a_connect_without_a_descriptor_fails_and_says_so, here) {
    dialogue talk(here);
    const tofu::address where = talk.listen();
    tofu::message_ptr m = hello_request(talk.engine, where);
    tofu::binary_header posted;
    {
        const descriptor_limit limit(0);
        m = post_and_receive(talk.client, std::move(m), talk.client, posted);
    }
    expect_failure(m, posted, op_code::hello_response, status::connect_failed);
    talk.connect(where);
}

TOFU_TEST_CASE(a_listen_without_a_descriptor_fails_and_says_so, here) {
    dialogue talk(here);
    tofu::message_ptr m = welcome_request(talk.engine, here.new_address());
    tofu::binary_header posted;
    {
        const descriptor_limit limit(0);
        m = post_and_receive(talk.server, std::move(m), talk.server, posted);
    }
    expect_failure(m, posted, op_code::welcome_response, status::listen_failed);
    talk.connect();
}

TOFU_TEST_CASE(an_engine_without_a_descriptor_is_not_made_and_the_system_says_why, here) {
    const std::error_code no_more(EMFILE, std::system_category());
    std::error_code error;
    std::error_code thrown;
    {
        const descriptor_limit limit(0);
        const any_reactor engine(here, {}, error);
        try {
            const any_reactor another(here);
        } catch (const std::system_error& refused) {
            thrown = refused.code();
        }
    }
    BOOST_TEST((error == no_more), error.message());
    BOOST_TEST((thrown == no_more), thrown.message());
    BOOST_TEST((error == std::errc::too_many_files_open));
}

// posix_poll only: poll(2) refuses to look at more descriptors than the process may have, epoll_wait(2) does not.
TOFU_TEST_CASE(a_poller_that_fails_makes_nobody_spin, here, only_with(poller::posix_poll)) {
    dialogue talk(here);
    const auto link = talk.connect();
    tofu::message_ptr request = make(talk.engine, op_code::request, link.client, "unseen for a while");
    tofu::message_ptr unexpected;
    std::uint64_t turns = 0;
    std::error_code error;
    {
        rlimit before{};
        BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
        rlimit lowered = before;
        lowered.rlim_cur = 1;
        ::setrlimit(RLIMIT_NOFILE, &lowered);
        static_cast<void>(talk.client.stats(link.client)); // the wait that could still see something ends
        talk.client.post(std::move(request), error);
        turns = talk.engine.stats().turns;
        unexpected = talk.server.wait_receive(moment, error);
        turns = talk.engine.stats().turns - turns;
        ::setrlimit(RLIMIT_NOFILE, &before);
    }
    BOOST_TEST(!unexpected);
    BOOST_TEST(turns < 50U);
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "unseen for a while");
}

BOOST_AUTO_TEST_SUITE_END()
