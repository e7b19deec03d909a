// SPDX-License-Identifier: BSL-1.0
// The numbers of an engine's groups: all can be used, none is used twice, and finding a free one takes constant time.
#include <boost/test/unit_test.hpp>

#include <tofu/engine/channel/group_registry.hpp>
#include <tofu/engine/memory/message_pool.hpp>
#include <tofu/message_ptr.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

BOOST_AUTO_TEST_SUITE(group_registry)

using tofu::status;
using tofu::engine::group_core;
using tofu::engine::handoff;
using tofu::engine::message_pool;
using tofu::engine::ref;

namespace {

struct registry {
    registry() : pool_(*message_pool::create({.initial_messages = 0})) {}
    registry(const registry&) = delete;
    registry& operator=(const registry&) = delete;
    ~registry() {
        for (const auto& one : groups) all.erase(*one);
        groups.clear();
        pool_.close();
    }

    ref<group_core> make(status& why) {
        return all.make(tofu::engine::owned(pool_.allocate()), handoff::between::threads, why);
    }
    std::uint16_t add() {
        status why = status::unknown_error;
        groups.push_back(make(why));
        BOOST_REQUIRE(groups.back());
        BOOST_REQUIRE((why == status::success));
        return groups.back()->id;
    }

    message_pool& pool_;
    tofu::engine::group_registry all;
    std::vector<ref<group_core>> groups;
};

} // namespace

BOOST_AUTO_TEST_CASE(every_number_but_0_can_be_used_and_then_there_is_none) {
    registry r;
    std::set<std::uint16_t> seen;
    for (std::size_t i = 0; i < tofu::engine::group_registry::most_groups; ++i)
        BOOST_REQUIRE(seen.insert(r.add()).second);
    BOOST_TEST(!seen.contains(0));
    BOOST_TEST(seen.size() == 65'535U);
    status why = status::success;
    BOOST_TEST(!r.make(why));
    BOOST_TEST((why == status::allocation_failed));

    // One that is free again is found, wherever it is.
    for (const std::size_t which : {0U, 1U, 62U, 63U, 64U, 65U, 40'000U, 65'533U, 65'534U}) {
        const std::uint16_t id = r.groups[which]->id;
        r.all.erase(*r.groups[which]);
        r.groups[which] = {};
        r.groups[which] = r.make(why);
        BOOST_REQUIRE(r.groups[which]);
        BOOST_TEST(r.groups[which]->id == id);
        BOOST_TEST(!r.make(why));
    }
}

BOOST_AUTO_TEST_CASE(numbers_go_round) {
    registry r;
    const std::uint16_t first = r.add();
    for (int i = 1; i < 200; ++i) {
        const std::uint16_t id = r.add();
        BOOST_TEST(id == first + i);
        if (i % 2 == 0) continue;
        r.all.erase(*r.groups.back()); // it is not used again at once
        r.groups.pop_back();
    }
}

BOOST_AUTO_TEST_CASE(a_closed_registry_makes_none_and_was_visited_whole) {
    registry r;
    for (int i = 0; i < 3; ++i) r.add();
    std::size_t visited = 0;
    r.all.for_each([&](group_core&) { ++visited; });
    BOOST_TEST(visited == 3U);
    r.all.close([&](group_core&) { ++visited; });
    BOOST_TEST(visited == 6U);
    status why = status::success;
    BOOST_TEST(!r.make(why));
    BOOST_TEST((why == status::shutdown_started));
}

BOOST_AUTO_TEST_SUITE_END()
