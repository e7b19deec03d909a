// SPDX-License-Identifier: BSL-1.0
// Tests of the delivery to groups: the order of messages, destroyed groups, and the notice of each episode.
#include "support/bare_delivery.hpp"
#include "support/scarce_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdint>
#include <vector>

BOOST_AUTO_TEST_SUITE(delivery)

using tofu::op_code;
using tofu::status;
using tofu::detail::node_kind;
using tofu::engine::group_core;
using tofu::engine::node_of;
using tofu::engine::route_of;
using tofu_test::bare_delivery;
using tofu_test::receive;
using tofu_test::receive_all;

namespace {

using ids = std::vector<std::uint64_t>;

/// Asks for all numbers that are free. True: this one was among them.
bool is_free(tofu::engine::channel_directory& directory, std::uint16_t number) {
    for (;;) {
        const std::uint16_t given = directory.open(1, 0, false).number;
        if (given == number) return true;
        if (given == tofu::no_channel) return false;
    }
}

/// The application receives the notice of an episode. False: there is none.
bool receive_notice(group_core& group, tofu::message_ptr& notice) {
    notice = receive(group);
    if (!notice) return false;
    BOOST_TEST((notice->op() == op_code::signal));
    BOOST_TEST((notice->status() == status::pool_empty));
    BOOST_TEST(notice->from_engine());
    BOOST_TEST((node_of(*notice).kind == node_kind::pool_empty));
    BOOST_TEST(!receive(group)); // one notice
    return true;
}

} // namespace

BOOST_AUTO_TEST_CASE(messages_arrive_with_the_next_hand_over_in_their_order) {
    bare_delivery d;
    group_core& g = d.make_group();
    for (const std::uint64_t id : {1U, 2U, 3U}) d.deliver(g, id);
    BOOST_TEST((receive_all(g) == ids{}));
    d.out.hand_over();
    BOOST_TEST((receive_all(g) == ids{1, 2, 3}));
    d.out.hand_over();
    BOOST_TEST((receive_all(g) == ids{}));
    d.deliver(g, 4);
    d.out.hand_over();
    BOOST_TEST((receive_all(g) == ids{4}));
}

BOOST_AUTO_TEST_CASE(a_hand_over_serves_each_group_with_its_own_messages) {
    bare_delivery d;
    group_core& one = d.make_group();
    group_core& other = d.make_group();
    for (std::uint64_t id = 1; id < 7; ++id) d.deliver(id % 3 == 0 ? other : one, id);
    d.out.hand_over();
    BOOST_TEST(!one.outgoing_hook.linked());
    BOOST_TEST((receive_all(other) == ids{3, 6}));
    BOOST_TEST((receive_all(one) == ids{1, 2, 4, 5}));
}

BOOST_AUTO_TEST_CASE(a_message_for_a_destroyed_group_returns_to_its_pool) {
    bare_delivery d;
    group_core& g = d.make_group();
    d.out.destroy(g);
    const std::size_t before = d.messages_outside();
    d.deliver(g, 1);
    BOOST_TEST(d.messages_outside() == before);
    d.out.hand_over();
    BOOST_TEST((receive_all(g) == ids{}));
}

BOOST_AUTO_TEST_CASE(a_goodbye_for_a_destroyed_group_frees_its_number) {
    bare_delivery d;
    group_core& g = d.make_group();
    d.out.destroy(g);
    const std::uint16_t first = d.directory.open(g.id, 0, false).number;
    const std::uint16_t second = d.directory.open(g.id, 0, false).number;
    d.directory.close(first);
    d.directory.close(second);
    tofu::message& goodbye = d.make_message(1);
    goodbye.header().channel_number = first;
    node_of(goodbye).kind = node_kind::goodbye;
    d.out.deliver(g, goodbye);
    tofu::message& other = d.make_message(2); // no goodbye
    other.header().channel_number = second;
    d.out.deliver(g, other);
    BOOST_TEST(is_free(d.directory, first));
    BOOST_TEST(!is_free(d.directory, second));
}

