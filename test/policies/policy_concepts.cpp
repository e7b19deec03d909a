// SPDX-License-Identifier: BSL-1.0
// Tests of the policies' contracts: every shipped policy satisfies its contract, a broken policy does not. Also tests
// the engine at the limits of a pool policy.
#include "compile_fail/bad_policies/key.hpp"
#include "compile_fail/bad_policies/poll.hpp"
#include "compile_fail/bad_policies/pool.hpp"
#include "compile_fail/bad_policies/timer.hpp"
#include "support/harness.hpp"

#include <tofu/tofu.hpp>

#include <pollers.hpp>

#include <boost/mp11/list.hpp>

#include <functional>
#include <string>
#include <type_traits>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(policy_concepts)

template <class... P>
constexpr bool all_poll_policies(boost::mp11::mp_list<P...>) {
    return (tofu::poll_policy<P> && ...);
}
static_assert(all_poll_policies(pollers_over<tofu::platform::network<>>()));
static_assert(std::is_same_v<default_poll_over<tofu::platform::network<>>, tofu::default_poll>);
static_assert(tofu::pool_policy<tofu::default_pool>);
static_assert(tofu::pool_policy<tofu::fixed_channel_pool<1>>);
static_assert(tofu::pool_policy<tofu::fixed_channel_pool<65534>>);
static_assert(tofu::pool_policy<tofu::growing_channel_pool<>>);
static_assert(tofu::key_policy<tofu::default_key>);
static_assert(tofu::key_policy<tofu::slot_index_key>);
static_assert(tofu::key_policy<tofu::pointer_key>);
static_assert(tofu::key_policy<tofu::handle_key>);
static_assert(tofu::timer_policy<tofu::default_timer>);
static_assert(tofu::timer_policy<tofu::wait_timeout>);
static_assert(tofu::timer_policy<tofu::no_timers>);

// No policy is taken for another one's kind.
static_assert(!tofu::poll_policy<tofu::default_pool>);
static_assert(!tofu::pool_policy<tofu::default_key>);
static_assert(!tofu::key_policy<tofu::default_timer>);
static_assert(!tofu::timer_policy<tofu::default_poll>);

// The broken policies. compile_fail/ tests the compiler's errors about each of them.

template <class... P>
constexpr bool no_poll_policy = (!tofu::poll_policy<P> && ...);
static_assert(tofu::poll_policy<good_poll> && tofu::poll_policy<poll_of<good_network>>);
static_assert(no_poll_policy<int, bad_category_poll, bad_moving_poll, bad_network_poll, bad_registration_poll,
                             bad_open_poll, bad_attach_poll, bad_arm_poll, bad_disarm_poll, bad_wait_poll,
                             bad_reports_poll, bad_wake_poll, bad_empty_poll>);

static_assert(tofu::poll_network<good_network> && tofu::poll_network<network_of<good_socket>>);
template <class... N>
constexpr bool no_network = ((!tofu::poll_network<N> && !tofu::poll_policy<poll_of<N>>)&&...);
static_assert(no_network<bad_types_network, bad_connect_network, bad_listen_network, bad_to_endpoint_network,
                         bad_to_address_network, bad_resolve_network>);

template <class... S>
constexpr bool no_socket = (!tofu::network_socket<S, good_network::endpoint> && ...) && no_network<network_of<S>...>;
static_assert(tofu::network_socket<good_socket, good_network::endpoint>);
static_assert(
    no_socket<bad_copied_socket, bad_read_socket, bad_write_socket, bad_available_socket, bad_finish_connect_socket,
              bad_accept_socket, bad_shutdown_socket, bad_close_socket, bad_abort_socket, bad_local_endpoint_socket,
              bad_peer_endpoint_socket, bad_peer_identity_socket>);

template <class... P>
constexpr bool no_pool_policy = (!tofu::pool_policy<P> && ...);
static_assert(tofu::pool_policy<good_pool>);
static_assert(no_pool_policy<bad_category_pool, bad_moving_pool, bad_storage_pool, bad_movable_pool, bad_open_pool,
                             bad_acquire_pool, bad_release_pool, bad_at_pool, bad_for_each_pool, bad_used_pool,
                             bad_capacity_pool, bad_reserved_pool, bad_abandon_pool, bad_empty_pool>);

template <class... K>
constexpr bool no_key_policy = (!tofu::key_policy<K> && ...);
static_assert(tofu::key_policy<good_key>);
static_assert(no_key_policy<bad_category_key, bad_moving_key, bad_closing_key, bad_open_key, bad_make_key,
                            bad_forget_key, bad_find_key>);

template <class... T>
constexpr bool no_timer_policy = (!tofu::timer_policy<T> && ...);
static_assert(tofu::timer_policy<good_timer>);
static_assert(no_timer_policy<bad_category_timer, bad_moving_timer, bad_has_timers_timer, bad_time_timer,
                              bad_clock_timer, bad_node_timer, bad_scheduled_timer, bad_deadline_timer,
                              bad_schedule_timer, bad_cancel_timer, bad_pop_timer, bad_next_timer, bad_empty_timer>);

// A reactor is a plain value nobody copies, and its figures and groups are what the engine's templates say.
static_assert(!std::is_copy_constructible_v<tofu::reactor> && !std::is_move_constructible_v<tofu::reactor>);
static_assert(std::is_nothrow_move_constructible_v<any_group> && !std::is_copy_constructible_v<any_group>);
static_assert(!std::is_polymorphic_v<tofu::reactor> && !std::is_polymorphic_v<tofu::message>);

// Tests of a full pool: narrow engines have three channels.

TOFU_TEST_CASE(the_channel_after_the_last_is_refused_cleanly, here, unvaried_only) {
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

TOFU_TEST_CASE(what_was_posted_behind_a_refused_hello_is_refused_or_comes_back, here, unvaried_only) {
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

TOFU_TEST_CASE(a_peer_for_whom_there_is_no_channel_is_closed_and_the_listener_lives_on, here, unvaried_only) {
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

TOFU_TEST_CASE(a_full_pool_may_leave_peers_in_the_backlog, here, unvaried_only) {
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

/// Its template argument makes what std has of any name a candidate wherever the engine calls a function.
template <class>
struct timer_with : tofu::wait_timeout {};

// std::bind takes any arguments, and an engine used to call a function of its own by that name.
BOOST_AUTO_TEST_CASE(a_template_argument_of_std_brings_no_function_of_std_into_the_engine) {
    tofu::reactor_with<timer_with<std::string>> engine({}, tofu::driven_by::caller);
    auto group = engine.create_group();
    tofu::message_ptr welcome = engine.get();
    BOOST_REQUIRE(welcome->listen_on(loopback()) == status::success);
    const auto number = group.post(std::move(welcome)).channel_number;
    const tofu::message_ptr response = group.wait_receive(patience);
    BOOST_REQUIRE(response);
    BOOST_TEST(response->header().channel_number == number);
}

BOOST_AUTO_TEST_SUITE_END()
