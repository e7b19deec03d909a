// SPDX-License-Identifier: BSL-1.0
// The lock-free ways between threads: nothing is lost, every producer's order is kept, no wake-up is missed.
#include "support/eight_threads.hpp"
#include "support/scarce_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/engine/threads/handoff.hpp>
#include <tofu/engine/threads/inbox.hpp>
#include <tofu/engine/threads/mailbox.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

using queue = tofu::engine::handoff;
using tofu::detail::node_queue;
using tofu::detail::queue_node;
using tofu::engine::inbox;
using tofu::engine::mailbox;
using tofu_test::bell;
using namespace std::chrono_literals;

namespace {

struct item : queue_node {
    item() noexcept { kind = tofu::detail::node_kind::command; } // it is not a message

    std::size_t producer = 0;
    std::size_t number = 0;
};

constexpr std::size_t producers = 8;
constexpr std::size_t items_each = 10'000;
constexpr std::size_t all_items = producers * items_each;

/// The items of eight producers, and the check that each producer's come in order.
struct traffic {
    traffic() : items(producers, std::vector<item>(items_each)) {
        for (std::size_t p = 0; p < producers; ++p)
            for (std::size_t i = 0; i < items_each; ++i) {
                items[p][i].producer = p;
                items[p][i].number = i;
            }
    }
    void take(const queue_node& node) {
        const item& i = static_cast<const item&>(node);
        in_order = in_order && i.number == next[i.producer]++;
        ++taken;
    }
    void take_all(node_queue batch) {
        while (const queue_node* const node = batch.pop_front()) take(*node);
    }
    /// Each producer on a thread of its own; `produce(item)`.
    template <class Produce>
    void start(Produce produce) {
        for (std::size_t p = 0; p < producers; ++p)
            threads.emplace_back([this, p, produce] {
                for (item& i : items[p]) produce(i);
            });
    }
    void expect_all() {
        for (std::thread& t : threads) t.join();
        BOOST_TEST(taken == all_items);
        BOOST_TEST(in_order);
    }

    std::vector<std::vector<item>> items;
    std::array<std::size_t, producers> next{};
    std::size_t taken = 0;
    bool in_order = true;
    std::vector<std::thread> threads;
};

std::vector<std::size_t> numbers_of(node_queue batch) {
    std::vector<std::size_t> result;
    while (const queue_node* const node = batch.pop_front()) result.push_back(static_cast<const item*>(node)->number);
    return result;
}

constexpr auto no_visit = [](const queue_node&) {};

} // namespace

BOOST_AUTO_TEST_SUITE(handoff)

BOOST_AUTO_TEST_CASE(everything_is_taken_at_once_and_oldest_first) {
    queue q;
    std::array<item, 6> items;
    for (std::size_t i = 0; i < items.size(); ++i) items[i].number = i;
    BOOST_TEST(q.empty());
    BOOST_TEST(q.take_all(no_visit).empty());
    q.push(items[0]);
    q.push(items[1]);
    node_queue batch;
    for (std::size_t i = 2; i < 5; ++i) batch.push_back(items[i]);
    q.push_all(batch);
    BOOST_TEST(batch.empty());
    q.push_all(batch);
    q.push(items[5]);
    BOOST_TEST(!q.empty());
    BOOST_TEST((numbers_of(q.take_all(no_visit)) == std::vector<std::size_t>{0, 1, 2, 3, 4, 5}));
    BOOST_TEST(q.empty());
}

BOOST_AUTO_TEST_CASE(each_node_is_shown_once_however_many_there_are) {
    queue q;
    std::vector<item> items(5000); // more than the trail has places
    for (std::size_t i = 0; i < items.size(); ++i) items[i].number = i;
    for (const std::size_t count : {std::size_t{1}, items.size(), std::size_t{3}, items.size() - 1}) {
        for (std::size_t i = 0; i < count; ++i) q.push(items[i]);
        std::size_t seen = 0;
        bool newest_first = true;
        const std::vector<std::size_t> numbers = numbers_of(q.take_all([&](const queue_node& node) {
            newest_first = newest_first && static_cast<const item&>(node).number == count - ++seen;
        }));
        BOOST_TEST(seen == count);
        BOOST_TEST(newest_first);
        BOOST_REQUIRE(numbers.size() == count);
        for (std::size_t i = 0; i < count; ++i) BOOST_REQUIRE(numbers[i] == i);
    }
}

// The array of hints costs memory, so it is allocated after the first long chain.
BOOST_AUTO_TEST_CASE(short_chains_allocate_nothing_and_long_chains_work_without_memory) {
    std::vector<item> items(100);
    for (std::size_t i = 0; i < items.size(); ++i) items[i].number = i;
    const auto pass = [&items](queue& through, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) through.push(items[i]);
        BOOST_TEST(numbers_of(through.take_all(no_visit)).size() == count);
    };
    queue q;
    {
        const tofu_test::scarce_memory refused(0);
        for (std::size_t count = 0; count < 32; ++count) pass(q, count);
        BOOST_TEST(!refused.has_refused());
        pass(q, 32);
        BOOST_TEST(refused.has_refused());
    }
    pass(q, 100);
    pass(q, 100);
    queue on_one_thread(queue::between::one_thread);
    const tofu_test::scarce_memory refused(0);
    pass(on_one_thread, 100);
    BOOST_TEST(!refused.has_refused());
}

BOOST_AUTO_TEST_CASE(eight_producers_and_one_consumer_lose_nothing) {
    queue q;
    traffic all;
    all.start([&q](item& i) { q.push(i); });
    while (all.taken != all_items) all.take_all(q.take_all(no_visit));
    all.expect_all();
    BOOST_TEST(q.empty());
}

