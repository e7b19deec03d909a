// SPDX-License-Identifier: BSL-1.0
// Keys find their way back to the owner they were made for, in any pool, and a stale one finds nobody: the slot, its
// address or the socket's handle may long be another's.
#include "pool_slots.hpp"
#include "support/all_keys.hpp"
#include "support/scarce_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/policies/key/handle_key.hpp>
#include <tofu/policies/key/slot_index_key.hpp>
#include <tofu/policies/pool/fixed_channel_pool.hpp>
#include <tofu/policies/pool/growing_channel_pool.hpp>

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

using tofu::slot_identity;
using tofu_test::slot;
using tofu_test::slots_of;

BOOST_AUTO_TEST_SUITE(channel_keys)

namespace {

/// Nothing but the number of a handle.
struct handle_only {
    int handle = 0;
    [[nodiscard]] int native_handle() const noexcept { return handle; }
};

template <class Key, class Pool>
struct pair {
    using key = Key;
    using pool = Pool;
};
using keys = tofu_test::all_keys;
using pools = boost::mp11::mp_list<tofu::fixed_channel_pool<8>, tofu::growing_channel_pool<3>>;
using all_pairs = boost::mp11::mp_product<pair, keys, pools>;

/// A key policy that was opened, as an engine has it.
template <class Key>
struct opened : Key {
    opened() { BOOST_REQUIRE(this->open(8)); }
};

constexpr std::uintptr_t all_ones = ~std::uintptr_t{0};

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_finds_the_owner_it_was_made_for, Pair, all_pairs) {
    slots_of<typename Pair::pool> s;
    opened<typename Pair::key> policy;
    std::map<std::uintptr_t, slot*> made;
    for (slot* const one : s.fill()) {
        const std::uintptr_t key = policy.make(*one, handle_only{static_cast<int>(made.size())}); // 0 is a handle, too
        BOOST_TEST(key != 0U);
        BOOST_TEST(key != all_ones);
        BOOST_TEST(made.emplace(key, one).second);
    }
    for (const auto& [key, owner] : made) BOOST_TEST((policy.find(s, key) == owner));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stale_key_finds_nobody_however_often_slot_address_and_handle_are_used_again, Pair,
                              all_pairs) {
    slots_of<typename Pair::pool> s;
    opened<typename Pair::key> policy;
    std::vector<std::uintptr_t> stale;
    const auto nobody_is_found = [&] {
        for (const std::uintptr_t key : stale) BOOST_TEST((policy.find(s, key) == nullptr));
    };
    for (int again = 0; again < 100; ++again) {
        const std::vector<slot*> owners = s.fill();
        std::vector<std::uintptr_t> now;
        for (std::size_t i = 0; i < owners.size(); ++i) // the same eight slots and handles each time
            now.push_back(policy.make(*owners[i], handle_only{static_cast<int>(i)}));
        nobody_is_found();
        for (std::size_t i = 0; i < owners.size(); ++i) BOOST_TEST((policy.find(s, now[i]) == owners[i]));
        for (std::size_t i = 0; i < owners.size(); ++i) {
            policy.forget(now[i]);
            s.release(*owners[i]);
        }
        nobody_is_found();
        stale.insert(stale.end(), now.begin(), now.end());
        BOOST_REQUIRE(std::set(stale.begin(), stale.end()).size() == stale.size());
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_owner_that_gets_another_socket_is_not_found_by_the_key_of_the_one_before, Pair,
                              all_pairs) {
    slots_of<typename Pair::pool> s;
    opened<typename Pair::key> policy;
    slot* const one = s.acquire();
    const std::uintptr_t before = policy.make(*one, handle_only{7});
    policy.forget(before);
    ++one->identity_.generation;
    const std::uintptr_t now = policy.make(*one, handle_only{7}); // the system gives the lowest number that is free
    BOOST_TEST((policy.find(s, before) == nullptr));
    BOOST_TEST((policy.find(s, now) == one));
}

// Slots count their owners each for itself: the same handle may come back in another slot of the same generation.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_does_not_find_the_next_owner_of_its_handle_in_another_slot, Pair, all_pairs) {
    slots_of<typename Pair::pool> s;
    opened<typename Pair::key> policy;
    slot* const first = s.acquire();
    slot* const second = s.acquire();
    BOOST_REQUIRE(first->identity().generation == second->identity().generation);
    const std::uintptr_t before = policy.make(*first, handle_only{7});
    policy.forget(before);
    s.release(*first);
    const std::uintptr_t now = policy.make(*second, handle_only{7});
    BOOST_TEST(now != before);
    BOOST_TEST((policy.find(s, before) == nullptr));
    policy.forget(before); // which is nobody's any more
    BOOST_TEST((policy.find(s, now) == second));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_keys_of_any_generation_are_neither_null_nor_all_ones, Key, keys) {
    opened<Key> policy;
    for (const std::uint32_t index : {0U, 65'533U}) {
        for (const std::uint32_t generation : {0U, 1U, 0xFFFFU, ~0U}) {
            const slot one(slot_identity{index, generation});
            const std::uintptr_t key = policy.make(one, handle_only{5});
            BOOST_TEST(key != 0U);
            BOOST_TEST(key != all_ones);
            policy.forget(key);
        }
    }
}

BOOST_AUTO_TEST_CASE(indices_nobody_has_find_nothing) {
    slots_of<tofu::fixed_channel_pool<8>> s;
    static_cast<void>(s.fill());
    for (const std::uintptr_t key :
         {std::uintptr_t{0}, all_ones, tofu::slot_index_key::low_half, std::uintptr_t{9}, std::uintptr_t{1}})
        BOOST_TEST((tofu::slot_index_key::find(s, key) == nullptr));
}

BOOST_AUTO_TEST_CASE(handles_nobody_has_find_nothing) {
    slots_of<tofu::fixed_channel_pool<8>> s;
    tofu::handle_key never_opened;
    BOOST_TEST((never_opened.find(s, 1) == nullptr));
    never_opened.forget(1);
    opened<tofu::handle_key> policy;
    slot* const one = s.acquire();
    const std::uintptr_t key = policy.make(*one, handle_only{3});
    for (const std::uintptr_t other : {std::uintptr_t{0}, all_ones, key + 1, key - 1})
        BOOST_TEST((policy.find(s, other) == nullptr));
    policy.forget(key + 1);
    BOOST_TEST((policy.find(s, key) == one));
}

BOOST_AUTO_TEST_CASE(a_handle_whose_number_does_not_fit_gets_no_key) {
    struct wide_socket {
        std::uintptr_t handle;
        [[nodiscard]] std::uintptr_t native_handle() const noexcept { return handle; }
    };
    slots_of<tofu::fixed_channel_pool<8>> s;
    opened<tofu::handle_key> policy;
    slot* const one = s.acquire();
    BOOST_TEST(policy.make(*one, wide_socket{all_ones}) == 0U); // a socket that is not open
    BOOST_TEST(policy.make(*one, wide_socket{tofu::handle_key::handle_mask}) == 0U);
    BOOST_TEST(policy.make(*one, wide_socket{tofu::handle_key::handle_mask - 2}) != 0U);
}

BOOST_AUTO_TEST_CASE(without_memory_a_table_does_not_open) {
    const auto open = [] { return tofu::handle_key().open(100); };
    BOOST_TEST(tofu_test::with_each_refusal(open, [](bool opened) { BOOST_TEST(!opened); }));
}

BOOST_AUTO_TEST_CASE(a_table_that_can_not_grow_gives_no_key_and_keeps_those_it_has) {
    slots_of<tofu::growing_channel_pool<>> s;
    tofu::handle_key policy;
    BOOST_REQUIRE(policy.open(0));
    const std::vector<slot*> owners = s.fill(200);
    std::vector<std::uintptr_t> keys_made;
    std::vector<std::size_t> refused_at;
    const auto all_are_found = [&] {
        for (std::size_t i = 0; i < keys_made.size(); ++i) BOOST_REQUIRE((policy.find(s, keys_made[i]) == owners[i]));
    };
    for (std::size_t i = 0; i < owners.size(); ++i) {
        const auto make = [&] { return policy.make(*owners[i], handle_only{static_cast<int>(i)}); };
        keys_made.push_back(tofu_test::with_each_refusal(make, [&](std::uintptr_t key) {
            BOOST_TEST(key == 0U);
            all_are_found();
            refused_at.push_back(i);
        }));
        BOOST_REQUIRE(keys_made.back() != 0U);
    }
    all_are_found();
    // The table grows when it is half full. A refusal that took a place would make it grow earlier from then on.
    const std::vector<std::size_t> half_full = {0, 8, 16, 32, 64, 128};
    BOOST_TEST(refused_at == half_full, boost::test_tools::per_element());
}

// The table against a std::map: handles come and go in any order, as small dense numbers and as multiples of four.
BOOST_AUTO_TEST_CASE(handles_are_found_whatever_came_and_went_before) {
    std::mt19937 random(1);
    for (const int step : {1, 4, 256}) {
        slots_of<tofu::growing_channel_pool<>> s;
        tofu::handle_key policy;
        BOOST_REQUIRE(policy.open(0));
        std::map<int, std::pair<std::uintptr_t, slot*>> present; // by handle
        for (int i = 0; i < 20'000; ++i) {
            const int handle = static_cast<int>(random() % 300) * step;
            const auto at = present.find(handle);
            if (at == present.end()) {
                slot* const one = s.acquire();
                present[handle] = {policy.make(*one, handle_only{handle}), one};
            } else {
                BOOST_REQUIRE((policy.find(s, at->second.first) == at->second.second));
                policy.forget(at->second.first);
                s.release(*at->second.second);
                present.erase(at);
            }
            if (i % 100 != 0) continue;
            for (const auto& [number, one] : present) BOOST_REQUIRE((policy.find(s, one.first) == one.second));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
