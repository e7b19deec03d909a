// SPDX-License-Identifier: BSL-1.0
// The list whose items carry their own links.
#include <boost/test/unit_test.hpp>

#include <tofu/detail/intrusive_list.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <random>
#include <vector>

namespace {

struct item {
    int number = 0;
    tofu::detail::list_hook<item> red;
    tofu::detail::list_hook<item> blue;
};

/// Lets its items go when it ends, as a list must be empty then.
template <class List>
struct emptied : List {
    ~emptied() {
        while (this->pop_front() != nullptr) {
        }
    }
};
using red_list = emptied<tofu::detail::intrusive_list<item, &item::red>>;
using blue_list = emptied<tofu::detail::intrusive_list<item, &item::blue>>;

template <std::size_t N>
struct numbered : std::array<item, N> {
    numbered() {
        for (std::size_t i = 0; i < N; ++i) (*this)[i].number = static_cast<int>(i);
    }
};

template <class List>
std::vector<int> numbers_of(const List& list) {
    std::vector<int> result;
    for (const item* i = list.front(); i != nullptr; i = List::next(*i)) result.push_back(i->number);
    return result;
}

using numbers = std::vector<int>;

} // namespace

BOOST_AUTO_TEST_SUITE(intrusive_list)

BOOST_AUTO_TEST_CASE(items_come_out_in_the_order_they_went_in) {
    numbered<3> items;
    red_list list;
    BOOST_TEST(list.empty());
    BOOST_TEST((list.pop_front() == nullptr));
    for (item& i : items) list.push_back(i);
    BOOST_TEST((numbers_of(list) == numbers{0, 1, 2}));
    for (item& i : items) {
        BOOST_TEST(red_list::contains(i));
        BOOST_TEST((list.front() == &i));
        BOOST_TEST((list.pop_front() == &i));
        BOOST_TEST(!red_list::contains(i));
    }
    BOOST_TEST(list.empty());
}

BOOST_AUTO_TEST_CASE(first_middle_and_last_can_be_taken_out) {
    for (std::size_t gone = 0; gone < 3; ++gone) {
        numbered<3> items;
        red_list list;
        for (item& i : items) list.push_back(i);
        list.erase(items[gone]);
        numbers left{0, 1, 2};
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(gone));
        BOOST_TEST((numbers_of(list) == left));
        list.push_back(items[gone]);
        left.push_back(static_cast<int>(gone));
        BOOST_TEST((numbers_of(list) == left));
    }
}

BOOST_AUTO_TEST_CASE(an_item_is_in_a_list_once) {
    numbered<2> items;
    red_list list;
    list.push_back(items[0]);
    list.push_back(items[1]);
    list.push_back(items[0]);
    BOOST_TEST((numbers_of(list) == numbers{0, 1}));
}

BOOST_AUTO_TEST_CASE(taking_out_what_is_not_there_changes_nothing) {
    numbered<2> items;
    red_list list;
    list.push_back(items[0]);
    list.erase(items[1]);
    BOOST_TEST((numbers_of(list) == numbers{0}));
    list.erase(items[0]);
    list.erase(items[0]);
    BOOST_TEST(list.empty());
}

BOOST_AUTO_TEST_CASE(an_item_can_be_in_several_lists) {
    numbered<3> items;
    red_list red;
    blue_list blue;
    for (item& i : items) red.push_back(i);
    for (const std::size_t i : {2U, 0U}) blue.push_back(items[i]);
    red.erase(items[0]);
    BOOST_TEST((numbers_of(red) == numbers{1, 2}));
    BOOST_TEST((numbers_of(blue) == numbers{2, 0}));
    BOOST_TEST(!blue_list::contains(items[1]));
}

