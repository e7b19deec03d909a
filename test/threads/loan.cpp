// SPDX-License-Identifier: BSL-1.0
// Tests of the loan of the loop's state while the loop sleeps: one borrower at a time, none while the owner is awake.
#include "support/eight_threads.hpp"
#include "support/rounds.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/engine/threads/loan.hpp>

#include <atomic>
#include <thread>

using lendable = tofu::engine::loan;

BOOST_AUTO_TEST_SUITE(loan)

BOOST_AUTO_TEST_CASE(nothing_can_be_borrowed_that_is_not_lent) {
    lendable l;
    BOOST_TEST(!l.try_borrow());
    l.lend();
    BOOST_TEST(l.try_borrow());
    BOOST_TEST(!l.try_borrow()); // another has it
    l.end_borrowing();
    BOOST_TEST(l.try_borrow());
    l.end_borrowing();
    l.reclaim();
    BOOST_TEST(!l.try_borrow());
    l.reclaim(); // without effect
    l.lend();
    BOOST_TEST(l.try_borrow());
    l.end_borrowing();
    l.reclaim();
}

BOOST_AUTO_TEST_CASE(the_owner_waits_for_a_borrower) {
    for (std::size_t round = 0; round < tofu_test::rounds(1000); ++round) {
        lendable l;
        int written = 0; // by one at a time: else ThreadSanitizer says so
        l.lend();
        BOOST_REQUIRE(l.try_borrow());
        tofu_test::side_thread borrower([&] {
            if (round % 2 == 0) std::this_thread::yield();
            written = 1;
            l.end_borrowing();
        });
        l.reclaim();
        BOOST_REQUIRE_EQUAL(written, 1);
        borrower.join();
    }
}

BOOST_AUTO_TEST_CASE(what_is_lent_has_one_user_at_a_time) {
    lendable l;
    int uses = 0; // not atomic: it is what the loan is about
    std::atomic<int> borrowed{0};
    std::atomic<int> borrowers{7};
    tofu_test::on_eight_threads([&](std::size_t thread) {
        if (thread == 0) {
            for (int turn = 0; borrowers != 0; ++turn) {
                l.lend();
                if (turn % 2 == 0) std::this_thread::yield();
                l.reclaim();
                ++uses;
                ++borrowed; // the owner's own use
            }
            return;
        }
        for (std::size_t done = 0; done < tofu_test::rounds(2000);) {
            if (!l.try_borrow()) {
                std::this_thread::yield();
                continue;
            }
            ++uses;
            ++borrowed;
            ++done;
            l.end_borrowing();
        }
        --borrowers;
    });
    BOOST_TEST(uses == borrowed);
}

BOOST_AUTO_TEST_SUITE_END()