BOOST_AUTO_TEST_CASE(a_goodbye_for_a_group_that_lives_keeps_its_number) {
    bare_delivery d;
    group_core& g = d.make_group();
    const std::uint16_t number = d.directory.open(g.id, 0, false).number;
    d.directory.close(number);
    tofu::message& goodbye = d.make_message(1);
    goodbye.header().channel_number = number;
    node_of(goodbye).kind = node_kind::goodbye;
    d.out.deliver(g, goodbye);
    d.out.hand_over();
    BOOST_TEST(!is_free(d.directory, number)); // the application frees it when it receives the goodbye
    BOOST_TEST((receive_all(g) == ids{1}));
}

BOOST_AUTO_TEST_CASE(destroying_a_group_moves_what_was_delivered_into_its_mailbox) {
    bare_delivery d;
    group_core& g = d.make_group();
    group_core& other = d.make_group();
    d.deliver(g, 1);
    d.out.hand_over();
    d.deliver(g, 2);
    d.deliver(other, 3);
    d.out.destroy(g);
    BOOST_TEST(g.destroyed);
    BOOST_TEST(!g.outgoing_hook.linked());
    BOOST_TEST(!g.unread_hook.linked());
    BOOST_TEST((receive_all(g) == ids{1, 2}));
    BOOST_TEST(!d.out.has_unread());
    d.out.hand_over();
    BOOST_TEST((receive_all(other) == ids{3}));
}

BOOST_AUTO_TEST_CASE(a_bound_message_names_its_channel_and_its_engine) {
    bare_delivery d;
    tofu::message& m = d.make_message(1);
    d.out.bind(m, 12, 345);
    BOOST_TEST(m.header().channel_number == 12U);
    BOOST_TEST(route_of(m).engine == bare_delivery::engine);
    BOOST_TEST(route_of(m).number == 12U);
    BOOST_TEST((route_of(m).generation == 345U));
    d.cache.release(m);
}

BOOST_AUTO_TEST_CASE(a_posted_message_comes_back_as_it_was_with_the_status_that_says_why) {
    bare_delivery d;
    group_core& g = d.make_group();
    tofu::message& posted = d.make_message(99);
    posted.header().channel_number = 12;
    posted.header().op = op_code::request;
    BOOST_REQUIRE(posted.body().append("content"));
    d.out.return_posted(g, posted, status::channel_closed, 345);
    d.out.hand_over();
    const tofu::message_ptr m = receive(g);
    BOOST_REQUIRE(m);
    BOOST_TEST(m.get() == &posted);
    BOOST_TEST(m->from_engine());
    BOOST_TEST((m->status() == status::channel_closed));
    BOOST_TEST((m->op() == op_code::request));
    BOOST_TEST(m->header().message_id == 99U);
    BOOST_TEST(m->body().text() == "content");
    BOOST_TEST(m->header().channel_number == 12U);
    BOOST_TEST(route_of(*m).number == 12U);
    BOOST_TEST((route_of(*m).generation == 345U));
    BOOST_TEST(route_of(*m).engine == bare_delivery::engine);
}

BOOST_AUTO_TEST_CASE(a_group_is_told_of_an_episode_once) {
    bare_delivery d;
    group_core& g = d.make_group();
    group_core& other = d.make_group();
    d.out.tell_starved(g, 1);
    d.out.tell_starved(g, 1);
    d.out.tell_starved(other, 1);
    d.out.hand_over();
    tofu::message_ptr notice;
    BOOST_REQUIRE(receive_notice(g, notice));
    tofu::message_ptr other_notice;
    BOOST_REQUIRE(receive_notice(other, other_notice));
    // The application has received the notice, and the episode still lasts.
    g.pool_empty_reserve = std::move(notice);
    g.pool_empty_unread = false;
    d.out.tell_starved(g, 1);
    d.out.hand_over();
    BOOST_TEST(!receive_notice(g, notice));
    d.out.tell_starved(g, 2);
    d.out.hand_over();
    BOOST_TEST(receive_notice(g, notice));
}

