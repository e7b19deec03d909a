// SPDX-License-Identifier: BSL-1.0
// Every shipped policy satisfies its contract, a broken one fails exactly the requirement it breaks, and what the
// engine does at the limits a pool policy sets.
#include "harness.hpp"

#include <tofu/tofu.hpp>

#include <type_traits>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(policy_concepts)

static_assert(tofu::poll_policy<tofu::default_poll>);
#if __has_include(<poll.h>)
static_assert(tofu::poll_policy<tofu::posix_poll>);
#endif
static_assert(tofu::pool_policy<tofu::default_pool>);
static_assert(tofu::pool_policy<tofu::fixed_channel_pool<1>>);
static_assert(tofu::pool_policy<tofu::fixed_channel_pool<65534>>);
static_assert(tofu::key_policy<tofu::default_key>);
static_assert(tofu::key_policy<tofu::slot_index_key>);
static_assert(tofu::timer_policy<tofu::default_timer>);
static_assert(tofu::timer_policy<tofu::wait_timeout>);

// No policy is taken for another one's kind.
static_assert(!tofu::poll_policy<tofu::default_pool>);
static_assert(!tofu::pool_policy<tofu::default_key>);
static_assert(!tofu::key_policy<tofu::default_timer>);
static_assert(!tofu::timer_policy<tofu::default_poll>);

// Poll policies. Each bad one hides one member of a good one.

using good_poll = tofu::default_poll;
using good_network = good_poll::network_type;
using good_socket = good_network::socket;

template <class P>
struct poll_verdicts {
    // In the order of the contract.
    static constexpr std::array<bool, 8> value{
        tofu::poll_has_category<P>, tofu::poll_has_registration<P>, tofu::poll_opens<P>, tofu::poll_attaches<P>,
        tofu::poll_arms<P>,         tofu::poll_disarms<P>,          tofu::poll_waits<P>, tofu::poll_wakes<P>};
    static constexpr bool only(std::size_t broken) {
        for (std::size_t i = 0; i < value.size(); ++i)
            if (value[i] != (i != broken)) return false;
        return !tofu::poll_policy<P> && tofu::poll_has_network<P>;
    }
};

struct bad_category_poll : good_poll {
    using category = tofu::timer_category;
};
struct bad_registration_poll : good_poll {
    struct registration : good_poll::registration {
        explicit registration(int) noexcept {}
    };
};
struct bad_open_poll : good_poll {
    bool open() noexcept;
};
struct bad_attach_poll : good_poll {
    tofu::io_error attach(registration&, const good_socket&) noexcept; // no key
};
struct bad_arm_poll : good_poll {
    tofu::io_error arm(registration&, tofu::interest); // may throw
};
struct bad_disarm_poll : good_poll {
    void disarm(registration&) noexcept;
};
struct bad_wait_poll : good_poll {
    template <class Sink>
    tofu::io_error wait(std::chrono::nanoseconds, Sink&) noexcept;
};
struct bad_wake_poll : good_poll {
    void wake(int) noexcept;
};
static_assert(poll_verdicts<bad_category_poll>::only(0));
static_assert(poll_verdicts<bad_registration_poll>::only(1));
static_assert(poll_verdicts<bad_open_poll>::only(2));
static_assert(poll_verdicts<bad_attach_poll>::only(3));
static_assert(poll_verdicts<bad_arm_poll>::only(4));
static_assert(poll_verdicts<bad_disarm_poll>::only(5));
static_assert(poll_verdicts<bad_wait_poll>::only(6));
static_assert(poll_verdicts<bad_wake_poll>::only(7));

struct bad_network_poll : good_poll {
    good_network* network() noexcept;
};
static_assert(!tofu::poll_has_network<bad_network_poll> && !tofu::poll_policy<bad_network_poll>);

// Networks and sockets.

static_assert(tofu::network_opens_sockets<good_network> && tofu::network_knows_addresses<good_network>);
struct bad_listen_network : good_network {
    good_socket listen(const endpoint&, const tofu::socket_options&, tofu::io_error&) noexcept; // no backlog
};
static_assert(!tofu::network_opens_sockets<bad_listen_network> && tofu::network_knows_addresses<bad_listen_network>);
struct bad_resolve_network : good_network {
    void resolve(int) noexcept;
};
static_assert(tofu::network_opens_sockets<bad_resolve_network> && !tofu::network_knows_addresses<bad_resolve_network>);

static_assert(tofu::socket_is_owned<good_socket> && tofu::socket_transfers<good_socket> &&
              tofu::socket_opens_and_closes<good_socket>);
struct bad_copy_socket {};
static_assert(!tofu::socket_is_owned<bad_copy_socket>);
template <class Self>
struct socket_but_for : good_socket {
    Self accept(const tofu::socket_options&, tofu::io_error&) noexcept;
};
struct bad_read_socket : socket_but_for<bad_read_socket> {
    std::size_t read(std::span<const tofu::mutable_buffer>) noexcept;
};
static_assert(tofu::socket_is_owned<bad_read_socket> && !tofu::socket_transfers<bad_read_socket> &&
              tofu::socket_opens_and_closes<bad_read_socket>);
