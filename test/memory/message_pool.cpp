// SPDX-License-Identifier: BSL-1.0
// Tests of the message pool and of the receive credit.
#include "support/eight_threads.hpp"
#include "support/scarce_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/engine/memory/message_cache.hpp>
#include <tofu/engine/memory/message_pool.hpp>
#include <tofu/message_ptr.hpp>

#include <atomic>
#include <cstddef>
#include <limits>
#include <string>
#include <thread>
#include <vector>

using pool = tofu::engine::message_pool;
using tofu::allocation;
using tofu::message;
using tofu::engine::message_cache;
using tofu::engine::owned;
using tofu_test::bell;
using tofu_test::on_eight_threads;
using tofu_test::scarce_memory;
using tofu_test::with_each_refusal;

namespace {

struct closer {
    void operator()(pool* p) const noexcept { p->close(); }
};
using open_pool = std::unique_ptr<pool, closer>;

open_pool make_pool(const tofu::options& opts) { return open_pool(pool::create(opts)); }

/// Counts how often a starved reader was woken.
struct wakes {
    explicit wakes(pool& p) {
        p.on_credit([](void* self) noexcept { ++static_cast<wakes*>(self)->count; }, this);
    }
    std::atomic<int> count{0};
};

/// False: there is no credit for it.
bool take_credit(pool& p, message& m) {
    if (p.take_credit(1) == 0) return false;
    pool::charge(m);
    return true;
}

std::vector<tofu::message_ptr> take_all_credit(pool& p) {
    std::vector<tofu::message_ptr> taken;
    while (p.has_credit()) {
        taken.push_back(owned(p.acquire()));
        BOOST_REQUIRE(take_credit(p, *taken.back()));
    }
    return taken;
}

} // namespace

BOOST_AUTO_TEST_SUITE(message_pool)

BOOST_AUTO_TEST_CASE(messages_made_at_the_start_are_used_before_new_ones) {
    const open_pool p = make_pool({.initial_messages = 3, .max_messages = 8});
    BOOST_TEST(p->free_messages() == 3U);
    BOOST_TEST(p->allocations() == 3U);
    std::vector<tofu::message_ptr> taken;
    for (int i = 0; i < 3; ++i) taken.push_back(owned(p->acquire_free()));
    BOOST_TEST((p->acquire_free() == nullptr));
    BOOST_TEST(p->allocations() == 3U);
    taken.push_back(owned(p->acquire()));
    BOOST_TEST(p->allocations() == 4U);
    BOOST_TEST(p->outstanding() == 4U);
    taken.clear();
    BOOST_TEST(p->outstanding() == 0U);
    BOOST_TEST(p->free_messages() == 4U);
}

BOOST_AUTO_TEST_CASE(no_more_messages_are_made_at_the_start_than_are_retained) {
    const open_pool p = make_pool({.initial_messages = 100, .max_messages = 4});
    BOOST_TEST(p->free_messages() == 4U);
}

BOOST_AUTO_TEST_CASE(the_pool_retains_at_most_max_messages) {
    const open_pool p = make_pool({.initial_messages = 0, .max_messages = 4});
    std::vector<tofu::message_ptr> taken;
    for (int i = 0; i < 10; ++i) taken.push_back(owned(p->acquire()));
    taken.clear();
    BOOST_TEST(p->free_messages() == 4U);
    BOOST_TEST(p->outstanding() == 0U);
}

BOOST_AUTO_TEST_CASE(a_message_comes_out_of_the_pool_empty) {
    const open_pool p = make_pool({.initial_messages = 1, .max_messages = 4});
    int anything = 0;
    tofu::message_ptr m = owned(p->acquire_free());
    const message* const same = m.get();
    m->header() = {.channel_number = 9,
                   .op = tofu::op_code::response,
                   .origin = tofu::origin::engine,
                   .more = true,
                   .status_byte = 3,
                   .message_id = 4};
    m->user(&anything);
    BOOST_REQUIRE(m->body().append("something"));
    BOOST_REQUIRE((m->headers().append("name", "value") == tofu::status::success));
    m.reset();
    m = owned(p->acquire_free());
    BOOST_REQUIRE(m.get() == same);
    BOOST_TEST((m->header() == tofu::binary_header{}));
    BOOST_TEST(m->body().empty());
    BOOST_TEST(m->headers().empty());
    BOOST_TEST(m->user() == nullptr);
}