BOOST_AUTO_TEST_CASE(a_drained_list_gives_what_was_there_at_the_call) {
    numbered<4> items;
    red_list list;
    for (const std::size_t i : {0U, 1U, 2U}) list.push_back(items[i]);
    numbers visited;
    list.drain([&](item& i) {
        BOOST_TEST(!red_list::contains(i));
        visited.push_back(i.number);
        list.push_back(i); // it comes again
        if (i.number == 0) {
            items[1].red.unlink(); // it was still to come
            list.push_back(items[3]);
        }
    });
    BOOST_TEST((visited == numbers{0, 2}));
    BOOST_TEST((numbers_of(list) == numbers{0, 3, 2}));
}

BOOST_AUTO_TEST_CASE(an_item_leaves_without_its_list) {
    for (std::size_t gone = 0; gone < 3; ++gone) {
        numbered<3> items;
        red_list list;
        for (item& i : items) list.push_back(i);
        BOOST_TEST(items[gone].red.linked());
        items[gone].red.unlink();
        items[gone].red.unlink();
        BOOST_TEST(!items[gone].red.linked());
        numbers left{0, 1, 2};
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(gone));
        BOOST_TEST((numbers_of(list) == left));
    }
}

BOOST_AUTO_TEST_CASE(the_last_item_leaves_an_empty_list) {
    numbered<1> items;
    red_list list;
    list.push_back(items[0]);
    items[0].red.unlink();
    BOOST_TEST(list.empty());
    BOOST_TEST((list.front() == nullptr));
    list.push_back(items[0]);
    BOOST_TEST((numbers_of(list) == numbers{0}));
}

BOOST_AUTO_TEST_CASE(lists_that_share_a_hook_hold_an_item_one_after_another) {
    numbered<2> items;
    red_list left;
    red_list right;
    left.push_back(items[0]);
    right.push_back(items[1]);
    right.push_back(items[0]);
    BOOST_TEST((numbers_of(left) == numbers{0}));
    BOOST_TEST((numbers_of(right) == numbers{1}));
    items[0].red.unlink();
    right.push_back(items[0]);
    BOOST_TEST(left.empty());
    BOOST_TEST((numbers_of(right) == numbers{1, 0}));
}

BOOST_AUTO_TEST_CASE(a_list_takes_over_the_items_of_another) {
    numbered<4> items;
    red_list left;
    red_list right;
    left.splice(right);
    BOOST_TEST(left.empty());
    right.push_back(items[0]);
    right.push_back(items[1]);
    left.splice(right);
    BOOST_TEST(right.empty());
    BOOST_TEST((numbers_of(left) == numbers{0, 1}));
    right.push_back(items[2]);
    right.push_back(items[3]);
    left.splice(right);
    BOOST_TEST((numbers_of(left) == numbers{0, 1, 2, 3}));
    left.splice(right);
    items[2].red.unlink();
    items[3].red.unlink();
    right.push_back(items[3]);
    BOOST_TEST((numbers_of(left) == numbers{0, 1}));
    BOOST_TEST((numbers_of(right) == numbers{3}));
}

BOOST_AUTO_TEST_CASE(random_operations_agree_with_a_deque) {
    std::mt19937 random(1);
    numbered<40> items;
    red_list list;
    std::deque<int> model;
    for (int i = 0; i < 50'000; ++i) {
        const int chosen = static_cast<int>(random() % items.size());
        item& one = items[static_cast<std::size_t>(chosen)];
        const auto there = std::find(model.begin(), model.end(), chosen);
        switch (random() % 4) {
        case 0:
            list.push_back(one);
            if (there == model.end()) model.push_back(chosen);
            break;
        case 1:
            list.erase(one);
            if (there != model.end()) model.erase(there);
            break;
        case 2:
            one.red.unlink();
            if (there != model.end()) model.erase(there);
            break;
        default: {
            const item* const first = list.pop_front();
            BOOST_REQUIRE((first == nullptr) == model.empty());
            if (model.empty()) break;
            BOOST_REQUIRE_EQUAL(first->number, model.front());
            model.pop_front();
        }
        }
        if (i % 50 == 0) BOOST_REQUIRE((numbers_of(list) == numbers(model.begin(), model.end())));
    }
}

BOOST_AUTO_TEST_SUITE_END()