struct bad_abort_socket : socket_but_for<bad_abort_socket> {
    void abort();
};
static_assert(tofu::socket_is_owned<bad_abort_socket> && tofu::socket_transfers<bad_abort_socket> &&
              !tofu::socket_opens_and_closes<bad_abort_socket>);

// Pool policies.

template <class Slot>
using good_storage = tofu::fixed_channel_pool<4>::storage<Slot>;

template <class P>
constexpr std::array<bool, 5> pool_verdicts{tofu::pool_has_category<P>, tofu::pool_opens<P>, tofu::pool_keeps_slots<P>,
                                            tofu::pool_stays<P>, tofu::pool_abandons<P>};

struct bad_category_pool : tofu::fixed_channel_pool<4> {
    using category = tofu::poll_category;
};
struct bad_open_pool : tofu::fixed_channel_pool<4> {
    template <class Slot>
    struct storage : good_storage<Slot> {
        void open(tofu::fixed_channel_pool<4>&) noexcept;
    };
};
struct bad_acquire_pool : tofu::fixed_channel_pool<4> {
    template <class Slot>
    struct storage : good_storage<Slot> {
        Slot& acquire() noexcept; // cannot refuse
    };
};
struct bad_moving_pool : tofu::fixed_channel_pool<4> {
    template <class Slot>
    struct storage : good_storage<Slot> {
        storage() noexcept = default;
        storage(storage&&) noexcept : good_storage<Slot>() {}
    };
};
struct bad_abandon_pool : tofu::fixed_channel_pool<4> {
    template <class Slot>
    struct storage : good_storage<Slot> {
        void abandon();
    };
};
static_assert(pool_verdicts<bad_category_pool> == std::array{false, true, true, true, true});
static_assert(pool_verdicts<bad_open_pool> == std::array{true, false, true, true, true});
static_assert(pool_verdicts<bad_acquire_pool> == std::array{true, true, false, true, true});
static_assert(pool_verdicts<bad_moving_pool> == std::array{true, true, true, false, true});
static_assert(pool_verdicts<bad_abandon_pool> == std::array{true, true, true, true, false});
static_assert(!tofu::pool_policy<bad_moving_pool>);

// Key policies.

template <class K>
constexpr std::array<bool, 6> key_verdicts{tofu::key_has_category<K>, tofu::key_opens<K>,
                                           tofu::key_makes<K>,        tofu::key_forgets<K>,
                                           tofu::key_finds<K>,        tofu::key_says_when_to_close<K>};

struct bad_category_key : tofu::slot_index_key {
    using category = void;
};
struct bad_make_key : tofu::slot_index_key {
    template <class Slot, class Socket>
    static std::uint16_t make(const Slot&, const Socket&) noexcept;
};
struct bad_open_key : tofu::slot_index_key {
    static void open(std::size_t) noexcept;
};
struct bad_forget_key : tofu::slot_index_key {
    static void forget(std::uintptr_t);
};
struct bad_find_key : tofu::slot_index_key {
    template <class Storage>
    static bool find(Storage&, std::uintptr_t) noexcept;
};
struct bad_closing_key : tofu::slot_index_key {
    struct unclear {};
    static constexpr unclear closes_after_release{};
};
static_assert(key_verdicts<bad_category_key> == std::array{false, true, true, true, true, true});
static_assert(key_verdicts<bad_open_key> == std::array{true, false, true, true, true, true});
static_assert(key_verdicts<bad_make_key> == std::array{true, true, false, true, true, true});
static_assert(key_verdicts<bad_forget_key> == std::array{true, true, true, false, true, true});
static_assert(key_verdicts<bad_find_key> == std::array{true, true, true, true, false, true});
static_assert(key_verdicts<bad_closing_key> == std::array{true, true, true, true, true, false});
static_assert(!tofu::key_policy<bad_find_key>);

// Timer policies.

template <class T>
constexpr std::array<bool, 4> timer_verdicts{tofu::timer_has_category<T>, tofu::timer_has_clock<T>,
                                             tofu::timer_schedules<T>, tofu::timer_expires<T>};

struct bad_category_timer : tofu::wait_timeout {
    using category = tofu::key_category;
};
struct bad_clock_timer : tofu::wait_timeout {
    time_point now() const; // may throw
};
struct bad_schedule_timer : tofu::wait_timeout {
    void schedule(node&) noexcept;
};
struct bad_expiry_timer : tofu::wait_timeout {
    bool pop_expired(time_point) noexcept;
};
static_assert(timer_verdicts<bad_category_timer> == std::array{false, true, true, true});
static_assert(timer_verdicts<bad_clock_timer> == std::array{true, false, true, true});
static_assert(timer_verdicts<bad_schedule_timer> == std::array{true, true, false, true});
static_assert(timer_verdicts<bad_expiry_timer> == std::array{true, true, true, false});
static_assert(!tofu::timer_policy<bad_clock_timer>);

