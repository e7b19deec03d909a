// SPDX-License-Identifier: BSL-1.0
// Tests of the check that finds contradictory states of a channel.
#include <boost/test/unit_test.hpp>

#include <tofu/engine/channel/channel.hpp>
#include <tofu/policies/poll/null_poll.hpp>
#include <tofu/policies/timer/manual_timer.hpp>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

BOOST_AUTO_TEST_SUITE(channel_states)

using phase = tofu::engine::channel_phase;
using visibility = tofu::engine::channel_visibility;
using registration = tofu::engine::registration_state;
using tofu::channel_step;

namespace {

struct policies {
    using poll = tofu::null_poll;
    using timer = tofu::manual_timer;
};
using channel = tofu::engine::channel<policies>;

constexpr phase all_phases[] = {phase::opening,
                                phase::resolving,
                                phase::connecting,
                                phase::waiting_for_backlog,
                                phase::waiting_for_release,
                                phase::open,
                                phase::listening,
                                phase::closing,
                                phase::shut,
                                phase::zombie};
constexpr visibility all_visibilities[] = {visibility::hidden, visibility::announced, visibility::opened};
constexpr registration all_registrations[] = {registration::unused, registration::attached, registration::owed,
                                              registration::released};

/// Calls `visit` with a channel in each of the 480 states.
template <class Visit>
void for_each_state(Visit visit) {
    channel ch(tofu::slot_identity{});
    for (const phase p : all_phases)
        for (const visibility v : all_visibilities)
            for (const registration r : all_registrations)
                for (const bool listener : {false, true})
                    for (const bool partial : {false, true}) {
                        ch.phase = p;
                        ch.visibility = v;
                        ch.held = r;
                        ch.listener = listener;
                        ch.holds_partial = partial;
                        visit(ch);
                    }
}

/// All states that have one of these values in each column; an empty column admits all values.
struct pattern {
    std::string_view why;
    std::vector<phase> phases;
    std::vector<visibility> visibilities;
    std::vector<registration> registrations;
    std::vector<bool> listener;
    std::vector<bool> partial;

    template <class Value>
    static bool admits(const std::vector<Value>& column, Value value) {
        return column.empty() || std::find(column.begin(), column.end(), value) != column.end();
    }
    [[nodiscard]] bool fits(const channel& ch) const {
        return admits(phases, ch.phase) && admits(visibilities, ch.visibility) && admits(registrations, ch.held) &&
               admits(listener, ch.listener) && admits(partial, ch.holds_partial);
    }
};

const pattern impossible[] = {
    {"a registration is attached only while there is a socket",
     {phase::opening, phase::resolving, phase::waiting_for_backlog, phase::waiting_for_release, phase::shut,
      phase::zombie},
     {},
     {registration::attached},
     {},
     {}},
    {"a zombie waits for a release",
     {phase::zombie},
     {},
     {registration::unused, registration::attached, registration::released},
     {},
     {}},
    {"a listener does not connect and has no stream", {phase::connecting, phase::open}, {}, {}, {true}, {}},
    {"only a listener listens", {phase::listening}, {}, {}, {false}, {}},
    {"a listener is never hidden", {}, {visibility::hidden}, {}, {true}, {}},
    {"only an accepted connection is hidden: it is open from its beginning",
     {phase::opening, phase::resolving, phase::connecting, phase::waiting_for_backlog, phase::waiting_for_release,
      phase::listening},
     {visibility::hidden},
     {},
     {},
     {}},
    {"a listener holds no incomplete message", {}, {}, {}, {true}, {true}},
    {"an incomplete hello does not count", {}, {visibility::hidden}, {}, {}, {true}},
};

/// The states through which channels live.
const pattern possible[] = {
    {"a channel is made", {phase::opening}, {visibility::announced}, {registration::unused}, {}, {false}},
    {"its name is asked for", {phase::resolving}, {visibility::announced}, {registration::unused}, {}, {false}},
    {"it connects", {phase::connecting}, {visibility::announced}, {registration::attached}, {false}, {false}},
    {"it waits for the backlog",
     {phase::waiting_for_backlog},
     {visibility::announced},
     {registration::unused, registration::released},
     {false},
     {false}},
    {"it waits for the release",
     {phase::waiting_for_release},
     {visibility::announced},
     {registration::owed},
     {false},
     {false}},
    {"it listens", {phase::listening}, {visibility::announced, visibility::opened}, {}, {true}, {false}},
    {"its hello comes", {phase::open}, {visibility::hidden}, {registration::attached}, {false}, {false}},
    {"it talks", {phase::open}, {visibility::announced, visibility::opened}, {registration::attached}, {false}, {}},
    {"it ends before its hello", {phase::closing}, {visibility::hidden}, {}, {false}, {false}},
    {"it ends", {phase::closing}, {visibility::announced, visibility::opened}, {}, {false}, {}},
    {"a listener ends", {phase::closing, phase::shut}, {visibility::opened}, {registration::released}, {true}, {false}},
    {"posts are in flight", {phase::shut}, {}, {registration::owed, registration::released}, {false}, {false}},
    {"it is a zombie", {phase::zombie}, {}, {registration::owed}, {false}, {false}},
};

} // namespace