BOOST_AUTO_TEST_CASE(batches_of_eight_producers_stay_in_order) {
    queue q;
    traffic all;
    for (std::size_t p = 0; p < producers; ++p)
        all.threads.emplace_back([&all, &q, p] {
            node_queue batch;
            for (std::size_t i = 0; i < items_each; ++i) {
                batch.push_back(all.items[p][i]);
                if (i % (p + 2) == 0) q.push_all(batch);
            }
            q.push_all(batch);
        });
    while (all.taken != all_items) all.take_all(q.take_all(no_visit));
    all.expect_all();
}

BOOST_AUTO_TEST_CASE(exactly_one_producer_has_to_wake_a_sleeping_loop) {
    inbox in;
    std::array<item, 4> items;
    BOOST_TEST(!in.push(items[0])); // it does not sleep
    BOOST_TEST(!in.fall_asleep());  // something is there
    BOOST_TEST(!in.claim_wake());   // so it goes on, and nobody has to tell it
    in.awake();
    BOOST_TEST(!in.take_all().empty());
    BOOST_TEST(in.fall_asleep());
    BOOST_TEST(in.push(items[1]));
    BOOST_TEST(!in.push(items[2]));
    BOOST_TEST(!in.claim_wake());
    in.awake();
    BOOST_TEST(!in.take_all().empty());
    BOOST_TEST(in.fall_asleep());
    BOOST_TEST(in.claim_wake()); // something beside the queue
    BOOST_TEST(!in.push(items[3]));
}

BOOST_AUTO_TEST_CASE(a_sleeping_loop_never_misses_a_wake) {
    inbox in;
    bell wake;
    traffic all;
    all.start([&](item& i) {
        if (in.push(i)) wake.ring();
        if (i.number % 16 == i.producer) std::this_thread::yield(); // so that the loop runs dry
    });
    bool in_time = true;
    while (all.taken != all_items && in_time) {
        if (in.fall_asleep()) in_time = wake.wait();
        in.awake();
        all.take_all(in.take_all());
    }
    BOOST_TEST(in_time);
    all.expect_all();
}

BOOST_AUTO_TEST_CASE(one_item_at_a_time_wakes_the_loop_each_time) {
    inbox in;
    bell wake;
    bell handled;
    item one;
    constexpr int rounds = 5000;
    std::thread producer([&] {
        for (int i = 0; i < rounds; ++i) {
            if (in.push(one)) wake.ring();
            if (!handled.wait()) return;
        }
    });
    bool in_time = true;
    for (int i = 0; i < rounds && in_time;) {
        if (in.fall_asleep()) in_time = wake.wait();
        in.awake();
        if (in.take_all().empty()) continue;
        ++i;
        handled.ring();
    }
    BOOST_TEST(in_time);
    producer.join();
}

BOOST_AUTO_TEST_CASE(a_mailbox_gives_its_mail_one_by_one_and_oldest_first) {
    mailbox mail;
    std::array<item, 4> items;
    for (std::size_t i = 0; i < items.size(); ++i) items[i].number = i;
    BOOST_TEST(mail.pop() == nullptr);
    BOOST_TEST(!mail.has_mail());
    mail.push(items[0]);
    node_queue batch;
    batch.push_back(items[1]);
    batch.push_back(items[2]);
    mail.push_all(batch);
    for (std::size_t i = 0; i < 3; ++i) {
        BOOST_TEST(mail.has_mail());
        BOOST_REQUIRE(static_cast<item*>(mail.pop())->number == i);
        if (i == 0) mail.push(items[3]);
    }
    BOOST_TEST(static_cast<item*>(mail.pop())->number == 3U);
    BOOST_TEST(!mail.has_mail());
}

BOOST_AUTO_TEST_CASE(waiting_for_mail_ends_in_time_or_late) {
    mailbox mail;
    item one;
    const auto begin = std::chrono::steady_clock::now();
    BOOST_TEST(!mail.wait_until(begin + 20ms));
    BOOST_TEST((std::chrono::steady_clock::now() - begin >= 20ms));
    BOOST_TEST(!mail.wait_until(begin)); // long past
    mail.push(one);
    BOOST_TEST(mail.wait_until(begin + 20s));
    BOOST_TEST(mail.wait_until(mailbox::time_point::max()));
}

BOOST_AUTO_TEST_CASE(a_finished_mailbox_lets_its_mail_be_taken_and_nobody_waits) {
    mailbox mail;
    item one;
    mail.push(one);
    mail.finish();
    BOOST_TEST(mail.finished());
    BOOST_TEST(mail.pop() == &one);
    BOOST_TEST(mail.pop() == nullptr);
    BOOST_TEST(mail.wait_until(mailbox::time_point::max()));
}

BOOST_AUTO_TEST_CASE(finishing_wakes_whoever_waits) {
    for (int round = 0; round < 200; ++round) {
        mailbox mail;
        std::thread receiver([&mail] { mail.wait_until(mailbox::time_point::max()); });
        if (round % 2 == 0) std::this_thread::yield();
        mail.finish();
        receiver.join();
    }
}

BOOST_AUTO_TEST_CASE(a_waiting_receiver_never_misses_its_mail) {
    mailbox mail;
    traffic all;
    all.start([&mail](item& i) {
        mail.push(i);
        if (i.number % 16 == i.producer) std::this_thread::yield();
    });
    bool in_time = true;
    while (all.taken != all_items && in_time) {
        if (queue_node* const node = mail.pop())
            all.take(*node);
        else
            in_time = mail.wait_until(std::chrono::steady_clock::now() + 20s);
    }
    BOOST_TEST(in_time);
    all.expect_all();
}

BOOST_AUTO_TEST_SUITE_END()