BOOST_AUTO_TEST_CASE(a_group_is_never_told_twice_before_it_has_received_the_notice) {
    bare_delivery d;
    group_core& g = d.make_group();
    for (const std::uint64_t episode : {1U, 2U, 5U}) {
        d.out.tell_starved(g, episode);
        d.out.hand_over();
        BOOST_TEST(g.pool_empty_unread.load());
    }
    tofu::message_ptr notice;
    BOOST_REQUIRE(receive_notice(g, notice));
    g.pool_empty_unread = false;
    d.out.tell_starved(g, 5); // the episodes that passed unread are not told later
    d.out.hand_over();
    BOOST_TEST(!receive_notice(g, notice));
}

BOOST_AUTO_TEST_CASE(the_notice_takes_the_message_that_was_set_aside) {
    bare_delivery d;
    group_core& g = d.make_group();
    const tofu::message* const set_aside = g.pool_empty_reserve.get();
    {
        const tofu_test::scarce_memory scarce(0);
        d.out.tell_starved(g, 1);
    }
    d.out.hand_over();
    tofu::message_ptr notice;
    BOOST_REQUIRE(receive_notice(g, notice));
    BOOST_TEST(notice.get() == set_aside);
    BOOST_TEST(!g.pool_empty_reserve);
}

BOOST_AUTO_TEST_CASE(while_the_application_keeps_the_notice_another_is_allocated) {
    bare_delivery d;
    group_core& g = d.make_group();
    d.out.tell_starved(g, 1);
    d.out.hand_over();
    tofu::message_ptr kept;
    BOOST_REQUIRE(receive_notice(g, kept));
    g.pool_empty_unread = false;
    {
        const tofu_test::scarce_memory scarce(0);
        d.out.tell_starved(g, 2);
    }
    d.out.hand_over();
    tofu::message_ptr notice;
    BOOST_TEST(!receive_notice(g, notice)); // without memory nothing is told
    BOOST_TEST(!g.pool_empty_unread.load());
    d.out.tell_starved(g, 3);
    d.out.hand_over();
    BOOST_TEST(receive_notice(g, notice));
    BOOST_TEST(notice.get() != kept.get());
}

BOOST_AUTO_TEST_CASE(mail_is_unread_until_the_application_has_received_all_of_it) {
    bare_delivery d;
    group_core& read = d.make_group();
    group_core& unread = d.make_group();
    BOOST_TEST(!d.out.has_unread());
    d.deliver(read, 1);
    d.deliver(unread, 2);
    d.deliver(unread, 3);
    BOOST_TEST(!d.out.has_unread()); // not handed over yet
    d.out.hand_over();
    BOOST_TEST(d.out.has_unread());
    BOOST_TEST((receive_all(read) == ids{1}));
    BOOST_TEST(d.out.has_unread());
    BOOST_TEST(receive(unread)->header().message_id == 2U);
    BOOST_TEST(d.out.has_unread());
    BOOST_TEST((receive_all(unread) == ids{3}));
    BOOST_TEST(!d.out.has_unread());
    d.deliver(read, 4);
    d.out.hand_over();
    BOOST_TEST(d.out.has_unread());
}

BOOST_AUTO_TEST_CASE(mail_that_did_not_go_through_the_loop_is_unread_as_well) {
    bare_delivery d;
    group_core& g = d.make_group();
    g.mail.push(node_of(d.make_message(1)));
    d.out.note_mail(g);
    BOOST_TEST(d.out.has_unread());
    BOOST_TEST((receive_all(g) == ids{1}));
    BOOST_TEST(!d.out.has_unread());
}

BOOST_AUTO_TEST_SUITE_END()
