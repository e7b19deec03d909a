// SPDX-License-Identifier: BSL-1.0
// Slots made once for N channels, and the keys that find their way back to the owner they were made for.
#include <boost/test/unit_test.hpp>

#include <tofu/policies/key/slot_index_key.hpp>
#include <tofu/policies/pool/fixed_channel_pool.hpp>

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

using tofu::slot_identity;
using tofu::slot_index_key;

namespace {

struct slot {
    explicit slot(slot_identity who) noexcept : identity_(who) { ++alive; }
    slot(const slot&) = delete;
    slot& operator=(const slot&) = delete;
    ~slot() { --alive; }
    [[nodiscard]] slot_identity identity() const noexcept { return identity_; }

    static inline int alive = 0;
    slot_identity identity_;
    int content = 0;
};

constexpr std::size_t size = 8;
using storage = tofu::fixed_channel_pool<size>::storage<slot>;

/// Opened, and emptied at the end, as an engine leaves it.
struct slots : storage {
    slots() { BOOST_REQUIRE(open()); }
    ~slots() {
        for_each([this](slot& s) { release(s); });
    }
    std::vector<slot*> fill() {
        std::vector<slot*> all;
        while (slot* const s = acquire()) all.push_back(s);
        return all;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(fixed_channel_pool)

BOOST_AUTO_TEST_CASE(there_is_room_for_n_and_for_no_more) {
    slots s;
    BOOST_TEST(s.used() == 0U);
    BOOST_TEST(storage::capacity() == size);
    const std::vector<slot*> all = s.fill();
    BOOST_TEST(all.size() == size);
    BOOST_TEST(s.used() == size);
    BOOST_TEST((s.acquire() == nullptr));
    BOOST_TEST(slot::alive == static_cast<int>(size));
    s.release(*all[3]);
    BOOST_TEST(slot::alive == static_cast<int>(size) - 1);
    BOOST_TEST(s.used() == size - 1);
    BOOST_TEST((s.acquire() != nullptr));
    BOOST_TEST((s.acquire() == nullptr));
}

BOOST_AUTO_TEST_CASE(owners_keep_their_place_while_others_come_and_go) {
    slots s;
    const std::vector<slot*> all = s.fill();
    for (slot* const one : all) one->content = static_cast<int>(one->identity().index) + 100;
    for (std::size_t i = 0; i < size; i += 2) s.release(*all[i]);
    for (std::size_t i = 0; i < size; i += 2) BOOST_TEST((s.acquire() != nullptr));
    for (std::size_t i = 1; i < size; i += 2) {
        BOOST_TEST((s.at(all[i]->identity().index) == all[i]));
        BOOST_TEST(all[i]->content == static_cast<int>(all[i]->identity().index) + 100);
    }
}

BOOST_AUTO_TEST_CASE(every_owner_of_a_slot_has_another_identity) {
    slots s;
    std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
    for (int i = 0; i < 1000; ++i) {
        slot* const one = s.acquire();
        BOOST_REQUIRE(seen.emplace(one->identity().index, one->identity().generation).second);
        s.release(*one);
    }
}

BOOST_AUTO_TEST_CASE(only_owners_are_found_by_index) {
    slots s;
    slot* const one = s.acquire();
    const std::uint32_t index = one->identity().index;
    BOOST_TEST((s.at(index) == one));
    s.release(*one);
    BOOST_TEST((s.at(index) == nullptr));
    for (const std::uint32_t beyond : {std::uint32_t{size}, std::uint32_t{1000}, ~std::uint32_t{0}})
        BOOST_TEST((s.at(beyond) == nullptr));
}

BOOST_AUTO_TEST_CASE(visiting_sees_every_owner_and_may_release_it) {
    slots s;
    const std::vector<slot*> all = s.fill();
    s.release(*all[2]);
    std::vector<slot*> visited;
    s.for_each([&](slot& one) {
        visited.push_back(&one);
        s.release(one);
    });
    BOOST_TEST(visited.size() == size - 1);
    BOOST_TEST((std::find(visited.begin(), visited.end(), all[2]) == visited.end()));
    BOOST_TEST(s.used() == 0U);
    BOOST_TEST(s.fill().size() == size);
}

BOOST_AUTO_TEST_CASE(a_pool_never_opened_has_nobody) {
    storage s;
    s.for_each([](slot&) { BOOST_ERROR("nobody is there"); });
    BOOST_TEST(s.used() == 0U);
}

BOOST_AUTO_TEST_CASE(abandoned_slots_stay_where_they_are_and_are_found_no_more) {
    static slot* kept = nullptr; // the memory is given up on purpose; what points to it says so to leak checkers
    slots s;
    kept = s.acquire();
    kept->content = 42;
    const std::uint32_t index = kept->identity().index;
    const std::uintptr_t key = slot_index_key::make(*kept);
    s.abandon();
    BOOST_TEST((s.at(index) == nullptr)); // a late answer may still ask
    BOOST_TEST((slot_index_key::find(s, key) == nullptr));
    s.for_each([](slot&) { BOOST_ERROR("nobody is there"); });
    BOOST_TEST(kept->content == 42);
    --slot::alive;
}

BOOST_AUTO_TEST_CASE(a_key_finds_the_owner_it_was_made_for) {
    slots s;
    std::set<std::uintptr_t> keys;
    for (slot* const one : s.fill()) {
        const std::uintptr_t key = slot_index_key::make(*one);
        BOOST_TEST(key != 0U);
        BOOST_TEST(key != slot_index_key::wake_key);
        BOOST_TEST(keys.insert(key).second);
        BOOST_TEST((slot_index_key::find(s, key) == one));
    }
}

BOOST_AUTO_TEST_CASE(a_stale_key_finds_nothing) {
    slots s;
    const std::vector<slot*> all = s.fill();
    std::vector<std::uintptr_t> stale;
    for (slot* const one : all) {
        stale.push_back(slot_index_key::make(*one));
        s.release(*one);
    }
    for (const std::uintptr_t key : stale) BOOST_TEST((slot_index_key::find(s, key) == nullptr));
    for (int again = 0; again < 100; ++again) {
        const std::vector<slot*> next = s.fill(); // the same slots, other owners
        for (const std::uintptr_t key : stale) BOOST_TEST((slot_index_key::find(s, key) == nullptr));
        for (slot* const one : next) s.release(*one);
    }
}

BOOST_AUTO_TEST_CASE(keys_nobody_made_find_nothing) {
    slots s;
    static_cast<void>(s.fill());
    for (const std::uintptr_t key : {std::uintptr_t{0}, slot_index_key::wake_key, slot_index_key::low_half,
                                     std::uintptr_t{size + 1}, std::uintptr_t{1}})
        BOOST_TEST((slot_index_key::find(s, key) == nullptr));
}

BOOST_AUTO_TEST_CASE(keys_of_the_last_slot_and_generation_are_neither_null_nor_the_wake_ups) {
    const std::uint32_t last_generation = static_cast<std::uint32_t>(slot_index_key::low_half);
    for (const std::uint32_t index : {0U, 65533U}) {
        for (const std::uint32_t generation : {0U, 1U, last_generation}) {
            const slot one(slot_identity{index, generation});
            BOOST_TEST(slot_index_key::make(one) != 0U);
            BOOST_TEST(slot_index_key::make(one) != slot_index_key::wake_key);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