BOOST_AUTO_TEST_CASE(a_new_channel_is_consistent) { BOOST_TEST(channel(tofu::slot_identity{}).is_consistent()); }

BOOST_AUTO_TEST_CASE(each_impossible_state_is_found) {
    for (const pattern& rule : impossible) {
        BOOST_TEST_CONTEXT(rule.why) {
            int undetected = 0;
            int states = 0;
            for_each_state([&](const channel& ch) {
                if (!rule.fits(ch)) return;
                ++states;
                undetected += ch.is_consistent() ? 1 : 0;
            });
            BOOST_TEST(states > 0);
            BOOST_TEST(undetected == 0);
        }
    }
}

BOOST_AUTO_TEST_CASE(every_other_state_is_consistent) {
    int wrong = 0;
    for_each_state([&](const channel& ch) {
        const bool fits = std::any_of(std::begin(impossible), std::end(impossible),
                                      [&](const pattern& rule) { return rule.fits(ch); });
        wrong += ch.is_consistent() == fits ? 1 : 0;
    });
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(the_states_of_a_life_are_consistent) {
    for (const pattern& state : possible) {
        BOOST_TEST_CONTEXT(state.why) {
            int states = 0;
            int inconsistent = 0;
            for_each_state([&](const channel& ch) {
                if (!state.fits(ch)) return;
                ++states;
                inconsistent += ch.is_consistent() ? 0 : 1;
            });
            BOOST_TEST(states > 0);
            BOOST_TEST(inconsistent == 0);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_channel_has_ended_from_its_closing_on) {
    for_each_state([](const channel& ch) {
        const bool ended = ch.phase == phase::closing || ch.phase == phase::shut || ch.phase == phase::zombie;
        BOOST_REQUIRE_EQUAL(ch.has_ended(), ended);
        BOOST_REQUIRE_EQUAL(ch.is_open(), ch.phase == phase::open);
    });
}

BOOST_AUTO_TEST_CASE(the_step_of_a_channel_is_told_by_what_the_application_knows) {
    for_each_state([](const channel& ch) {
        const channel_step step = ch.visibility == visibility::opened ? channel_step::opened
                                  : ch.listener                       ? channel_step::listening
                                                                      : channel_step::connecting;
        BOOST_REQUIRE((ch.step() == step));
    });
}

BOOST_AUTO_TEST_CASE(another_socket_gives_the_slot_another_generation) {
    channel ch(tofu::slot_identity{.index = 4, .generation = 9});
    ch.renew();
    BOOST_TEST((ch.identity() == tofu::slot_identity{.index = 4, .generation = 10}));
}

BOOST_AUTO_TEST_SUITE_END()
