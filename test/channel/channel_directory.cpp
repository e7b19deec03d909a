// SPDX-License-Identifier: BSL-1.0
// Channel numbers: given out once, round the whole range, and closed with one winner between post and close.
#include "support/eight_threads.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/engine/channel/channel_directory.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

using tofu_test::on_eight_threads;
using directory = tofu::engine::channel_directory;
namespace word = tofu::engine::channel_word;
using tofu::op_code;
using tofu::status;

namespace {

constexpr std::uint16_t group = 5;
constexpr std::uint32_t any = directory::any_generation;
constexpr unsigned all_numbers = 65534;

} // namespace

BOOST_AUTO_TEST_SUITE(channel_directory)

BOOST_AUTO_TEST_CASE(numbers_go_round_the_whole_range) {
    directory d;
    std::vector<bool> seen(65536);
    for (unsigned i = 0; i < all_numbers; ++i) {
        const auto named = d.open(group, 0, false);
        BOOST_REQUIRE(named.number >= 1 && named.number <= 65534);
        BOOST_REQUIRE(!seen[named.number]);
        seen[named.number] = true;
        d.close(named.number);
        d.free(named.number);
    }
    BOOST_TEST(d.open(group, 0, false).number != 0);
}

BOOST_AUTO_TEST_CASE(no_number_is_given_out_while_it_lives_and_none_when_all_do) {
    directory d;
    std::vector<bool> live(65536);
    for (unsigned i = 0; i < all_numbers; ++i) {
        const std::uint16_t number = d.open(group, 0, false).number;
        BOOST_REQUIRE(number != 0);
        BOOST_REQUIRE(!live[number]);
        live[number] = true;
    }
    BOOST_TEST(d.open(group, 0, false).number == 0);
    for (const std::uint16_t number : {std::uint16_t{1}, std::uint16_t{777}, std::uint16_t{65534}}) {
        d.close(number);
        BOOST_TEST(d.open(group, 0, false).number == 0); // its goodbye was not taken yet
        d.free(number);
        BOOST_TEST(d.open(group, 0, false).number == number);
        BOOST_TEST(d.open(group, 0, false).number == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_number_is_of_another_generation_each_time) {
    directory d;
    const auto first = d.open(group, 0, false);
    d.close(first.number);
    d.free(first.number);
    directory::opened second;
    do {
        second = d.open(group, 0, false);
        if (second.number != first.number) {
            d.close(second.number);
            d.free(second.number);
        }
    } while (second.number != first.number);
    BOOST_TEST(second.generation != first.generation);
    BOOST_TEST(
        (d.enter(second.number, group, first.generation, op_code::response).result == status::invalid_channel_number));
    BOOST_TEST((d.enter(second.number, group, second.generation, op_code::response).result == status::success));
}

BOOST_AUTO_TEST_CASE(numbers_never_given_out_are_refused) {
    directory d;
    for (const std::uint16_t number : std::array<std::uint16_t, 3>{1, 500, 65534})
        BOOST_TEST((d.enter(number, group, any, op_code::signal).result == status::invalid_channel_number));
    BOOST_TEST(d.channel(500) == nullptr);
    BOOST_TEST(d.has_room(500, 1, 1, 1));
}

BOOST_AUTO_TEST_CASE(after_close_nothing_enters_and_the_last_post_in_flight_is_told_so) {
    directory d;
    const std::uint16_t number = d.open(group, 0, false).number;
    BOOST_TEST((d.enter(number, group, any, op_code::signal).result == status::success));
    BOOST_TEST(!d.exit(number, op_code::signal));
    BOOST_TEST(!d.posts_in_flight(number));
    BOOST_TEST((d.enter(number, group, any, op_code::signal).result == status::success));
    BOOST_TEST((d.enter(number, group, any, op_code::signal).result == status::success));
    d.close(number);
    BOOST_TEST((d.enter(number, group, any, op_code::signal).result == status::invalid_channel_number));
    BOOST_TEST(d.posts_in_flight(number));
    BOOST_TEST(!d.exit(number, op_code::signal));
    BOOST_TEST(d.exit(number, op_code::signal));
    BOOST_TEST(!d.posts_in_flight(number));
}

BOOST_AUTO_TEST_CASE(a_number_opened_by_a_post_is_in_flight_until_that_post_is_through) {
    directory d;
    const std::uint16_t number = d.open(group, 0, true).number;
    BOOST_TEST(d.posts_in_flight(number));
    BOOST_TEST(!d.exit(number, op_code::hello_request));
    BOOST_TEST(!d.posts_in_flight(number));
}

BOOST_AUTO_TEST_CASE(others_may_post_once_the_hello_response_is_through) {
    directory d;
    const std::uint16_t number = d.open(group, word::accepting, false).number;
    BOOST_TEST((d.enter(number, group, any, op_code::signal).result == status::not_allowed));
    BOOST_TEST((d.enter(number, group, any, op_code::hello_response).result == status::success));
    BOOST_TEST((d.enter(number, group, any, op_code::signal).result == status::not_allowed));
    BOOST_TEST((d.enter(number, group, any, op_code::hello_response).result == status::not_allowed));
    BOOST_TEST(!d.exit(number, op_code::hello_response));
    BOOST_TEST((d.enter(number, group, any, op_code::signal).result == status::success));
    BOOST_TEST((d.enter(number, group, any, op_code::bye_response).result == status::not_allowed));
    d.mark(number, word::bye_asked);
    BOOST_TEST((d.enter(number, group, any, op_code::bye_response).result == status::success));
    BOOST_TEST((d.enter(number, group, any, op_code::signal).result == status::not_allowed));
}

BOOST_AUTO_TEST_CASE(a_queue_is_full_by_messages_or_by_bytes) {
    directory d;
    const std::uint16_t number = d.open(group, 0, false).number;
    BOOST_TEST(d.reserve(number, 60, 3, 100));
    BOOST_TEST(!d.reserve(number, 41, 3, 100));
    BOOST_TEST(!d.has_room(number, 41, 3, 100));
    BOOST_TEST(d.reserve(number, 30, 3, 100));
    BOOST_TEST(d.reserve(number, 10, 3, 100));
    BOOST_TEST(!d.reserve(number, 0, 3, 100));
    BOOST_TEST(d.queued_messages(number) == 3U);
    BOOST_TEST(d.queued_bytes(number) == 100U);
    d.unreserve(number, 2, 90);
    BOOST_TEST(d.has_room(number, 90, 3, 100));
    BOOST_TEST(!d.has_room(number, 91, 3, 100));
    BOOST_TEST(d.queued_messages(number) == 1U);
    d.close(number);
    BOOST_TEST(d.has_room(number, 91, 3, 100)); // a waiter must learn that the channel is gone
}

BOOST_AUTO_TEST_CASE(the_next_owner_of_a_number_starts_with_an_empty_queue) {
    directory d;
    std::vector<std::uint16_t> numbers;
    for (unsigned i = 0; i < all_numbers; ++i) numbers.push_back(d.open(group, 0, false).number);
    BOOST_TEST(d.reserve(100, 60, 3, 100)); // came back unsent
    d.close(100);
    d.free(100);
    BOOST_REQUIRE(d.open(group, 0, false).number == 100);
    BOOST_TEST(d.queued_messages(100) == 0U);
    BOOST_TEST(d.queued_bytes(100) == 0U);
}

BOOST_AUTO_TEST_CASE(closing_all_refuses_everything_and_says_whether_posts_are_in_flight) {
    directory d;
    std::vector<std::uint16_t> numbers;
    for (int i = 0; i < 600; ++i) numbers.push_back(d.open(group, 0, false).number);
    BOOST_TEST((d.enter(numbers[300], group, any, op_code::signal).result == status::success));
    BOOST_TEST(d.close_all());
    for (const std::uint16_t number : numbers)
        BOOST_TEST((d.enter(number, group, any, op_code::signal).result == status::invalid_channel_number));
    BOOST_TEST(d.exit(numbers[300], op_code::signal));
    BOOST_TEST(!d.close_all());
}

BOOST_AUTO_TEST_CASE(numbers_opened_by_eight_threads_are_all_different) {
    directory d;
    std::array<std::vector<std::uint16_t>, 8> taken;
    on_eight_threads([&](std::size_t thread) {
        for (int i = 0; i < 4000; ++i) taken[thread].push_back(d.open(group, 0, false).number);
    });
    std::set<std::uint16_t> all;
    for (const auto& some : taken) all.insert(some.begin(), some.end());
    BOOST_TEST(all.size() == 32000U);
    BOOST_TEST(*all.begin() >= 1);
    BOOST_TEST(*all.rbegin() <= 65534);
}

BOOST_AUTO_TEST_CASE(numbers_that_come_and_go_on_eight_threads_have_one_owner_at_a_time) {
    directory d;
    std::vector<std::atomic<bool>> owned(65536);
    std::atomic<int> wrong{0};
    on_eight_threads([&](std::size_t) {
        for (int i = 0; i < 20'000; ++i) {
            const std::uint16_t number = d.open(group, 0, false).number;
            if (number == 0 || owned[number].exchange(true)) ++wrong;
            d.close(number);
            owned[number] = false;
            d.free(number);
        }
    });
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(post_and_close_have_one_winner) {
    directory d;
    for (int round = 0; round < 200; ++round) {
        const std::uint16_t number = d.open(group, 0, false).number;
        std::atomic<int> in_flight{0};
        std::atomic<int> told{0};
        std::atomic<int> still_in_flight{0};
        std::atomic<bool> concluded{false};
        std::atomic<int> late{0};
        on_eight_threads([&](std::size_t thread) {
            if (thread == 0) {
                for (int i = 0; i < round * 3; ++i) static_cast<void>(d.posts_in_flight(number));
                d.close(number);
                still_in_flight = d.posts_in_flight(number) ? 1 : 0;
                while (d.posts_in_flight(number)) std::this_thread::yield();
                concluded = true; // the goodbye is made: nobody may be inside
                if (in_flight != 0) ++late;
                return;
            }
            while (d.enter(number, group, any, op_code::signal).result == status::success) {
                ++in_flight;
                if (concluded) ++late;
                --in_flight;
                if (d.exit(number, op_code::signal)) ++told;
            }
        });
        BOOST_REQUIRE_EQUAL(late, 0);
        BOOST_REQUIRE_LE(told, 1);
        BOOST_REQUIRE_LE(still_in_flight, told); // the loop waits for exactly one of them
        d.free(number);
    }
}

BOOST_AUTO_TEST_CASE(reservations_of_eight_threads_never_exceed_the_limit) {
    directory d;
    const std::uint16_t number = d.open(group, 0, false).number;
    std::atomic<int> granted{0};
    on_eight_threads([&](std::size_t) {
        for (int i = 0; i < 5000; ++i)
            if (d.reserve(number, 10, 1000, 1 << 20)) ++granted;
    });
    BOOST_TEST(granted == 1000);
    BOOST_TEST(d.queued_bytes(number) == 10'000U);
}

BOOST_AUTO_TEST_SUITE_END()