BOOST_AUTO_TEST_CASE(a_pool_for_messages_without_end_can_be_had_and_keeps_what_it_can) {
    constexpr std::size_t no_end = std::numeric_limits<std::size_t>::max();
    static_assert(pool::most_retained(1024) == 1088);
    static_assert(pool::most_retained(no_end) == 65536 && pool::most_retained(65535) == 65536);
    const open_pool p = make_pool({.initial_messages = 2, .max_messages = no_end});
    BOOST_REQUIRE(p);
    BOOST_TEST(p->free_messages() == 2U);
    BOOST_TEST(p->credit_limit() == no_end);
}

BOOST_AUTO_TEST_CASE(buffers_that_grew_large_give_their_memory_back) {
    const open_pool p = make_pool({.initial_messages = 1, .max_messages = 4, .retained_capacity = 1000});
    tofu::message_ptr m = owned(p->acquire_free());
    BOOST_REQUIRE(m->body().reserve(900));
    BOOST_REQUIRE(m->headers().buffer().reserve(5000));
    m.reset();
    m = owned(p->acquire_free());
    BOOST_TEST(m->body().capacity() >= 900U);
    BOOST_TEST(m->headers().buffer().capacity() == 0U);
    BOOST_REQUIRE(m->body().reserve(2000));
    m.reset();
    m = owned(p->acquire_free());
    BOOST_TEST(m->body().capacity() == 0U);
}

BOOST_AUTO_TEST_CASE(credit_is_used_by_what_takes_it_and_free_when_that_is_released) {
    const open_pool p = make_pool({.initial_messages = 0, .max_messages = 8});
    std::vector<tofu::message_ptr> posted;
    for (int i = 0; i < 50; ++i) posted.push_back(owned(p->acquire())); // posting uses none of it
    BOOST_TEST(p->credit_used() == 0U);
    std::vector<tofu::message_ptr> received = take_all_credit(*p);
    BOOST_TEST(received.size() == 8U);
    BOOST_TEST(p->credit_used() == 8U);
    tofu::message_ptr one_more = owned(p->acquire());
    BOOST_TEST(!take_credit(*p, *one_more));
    p->release_credit(*received.back()); // it is posted
    BOOST_TEST(p->credit_used() == 7U);
    BOOST_TEST(take_credit(*p, *one_more));
    received.clear(); // the posted one does not count twice
    BOOST_TEST(p->credit_used() == 1U);
    one_more.reset();
    BOOST_TEST(p->credit_used() == 0U);
}

BOOST_AUTO_TEST_CASE(a_starved_reader_is_woken_once_when_a_quarter_of_the_credit_is_free) {
    const open_pool p = make_pool({.initial_messages = 0, .max_messages = 16});
    wakes woken(*p);
    for (int episode = 1; episode <= 3; ++episode) {
        std::vector<tofu::message_ptr> received = take_all_credit(*p);
        BOOST_TEST(p->begin_starvation());
        BOOST_TEST(p->starved());
        for (int released = 1; released <= 16; ++released) {
            received.pop_back();
            BOOST_TEST(p->starved() == (released < 4));
            BOOST_TEST(woken.count == (released < 4 ? episode - 1 : episode));
        }
    }
}

BOOST_AUTO_TEST_CASE(the_smallest_credit_wakes_with_its_first_message) {
    const open_pool p = make_pool({.initial_messages = 0, .max_messages = 4});
    wakes woken(*p);
    std::vector<tofu::message_ptr> received = take_all_credit(*p);
    BOOST_TEST(p->begin_starvation());
    received.pop_back();
    BOOST_TEST(woken.count == 1);
}

BOOST_AUTO_TEST_CASE(a_reader_does_not_starve_when_enough_came_back_at_the_last_moment) {
    const open_pool p = make_pool({.initial_messages = 0, .max_messages = 16});
    wakes woken(*p);
    std::vector<tofu::message_ptr> received = take_all_credit(*p);
    received.resize(12);
    BOOST_TEST(!p->begin_starvation());
    BOOST_TEST(!p->starved());
    received.clear();
    BOOST_TEST(woken.count == 0);
}

BOOST_AUTO_TEST_CASE(a_starved_reader_on_another_thread_never_sleeps_for_ever) {
    const open_pool p = make_pool({.initial_messages = 0, .max_messages = 8});
    bell credit;
    p->on_credit([](void* b) noexcept { static_cast<bell*>(b)->ring(); }, &credit);
    constexpr int total = 40'000;
    std::array<std::atomic<message*>, 4> hands{};
    std::atomic<bool> over{false};
    std::vector<std::thread> releasers;
    for (auto& hand : hands)
        releasers.emplace_back([&hand, &over] {
            for (;;) {
                const bool last = over;
                if (message* const m = hand.exchange(nullptr))
                    owned(m).reset();
                else if (last)
                    return;
            }
        });
    bool in_time = true;
    for (int i = 0; i < total && in_time; ++i) {
        message* const m = p->acquire();
        while (in_time && !take_credit(*p, *m))
            if (p->begin_starvation()) in_time = credit.wait();
        message* const before = hands[static_cast<std::size_t>(i) % 4].exchange(m);
        if (before != nullptr) owned(before).reset();
    }
    over = true;
    for (std::thread& t : releasers) t.join();
    BOOST_TEST(in_time);
    BOOST_TEST(p->credit_used() == 0U);
    BOOST_TEST(p->outstanding() == 0U);
}