// A reactor is a plain value nobody copies, and its figures and groups are what the engine's templates say.
static_assert(!std::is_copy_constructible_v<tofu::reactor> && !std::is_move_constructible_v<tofu::reactor>);
static_assert(std::is_nothrow_move_constructible_v<any_group> && !std::is_copy_constructible_v<any_group>);
static_assert(!std::is_polymorphic_v<tofu::reactor> && !std::is_polymorphic_v<tofu::message>);

// What the engine does when a pool is full: narrow engines have three channels.

TOFU_TEST_CASE(the_channel_after_the_last_is_refused_cleanly, here) {
    dialogue talk(here, narrow_engine(here));
    for (int i = 0; i < 2; ++i) talk.listen();
    const tofu::address third = talk.listen();
    const tofu::binary_header hello = talk.hello(third);
    BOOST_TEST(hello.channel_number != 0); // the number comes before the slot
    talk.expect_failed(talk.client, op_code::hello_response, hello, status::allocation_failed, "out_of_channels");
    talk.expect_silence(talk.client);

    const tofu::binary_header welcome = talk.server.post(welcome_request(talk.engine, here.new_address()));
    talk.expect_failed(talk.server, op_code::welcome_response, welcome, status::allocation_failed, "out_of_channels");
    talk.await_channels(3);
}

TOFU_TEST_CASE(what_was_posted_behind_a_refused_hello_is_refused_or_comes_back, here) {
    dialogue talk(here, narrow_engine(here));
    for (int i = 0; i < 2; ++i) talk.listen();
    const tofu::address where = talk.listen();
    for (int round = 0; round < 50; ++round) {
        const std::uint16_t number = talk.hello(where).channel_number;
        tofu::message_ptr m = make(talk.engine, op_code::request, number, "behind");
        std::error_code error;
        talk.client.post(std::move(m), error);
        if (error) {
            BOOST_TEST(m != nullptr);
        } else {
            m = talk.expect(talk.client, op_code::request);
            BOOST_TEST(m->from_engine());
            BOOST_TEST(to_string(m->status()) == to_string(status::allocation_failed));
        }
        talk.expect(talk.client, op_code::hello_response);
    }
    talk.expect_silence(talk.client);
}

TOFU_TEST_CASE(a_peer_for_whom_there_is_no_channel_is_closed_and_the_listener_lives_on, here) {
    dialogue talk(here, narrow_engine(here));
    talk.listen();
    const tofu::address where = talk.listen();
    raw_socket first(talk.engine, where);
    first.say_hello();
    const std::uint16_t number = talk.accept();
    BOOST_REQUIRE(first.receive());
    {
        raw_socket refused(talk.engine, where);
        BOOST_TEST(refused.receive_bytes(1).empty());
    }
    BOOST_TEST(talk.engine.stats().refused == 1U);
    talk.expect_silence(talk.server);
    first.close();
    talk.expect_goodbye(talk.server, number, "peer_disconnected");
    raw_socket second(talk.engine, where);
    second.say_hello();
    talk.accept();
    BOOST_TEST(second.receive().has_value());
}

TOFU_TEST_CASE(a_full_pool_may_leave_peers_in_the_backlog, here) {
    dialogue talk(here, narrow_engine(here, {.close_when_full = false}));
    talk.listen();
    const tofu::address where = talk.listen();
    raw_socket first(talk.engine, where);
    first.say_hello();
    const std::uint16_t number = talk.accept();
    BOOST_REQUIRE(first.receive());
    raw_socket second(talk.engine, where); // the system has accepted it, the engine has not
    second.say_hello();
    talk.expect_silence(talk.server);
    BOOST_TEST(talk.engine.stats().accepted == 1U);
    BOOST_TEST(talk.engine.stats().refused == 0U);
    const std::uint64_t turns = talk.engine.stats().turns;
    talk.expect_silence(talk.server);
    BOOST_TEST(talk.engine.stats().turns - turns < 10U); // a backlog nobody may take from makes nobody spin
    first.close();
    talk.expect_goodbye(talk.server, number, "peer_disconnected");
    talk.accept();
    BOOST_TEST(second.receive().has_value());
    BOOST_TEST(talk.engine.stats().accepted == 2U);
}

TOFU_TEST_CASE(a_pool_is_used_again_and_again, here) {
    dialogue talk(here, narrow_engine(here));
    const tofu::address where = talk.listen();
    for (int i = 0; i < 20; ++i) {
        const auto link = talk.connect(where);
        talk.client.post(make(talk.engine, op_code::bye_signal, link.client));
        talk.expect_goodbye(talk.client, link.client, "aborted");
        talk.expect_goodbye(talk.server, link.server, here.reason_of_abort());
    }
    BOOST_TEST(talk.engine.stats().refused == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
