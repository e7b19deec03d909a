// SPDX-License-Identifier: BSL-1.0
// The growable array that answers instead of throwing.

#include "support/scarce_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/contract/nothrow_vector.hpp>

#include <cstddef>
#include <limits>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

// The suite takes the name of the type.
template <class T>
using values = tofu::nothrow_vector<T>;

static_assert(!std::is_copy_constructible_v<values<int>>);
static_assert(std::is_nothrow_move_constructible_v<values<int>>);
static_assert(std::is_nothrow_move_assignable_v<values<int>>);

namespace {

values<int> counted(int count) {
    values<int> made;
    for (int value = 0; value < count; ++value) {
        BOOST_REQUIRE(made.push_back(value));
    }
    return made;
}

struct pair_of_values {
    int left = 7;
    char right = 'r';
};

} // namespace

BOOST_AUTO_TEST_SUITE(nothrow_vector)

BOOST_AUTO_TEST_CASE(an_empty_one_owns_nothing) {
    const values<int> none;
    BOOST_TEST(none.empty());
    BOOST_TEST(none.size() == 0U);
    BOOST_TEST(none.capacity() == 0U);
    BOOST_TEST((none.begin() == none.end()));
}

BOOST_AUTO_TEST_CASE(elements_keep_their_values_while_it_grows) {
    const values<int> many = counted(10'000);
    BOOST_REQUIRE_EQUAL(many.size(), 10'000U);
    BOOST_TEST(many.capacity() >= many.size());
    for (std::size_t index = 0; index < many.size(); ++index) {
        BOOST_REQUIRE_EQUAL(many[index], static_cast<int>(index));
    }
    BOOST_TEST(std::accumulate(many.begin(), many.end(), 0L) == 49'995'000L);
    BOOST_TEST(many.back() == 9'999);
    BOOST_TEST((many.data() + many.size() == many.end()));
}

BOOST_AUTO_TEST_CASE(growing_one_by_one_is_geometric) {
    values<int> many;
    int moves = 0;
    for (int value = 0; value < 100'000; ++value) {
        const int* const before = many.data();
        BOOST_REQUIRE(many.push_back(value));
        moves += many.data() != before ? 1 : 0;
    }
    BOOST_TEST(moves < 40);
}

BOOST_AUTO_TEST_CASE(an_element_of_its_own_can_be_added_while_it_moves) {
    values<int> many = counted(1);
    many[0] = 42;
    for (int count = 0; count < 1'000; ++count) {
        BOOST_REQUIRE(many.push_back(many[0]));
        BOOST_REQUIRE_EQUAL(many.back(), 42);
    }
}

BOOST_AUTO_TEST_CASE(reserved_room_is_used_without_moving) {
    values<int> many;
    BOOST_REQUIRE(many.reserve(100));
    BOOST_TEST(many.empty());
    const int* const place = many.data();
    for (int value = 0; value < 100; ++value) {
        BOOST_REQUIRE(many.push_back(value));
    }
    BOOST_TEST(many.data() == place);
    BOOST_REQUIRE(many.reserve(5));
    BOOST_TEST(many.size() == 100U);
    BOOST_TEST(many.data() == place);
}

BOOST_AUTO_TEST_CASE(resizing_initialises_what_is_new_and_keeps_the_rest) {
    values<pair_of_values> many;
    BOOST_REQUIRE(many.push_back({1, 'x'}));
    BOOST_REQUIRE(many.resize(50));
    BOOST_TEST(many[0].left == 1);
    for (std::size_t index = 1; index < 50; ++index) {
        BOOST_REQUIRE_EQUAL(many[index].left, 7);
        BOOST_REQUIRE_EQUAL(many[index].right, 'r');
    }
    many[1].left = 0;
    BOOST_REQUIRE(many.resize(1));
    BOOST_REQUIRE(many.resize(2));
    BOOST_TEST(many[1].left == 7);

    values<int> zeros = counted(5);
    zeros.clear();
    BOOST_REQUIRE(zeros.resize(5));
    BOOST_TEST(std::accumulate(zeros.begin(), zeros.end(), 0) == 0);
}

BOOST_AUTO_TEST_CASE(what_can_not_be_had_is_refused_and_changes_nothing) {
    values<int> many = counted(3);
    const int* const place = many.data();
    const std::size_t most = values<int>::max_size();
    for (const std::size_t wanted : {most + 1, std::numeric_limits<std::size_t>::max()}) {
        BOOST_TEST(!many.reserve(wanted));
        BOOST_TEST(!many.resize(wanted));
    }
    BOOST_TEST(many.size() == 3U);
    BOOST_TEST(many.data() == place);
    BOOST_TEST(many[2] == 2);
}

BOOST_AUTO_TEST_CASE(without_memory_growth_changes_nothing) {
    values<int> many = counted(16); // full
    const int* const place = many.data();
    const auto unchanged = [&](bool grown) {
        BOOST_TEST(!grown);
        BOOST_TEST(many.size() == 16U);
        BOOST_TEST(many.capacity() == 16U);
        BOOST_TEST(many.data() == place);
    };
    {
        const tofu_test::scarce_memory scarce(0);
        unchanged(many.reserve(17));
        unchanged(many.resize(17));
        unchanged(many.push_back(16));
    }
    BOOST_REQUIRE(many.push_back(16));
    for (std::size_t index = 0; index < 17; ++index) BOOST_TEST(many[index] == static_cast<int>(index));
}

BOOST_AUTO_TEST_CASE(clear_and_pop_back_keep_the_memory) {
    values<int> many = counted(100);
    const std::size_t room = many.capacity();
    many.pop_back();
    BOOST_TEST(many.size() == 99U);
    BOOST_TEST(many.back() == 98);
    many.clear();
    BOOST_TEST(many.empty());
    BOOST_TEST(many.capacity() == room);
}

BOOST_AUTO_TEST_CASE(moving_hands_the_memory_over) {
    values<int> first = counted(10);
    const int* const place = first.data();
    values<int> second(std::move(first));
    BOOST_TEST(second.data() == place);
    BOOST_TEST(first.empty());
    BOOST_TEST(first.capacity() == 0U);
    BOOST_REQUIRE(first.push_back(5));
    second = std::move(first);
    BOOST_REQUIRE_EQUAL(second.size(), 1U);
    BOOST_TEST(second[0] == 5);
    values<int>& same = second;
    second = std::move(same);
    BOOST_TEST(second.size() == 1U);
    values<int> third = counted(3);
    third.swap(second);
    BOOST_TEST(third.size() == 1U);
    BOOST_TEST(second.size() == 3U);
}

BOOST_AUTO_TEST_SUITE_END()
