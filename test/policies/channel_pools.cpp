// SPDX-License-Identifier: BSL-1.0
// Slots for channels: made once for all of them, or as they come.
#include "pool_slots.hpp"
#include "support/scarce_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/policies/pool/fixed_channel_pool.hpp>
#include <tofu/policies/pool/growing_channel_pool.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

using tofu_test::slot;
using tofu_test::slots_of;

namespace {

constexpr std::size_t size = 8;
using fixed = tofu::fixed_channel_pool<size>;
using growing = tofu::growing_channel_pool<3>; // eight slots are in three chunks
using both_pools = std::tuple<fixed, growing>;

} // namespace

BOOST_AUTO_TEST_SUITE(channel_pools)

BOOST_AUTO_TEST_CASE(there_is_room_for_n_and_for_no_more) {
    slots_of<fixed> s;
    BOOST_TEST(s.used() == 0U);
    BOOST_TEST(s.capacity() == size);
    BOOST_TEST(s.reserved() == size);
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

BOOST_AUTO_TEST_CASE(a_growing_pool_takes_memory_a_chunk_at_a_time_and_uses_it_again) {
    slots_of<growing> s;
    BOOST_TEST(s.reserved() == 0U);
    BOOST_TEST(s.fill(1).size() == 1U);
    BOOST_TEST(s.reserved() == 3U);
    BOOST_TEST(s.fill(3).size() == 3U);
    BOOST_TEST(s.reserved() == 6U);
    s.for_each([&](slot& one) { s.release(one); });
    for (int round = 0; round < 10; ++round) {
        for (slot* const one : s.fill(6)) s.release(*one);
        BOOST_TEST(s.reserved() == 6U);
    }
}

BOOST_AUTO_TEST_CASE(a_growing_pool_gives_every_channel_number_a_slot_and_no_more) {
    using pool = tofu::growing_channel_pool<1000>; // the last chunk is larger than what is left of the numbers
    slots_of<pool> s;
    BOOST_TEST(s.fill(70'000).size() == 65'534U);
    BOOST_TEST((s.acquire() == nullptr));
    BOOST_TEST(s.used() == s.capacity());
    BOOST_TEST((s.at(65'533) != nullptr));
    BOOST_TEST((s.at(65'534) == nullptr));
}

BOOST_AUTO_TEST_CASE(without_memory_a_fixed_pool_does_not_open) {
    fixed pool;
    std::optional<fixed::storage<slot>> s;
    const auto open = [&] { return s.emplace().open(pool); };
    BOOST_TEST(tofu_test::with_each_refusal(open, [&](bool opened) {
        BOOST_TEST(!opened);
        BOOST_TEST((s->at(0) == nullptr));
    }));
}

BOOST_AUTO_TEST_CASE(without_memory_for_a_chunk_a_growing_pool_stays_as_it_was) {
    slots_of<growing> s;
    std::size_t refusals = 0;
    for (std::size_t count = 0; count < 60; ++count) { // twenty chunks: the table of chunks grows, too
        const std::size_t reserved = s.reserved();
        slot* const one = tofu_test::with_each_refusal([&] { return s.acquire(); },
                                                       [&](const slot* none) {
                                                           ++refusals;
                                                           BOOST_TEST((none == nullptr));
                                                           BOOST_TEST(s.used() == count);
                                                           BOOST_TEST(s.reserved() == reserved);
                                                       });
        BOOST_REQUIRE(one != nullptr);
        BOOST_TEST(one->identity().index == count);
        BOOST_TEST((s.at(one->identity().index) == one));
    }
    BOOST_TEST(refusals == 20U + 2); // each chunk once; and the table, made for the first chunk and for the 17th
}

BOOST_AUTO_TEST_CASE_TEMPLATE(owners_keep_their_place_while_others_come_and_go, Pool, both_pools) {
    slots_of<Pool> s;
    const std::vector<slot*> all = s.fill();
    for (slot* const one : all) one->content = static_cast<int>(one->identity().index) + 100;
    for (std::size_t i = 0; i < size; i += 2) s.release(*all[i]);
    for (std::size_t i = 0; i < size; i += 2) BOOST_TEST((s.acquire() != nullptr));
    for (std::size_t i = 1; i < size; i += 2) {
        BOOST_TEST((s.at(all[i]->identity().index) == all[i]));
        BOOST_TEST(all[i]->content == static_cast<int>(all[i]->identity().index) + 100);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_owner_of_a_slot_has_another_identity, Pool, both_pools) {
    slots_of<Pool> s;
    std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
    for (int i = 0; i < 1000; ++i) {
        slot* const one = s.acquire();
        BOOST_REQUIRE(seen.emplace(one->identity().index, one->identity().generation).second);
        s.release(*one);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(only_owners_are_found_by_index_and_by_address, Pool, both_pools) {
    slots_of<Pool> s;
    slot* const one = s.acquire();
    const std::uint32_t index = one->identity().index;
    const auto address = reinterpret_cast<std::uintptr_t>(one);
    BOOST_TEST((s.at(index) == one));
    BOOST_TEST((s.owner_at(address) == one));
    s.release(*one);
    BOOST_TEST((s.at(index) == nullptr));
    BOOST_TEST((s.owner_at(address) == nullptr));
    for (const std::uint32_t beyond : {std::uint32_t{size}, std::uint32_t{1000}, ~std::uint32_t{0}})
        BOOST_TEST((s.at(beyond) == nullptr));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(visiting_sees_every_owner_and_may_release_it, Pool, both_pools) {
    slots_of<Pool> s;
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

BOOST_AUTO_TEST_CASE_TEMPLATE(a_pool_never_opened_has_nobody, Pool, both_pools) {
    typename Pool::template storage<slot> s;
    s.for_each([](slot&) { BOOST_ERROR("nobody is there"); });
    BOOST_TEST(s.used() == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(abandoned_slots_stay_where_they_are_and_are_found_no_more, Pool, both_pools) {
    static slot* kept = nullptr; // the memory leaks on purpose; a pointer to it satisfies leak checkers
    slots_of<Pool> s;
    kept = s.acquire();
    kept->content = 42;
    const std::uint32_t index = kept->identity().index;
    const auto address = reinterpret_cast<std::uintptr_t>(kept);
    s.abandon();
    BOOST_TEST((s.at(index) == nullptr)); // a late answer may still ask
    BOOST_TEST((s.owner_at(address) == nullptr));
    s.for_each([](slot&) { BOOST_ERROR("nobody is there"); });
    BOOST_TEST(kept->content == 42);
    --slot::alive;
}

BOOST_AUTO_TEST_SUITE_END()
