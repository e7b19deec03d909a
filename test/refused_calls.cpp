// SPDX-License-Identifier: BSL-1.0
// What the system refuses for now, for lack of memory or for reasons of its own, is tried again after a while: nothing
// is lost, and nobody spins until then.
#include "harness.hpp"

#include <cerrno>
#include <initializer_list>

using namespace tofu_test;
using tofu::io_error;
using tofu::io_failure;
using tofu::op_code;

BOOST_AUTO_TEST_SUITE(refused_calls)

namespace {

using plain_network = tofu::platform::network<>;

/// What the system does not want to do now, and how often it was asked.
struct mood {
    std::atomic<bool> refuses_reads{false};
    std::atomic<bool> refuses_writes{false};
    std::atomic<io_failure> refuses_accepts{io_failure::none};
    std::atomic<unsigned> asked{0};
};

class moody_socket : public plain_network::socket {
public:
    using base = plain_network::socket;

    moody_socket() noexcept = default;
    moody_socket(base&& made, mood* of) noexcept : base(std::move(made)), mood_(of) {}

    tofu::io_result read(std::span<const tofu::mutable_buffer> into) noexcept {
        return refused(mood_->refuses_reads) ? no_memory() : base::read(into);
    }
    tofu::io_result write(std::span<const tofu::const_buffer> from) noexcept {
        return refused(mood_->refuses_writes) ? no_memory() : base::write(from);
    }
    moody_socket accept(const tofu::socket_options& options, io_error& error) noexcept {
        const io_failure kind = mood_->refuses_accepts;
        if (kind == io_failure::none) return {base::accept(options, error), mood_};
        ++mood_->asked;
        error = {kind, 0};
        return {};
    }

private:
    [[nodiscard]] bool refused(const std::atomic<bool>& what) noexcept {
        if (!what) return false;
        ++mood_->asked;
        return true;
    }
    static tofu::io_result no_memory() noexcept { return {0, {io_failure::no_memory, ENOBUFS}}; }

    mood* mood_ = nullptr;
};

class moody_network : public plain_network {
public:
    using socket = moody_socket;

    moody_network() noexcept = default;
    explicit moody_network(mood& of) noexcept : mood_(&of) {}

    socket connect(const endpoint& to, const tofu::socket_options& options, io_error& error) noexcept {
        return {plain_network::connect(to, options, error), mood_};
    }
    socket listen(const endpoint& at, const tofu::socket_options& options, int backlog, io_error& error) noexcept {
        return {plain_network::listen(at, options, backlog, error), mood_};
    }

private:
    mood* mood_ = nullptr;
};

using moody_poll = tofu::basic_posix_poll<moody_network>;

/// An engine in a system of moods.
struct moody_dialogue : mood, dialogue<tofu::basic_reactor<moody_poll>> {
    explicit moody_dialogue(tofu::driven_by who)
        : dialogue(who, {.retry_time = 10ms}, moody_poll(moody_network(*this))) {}

    /// While something is refused: it was asked for, nothing comes, and it is not asked for all the time.
    void expect_patience() {
        BOOST_TEST(!server.wait_receive(moment));
        BOOST_TEST(asked > 0U);
        BOOST_TEST(asked < 50U);
        const tofu::engine_stats before = engine.stats();
        BOOST_TEST(!server.wait_receive(moment));
        BOOST_TEST(engine.stats().turns - before.turns < 50U);
    }
};

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(what_can_not_be_written_for_lack_of_memory_is_written_later, Mode, modes) {
    moody_dialogue talk(Mode::who);
    const auto link = talk.connect();
    talk.refuses_writes = true;
    talk.client.post(make(talk.engine, op_code::request, link.client, "first"));
    talk.client.post(make(talk.engine, op_code::request, link.client, "second"));
    talk.expect_patience();
    talk.refuses_writes = false;
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "first");
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "second");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_can_not_be_read_for_lack_of_memory_is_read_later, Mode, modes) {
    moody_dialogue talk(Mode::who);
    const auto link = talk.connect();
    talk.refuses_reads = true;
    talk.client.post(make(talk.engine, op_code::request, link.client, "patience"));
    talk.expect_patience();
    talk.refuses_reads = false;
    BOOST_TEST(body_of(*talk.expect(talk.server, op_code::request)) == "patience");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_channel_that_can_not_write_can_be_aborted, Mode, modes) {
    moody_dialogue talk(Mode::who);
    const auto link = talk.connect();
    talk.refuses_writes = true;
    talk.client.post(make(talk.engine, op_code::request, link.client, "never sent"));
    talk.client.post(make(talk.engine, op_code::bye_signal, link.client));
    const tofu::message_ptr returned = talk.expect(talk.client, op_code::request);
    BOOST_TEST(returned->from_engine());
    BOOST_TEST(body_of(*returned) == "never sent");
    talk.expect_goodbye(talk.client, link.client, "aborted");
    talk.refuses_writes = false;
    talk.expect_goodbye(talk.server, link.server, "peer_reset");
    talk.connect(talk.listen()); // the time to try again comes, and finds nobody
}

BOOST_AUTO_TEST_CASE_TEMPLATE(no_failure_to_accept_ends_a_listener, Mode, modes) {
    for (const io_failure kind :
         {io_failure::no_descriptors, io_failure::no_memory, io_failure::permission_denied, io_failure::unreachable,
          io_failure::timed_out, io_failure::unsupported, io_failure::other}) {
        moody_dialogue talk(Mode::who);
        const tofu::address where = talk.listen();
        talk.refuses_accepts = kind;
        const tofu::binary_header hello = talk.hello(where);
        talk.expect_patience();
        talk.refuses_accepts = io_failure::none;
        talk.accept();
        BOOST_TEST(talk.expect(talk.client, op_code::hello_response)->header().message_id == hello.message_id);
    }
}

BOOST_AUTO_TEST_SUITE_END()