BOOST_AUTO_TEST_CASE(messages_may_outlive_the_owner_of_the_pool) {
    open_pool p = make_pool({.initial_messages = 2, .max_messages = 8});
    wakes woken(*p);
    std::vector<tofu::message_ptr> received = take_all_credit(*p);
    BOOST_TEST(p->begin_starvation());
    p.reset();
    BOOST_REQUIRE(received.front()->body().append("still here"));
    std::error_code error;
    tofu::message_ptr copy = clone(*received.front(), error);
    BOOST_TEST(!error);
    received.clear();
    BOOST_TEST(copy->body().text() == "still here");
    BOOST_TEST(woken.count == 0); // nobody is there to be woken
}

BOOST_AUTO_TEST_CASE(a_copy_of_a_received_message_takes_no_credit) {
    const open_pool p = make_pool({.initial_messages = 0, .max_messages = 4});
    tofu::message_ptr m = owned(p->acquire());
    BOOST_REQUIRE(take_credit(*p, *m));
    std::error_code error;
    tofu::message_ptr copy = clone(*m, error);
    BOOST_TEST(p->credit_used() == 1U);
    copy.reset();
    BOOST_TEST(p->credit_used() == 1U);
    m.reset();
    BOOST_TEST(p->credit_used() == 0U);
}

BOOST_AUTO_TEST_CASE(eight_threads_get_and_release) {
    const open_pool p = make_pool({.initial_messages = 4, .max_messages = 16});
    std::atomic<int> wrong{0};
    on_eight_threads([&](std::size_t thread) {
        std::vector<tofu::message_ptr> held;
        for (unsigned i = 0; i < 5000; ++i) {
            held.push_back(owned(p->acquire()));
            if (!held.back()->body().empty() || held.back()->header().message_id != 0) ++wrong;
            held.back()->header().message_id = i + 1;
            if (!held.back()->body().append("x")) ++wrong;
            if (i % 7 == thread % 7) held.clear();
        }
    });
    BOOST_TEST(wrong == 0);
    BOOST_TEST(p->outstanding() == 0U);
    BOOST_TEST(p->free_messages() <= pool::most_retained(16));
}

BOOST_AUTO_TEST_CASE(a_pool_closed_while_eight_threads_release_ends_with_the_last_message) {
    for (int round = 0; round < 100; ++round) {
        open_pool p = make_pool({.initial_messages = 16, .max_messages = 16});
        std::vector<tofu::message_ptr> held;
        for (int i = 0; i < 16; ++i) held.push_back(owned(p->acquire()));
        on_eight_threads([&](std::size_t thread) {
            if (thread == 0) p.reset();
            held[thread].reset();
            held[thread + 8].reset();
        });
    }
}

BOOST_AUTO_TEST_CASE(the_loops_cache_is_empty_between_turns) {
    const open_pool p = make_pool({.initial_messages = 10, .max_messages = 10});
    message_cache cache(*p);
    message* const first = cache.acquire();
    message* const second = cache.acquire();
    BOOST_REQUIRE(take_credit(*p, *first));
    BOOST_REQUIRE(second->body().append("content"));
    cache.release(*first);
    BOOST_TEST(p->credit_used() == 0U);
    cache.release(*second);
    cache.flush();
    BOOST_TEST(p->free_messages() == 10U);
    BOOST_TEST(p->outstanding() == 0U);
    BOOST_TEST(p->allocations() == 10U);
    std::vector<tofu::message_ptr> all;
    for (int i = 0; i < 10; ++i) all.push_back(owned(p->acquire_free()));
    for (const tofu::message_ptr& m : all) BOOST_TEST(m->body().empty());
}

BOOST_AUTO_TEST_CASE(the_loops_cache_takes_credit_for_many_messages_and_returns_what_was_not_used) {
    const open_pool p = make_pool({.initial_messages = 0, .max_messages = 40});
    message_cache cache(*p);
    std::vector<tofu::message_ptr> received;
    for (int i = 0; i < 34; ++i) {
        received.push_back(owned(p->allocate()));
        BOOST_REQUIRE(cache.take_credit(*received.back()));
    }
    BOOST_TEST(p->credit_used() == 40U); // the rest is in hand
    BOOST_TEST(!p->has_credit());
    BOOST_TEST(cache.has_credit());
    cache.flush();
    BOOST_TEST(p->credit_used() == 34U);
    BOOST_TEST(p->take_credit(100) == 6U);
    BOOST_TEST(p->take_credit(1) == 0U);
    BOOST_TEST(!cache.has_credit());
    BOOST_TEST(!cache.take_credit(*received.front()));
    p->return_credit(6);
    received.clear();
    BOOST_TEST(p->credit_used() == 0U);
}

