// SPDX-License-Identifier: BSL-1.0
// Tests of the hard limit on the messages alive, in the pool alone: the count, the failure of `get`, and its recovery.
#include "support/eight_threads.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/engine/memory/message_cache.hpp>
#include <tofu/engine/memory/message_pool.hpp>
#include <tofu/message_ptr.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

using tofu::engine::owned;
using tofu_test::on_eight_threads;

namespace {

using pool = tofu::engine::message_pool;
struct closer {
    void operator()(pool* p) const noexcept { p->close(); }
};
std::unique_ptr<pool, closer> make_pool(std::size_t credit, std::size_t alive, std::size_t initial = 0) {
    return std::unique_ptr<pool, closer>(
        pool::create({.initial_messages = initial, .max_messages = credit, .max_messages_alive = alive}));
}

} // namespace

BOOST_AUTO_TEST_SUITE(alive_limit)

BOOST_AUTO_TEST_CASE(get_fails_at_the_limit_and_works_when_a_message_is_back) {
    for (const auto how : {&pool::acquire, &pool::acquire_free}) {
        const auto p = make_pool(4, 7, 4); // with the credit, whether it is used or not, three may be alive
        std::vector<tofu::message_ptr> held;
        for (int i = 0; i < 3; ++i) held.push_back(owned(((*p).*how)()));
        for (const tofu::message_ptr& m : held) BOOST_TEST(static_cast<bool>(m));
        BOOST_TEST(p->counted() == 3U);
        BOOST_TEST((((*p).*how)() == nullptr));
        BOOST_TEST((((*p).*how)() == nullptr));
        BOOST_TEST(p->counted() == 3U);
        held.pop_back();
        BOOST_TEST(p->counted() == 2U);
        held.push_back(owned(((*p).*how)()));
        BOOST_TEST(static_cast<bool>(held.back()));
        held.clear();
        BOOST_TEST(p->counted() == 0U);
        BOOST_TEST(p->outstanding() == 0U);
    }
}

BOOST_AUTO_TEST_CASE(a_get_that_fails_for_another_reason_does_not_count) {
    const auto p = make_pool(4, 7, 1);
    const tofu::message_ptr only = owned(p->acquire_free());
    for (int i = 0; i < 10; ++i) BOOST_TEST((p->acquire_free() == nullptr));
    BOOST_TEST(p->counted() == 1U);
}

BOOST_AUTO_TEST_CASE(a_received_message_counts_when_it_is_posted_even_beyond_the_limit) {
    const auto p = make_pool(4, 5);
    tofu::message_ptr own = owned(p->acquire());
    std::vector<tofu::message_ptr> received;
    for (int i = 0; i < 4; ++i) {
        received.push_back(owned(p->allocate()));
        BOOST_REQUIRE_EQUAL(p->take_credit(1), 1U);
        p->charge(*received.back());
    }
    BOOST_TEST(p->counted() == 1U);
    for (const tofu::message_ptr& m : received) {
        p->mark_posted(*m);
        p->mark_posted(*m); // twice is once
    }
    BOOST_TEST(p->counted() == 5U);
    BOOST_TEST(p->credit_used() == 0U);
    received.clear();
    BOOST_TEST(p->counted() == 1U);
    BOOST_TEST((p->acquire() == nullptr));
    own.reset();
    BOOST_TEST(p->counted() == 0U);
}

BOOST_AUTO_TEST_CASE(an_engines_own_message_counts_only_when_the_application_posts_it) {
    const auto p = make_pool(4, 5);
    const tofu::message_ptr own = owned(p->acquire());
    tofu::message_ptr notice = owned(p->allocate());
    BOOST_REQUIRE(notice);
    BOOST_TEST(p->counted() == 1U);
    p->mark_posted(*notice);
    BOOST_TEST(p->counted() == 2U);
    notice.reset();
    BOOST_TEST(p->counted() == 1U);
    notice = owned(p->allocate()); // a message that was posted once and came back is as new
    BOOST_TEST(p->counted() == 1U);
}

BOOST_AUTO_TEST_CASE(the_loops_hand_forgets_what_it_takes_back) {
    const auto p = make_pool(4, 100);
    tofu::engine::message_cache cache(*p);
    for (int i = 0; i < 96; ++i) cache.release(*p->acquire());
    BOOST_TEST(p->counted() == 0U);
    BOOST_TEST(p->outstanding() < cache.batch); // and has few of them at any time
    cache.flush();
    BOOST_TEST(p->outstanding() == 0U);
    BOOST_TEST(p->free_messages() == 4U);
}

BOOST_AUTO_TEST_CASE(without_a_limit_nothing_counts) {
    const auto p = make_pool(4, 0);
    std::vector<tofu::message_ptr> held;
    for (int i = 0; i < 1000; ++i) held.push_back(owned(p->acquire()));
    p->mark_posted(*held.front());
    BOOST_TEST(p->counted() == 0U);
    held.clear();
    BOOST_TEST(p->counted() == 0U);
}

BOOST_AUTO_TEST_CASE(eight_threads_never_have_more_than_the_limit) {
    constexpr int room = 5;
    const auto p = make_pool(4, 4 + room);
    std::atomic<int> alive{0};
    std::atomic<int> most{0};
    std::atomic<int> wrong{0};
    on_eight_threads([&](std::size_t thread) {
        std::vector<tofu::message_ptr> held;
        for (unsigned i = 0; i < 5000; ++i) {
            if (tofu::message_ptr m = owned(p->acquire())) {
                const int now = ++alive;
                if (now > room) ++wrong;
                for (int before = most; before < now && !most.compare_exchange_weak(before, now);) {
                }
                held.push_back(std::move(m));
            }
            if (i % 3 != thread % 3) continue;
            alive -= static_cast<int>(held.size()); // before the release, which lets other threads in
            held.clear();
        }
        alive -= static_cast<int>(held.size());
    });
    BOOST_TEST(wrong == 0);
    BOOST_TEST(most > 1);
    BOOST_TEST(p->counted() == 0U);
    BOOST_TEST(p->outstanding() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