BOOST_AUTO_TEST_CASE(without_memory_a_pool_is_not_made) {
    for (const std::size_t initial : {std::size_t{0}, std::size_t{3}}) {
        std::size_t refusals = 0;
        const auto make = [initial] { return make_pool({.initial_messages = initial, .max_messages = 8}); };
        const open_pool p = with_each_refusal(make, [&refusals](const open_pool& none) {
            ++refusals;
            BOOST_TEST((none == nullptr));
        });
        BOOST_TEST(refusals == 1U + 2 + initial); // the pool, its two lists, its messages
        BOOST_TEST(p->free_messages() == initial);
    }
}

BOOST_AUTO_TEST_CASE(without_memory_a_message_takes_no_place_among_those_alive) {
    const open_pool p = make_pool({.initial_messages = 0, .max_messages = 4, .max_messages_alive = 6});
    for (int time = 0; time < 3; ++time) {
        const scarce_memory scarce(0);
        BOOST_TEST((p->acquire() == nullptr));
        BOOST_TEST((p->acquire_free() == nullptr));
    }
    BOOST_TEST(p->counted() == 0U);
    BOOST_TEST(p->outstanding() == 0U);
    const tofu::message_ptr first = owned(p->acquire());
    const tofu::message_ptr second = owned(p->acquire());
    BOOST_TEST((first && second));
    BOOST_TEST((p->acquire() == nullptr));
}

BOOST_AUTO_TEST_CASE(without_memory_a_copy_is_empty) {
    const open_pool p = make_pool({.initial_messages = 0, .max_messages = 4, .max_messages_alive = 6});
    const tofu::message_ptr original = owned(p->acquire());
    original->header().message_id = 7;
    BOOST_REQUIRE((original->headers().append("name", std::string(100, 'h')) == tofu::status::success));
    BOOST_REQUIRE(original->body().append(std::string(100, 'b')));
    std::error_code error;
    tofu::message_ptr copy = with_each_refusal([&] { return clone(*original, error); },
                                               [&](const tofu::message_ptr& none) {
                                                   BOOST_TEST((none == nullptr));
                                                   BOOST_TEST((error == tofu::status::allocation_failed));
                                                   BOOST_TEST(p->counted() == 1U);
                                               });
    BOOST_TEST(!error);
    BOOST_TEST(copy->header().message_id == 7U);
    BOOST_TEST(copy->body().text() == original->body().text());

    copy.reset();
    copy = owned(p->acquire());
    const bool assigned = with_each_refusal(
        [&] {
            copy->headers().buffer().release();
            copy->body().release();
            return copy->assign(*original);
        },
        [&](bool done) {
            BOOST_TEST(!done);
            BOOST_TEST(copy->wire_size() == tofu::binary_header::wire_size);
            BOOST_TEST(copy->header().message_id == 0U);
        });
    BOOST_TEST(assigned);
}

BOOST_AUTO_TEST_CASE(messages_that_came_back_last_are_taken_first) {
    const open_pool p = make_pool({.initial_messages = 50, .max_messages = 100});
    std::vector<message*> taken;
    for (int i = 0; i < 40; ++i) taken.push_back(p->acquire_free());
    for (message* const m : taken) p->release(*m);
    std::vector<tofu::message_ptr> again;
    for (; !taken.empty(); taken.pop_back()) {
        again.push_back(owned(p->acquire_free()));
        BOOST_TEST((again.back().get() == taken.back()));
    }
    BOOST_TEST(p->free_messages() == 10U);
}

BOOST_AUTO_TEST_CASE(the_loops_cache_makes_what_the_pool_has_not_and_keeps_no_more_than_it_may) {
    const open_pool p = make_pool({.initial_messages = 2, .max_messages = 4});
    message_cache cache(*p);
    std::vector<message*> taken;
    for (int i = 0; i < 50; ++i) taken.push_back(cache.acquire());
    BOOST_TEST(p->outstanding() == 50U);
    for (message* const m : taken) cache.release(*m);
    cache.flush();
    BOOST_TEST(p->outstanding() == 0U);
    BOOST_TEST(p->free_messages() == 4U);
}

BOOST_AUTO_TEST_SUITE_END()
