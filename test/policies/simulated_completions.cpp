// SPDX-License-Identifier: BSL-1.0
// The simulated poller that works by completions, as afd_iocp does.
#include "simulated_scene.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/policies/poll/simulated_poll.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

using namespace tofu_test;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using tofu::disarmed;
using tofu::interest;
using tofu::io_failure;
using tofu::readiness;

BOOST_AUTO_TEST_SUITE(simulated_completions)

namespace {

constexpr readiness failed = readiness::failed | readiness::readable;

/// A scene whose poller works by completions, with a sink that knows what is attached.
template <std::size_t Batch = 0>
struct completing : scene<Batch> {
    using base = scene<Batch>;
    using base::poll;

    std::map<std::uintptr_t, sim::registration*> known;
    outcome last; // of the last wait
    bool keeps_released = false;

    explicit completing(std::uint64_t seed = 1, sim::faults faults = {}) : base(seed, with_completions(faults)) {}
    static sim::faults with_completions(sim::faults faults) {
        faults.completions = true;
        return faults;
    }

    void ready(std::uintptr_t key, readiness what) noexcept { last.ready(key, what); }
    void released(std::uintptr_t key) noexcept {
        last.released(key);
        if (!keeps_released) known.erase(key);
    }
    sim::registration* registration_of(std::uintptr_t key) noexcept {
        const auto found = known.find(key);
        return found == known.end() ? nullptr : found->second;
    }

    [[nodiscard]] sim::completion_port& port() { return this->world.poller(poll.number()).port(); }

    watched& link(std::uintptr_t key, interest wanted = interest::none) {
        watched& one = base::link();
        attach(one.entry, one.server, key);
        this->arm(one, wanted);
        return one;
    }
    void attach(sim::registration& entry, const sim::socket& which, std::uintptr_t key) {
        BOOST_REQUIRE(!poll.attach(entry, which, key));
        known[key] = &entry;
    }
    disarmed disarm(watched& one) {
        const std::uintptr_t key = one.entry.key;
        const disarmed how = poll.disarm(one.entry);
        if (how == disarmed::released) known.erase(key);
        return how;
    }

    /// The reports; the rest is in `last`.
    reports wait(nanoseconds timeout) {
        last = {};
        base::wait(poll, timeout, *this, last);
        BOOST_TEST((last.error == io_failure::none));
        return last.reports;
    }
    bool is_silent() {
        wait(1s);
        return last.silent() && last.took == 1s;
    }
};

template <class... Pairs>
reports just(Pairs... all) {
    return {all...};
}
std::pair<std::uintptr_t, readiness> is(std::uintptr_t key, readiness what) { return {key, what}; }

} // namespace

// ---- one operation at a time ----

BOOST_AUTO_TEST_CASE(what_was_asked_for_already_costs_nothing) {
    completing<> s;
    watched& one = s.link(1, read_and_write);
    for (const interest wanted : {interest::read, interest::none, interest::write, read_and_write}) s.arm(one, wanted);
    BOOST_TEST(s.port().submitted == 1U);
    BOOST_TEST(s.port().cancelled == 0U);
}

BOOST_AUTO_TEST_CASE(wanting_more_cancels_and_asks_again_once_that_has_completed) {
    bool at_once = false;
    bool later = false;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        completing<> s(seed);
        watched& one = s.link(1, interest::read);
        s.arm(one, read_and_write);
        s.arm(one, read_and_write); // it is on its way
        BOOST_TEST(s.port().submitted == 1U);
        BOOST_TEST(s.port().cancelled == 1U);
        BOOST_TEST((s.wait(1h) == just(is(1, readiness::writable))));
        BOOST_TEST((s.last.took <= s.world.faults().most_owed));
        BOOST_TEST(s.port().submitted == 2U);
        at_once = at_once || s.last.took == 0ns;
        later = later || s.last.took != 0ns;
    }
    BOOST_TEST(at_once);
    BOOST_TEST(later);
}

BOOST_AUTO_TEST_CASE(what_comes_before_the_cancellation_is_found) {
    int found = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        completing<> s(seed);
        watched& one = s.link(1, interest::read);
        s.arm(one, read_and_write);
        one.send();
        s.wait(1h);
        if (s.last.reports != just(is(1, readiness::readable))) continue; // cancelled before
        ++found;
        BOOST_TEST((s.last.took == latency));
        BOOST_TEST(s.port().submitted == 1U);
        BOOST_TEST((s.wait(0ns) == just(is(1, in_and_out))));
        BOOST_TEST((s.wait(1h) == just(is(1, in_and_out)))); // and the cancellation finds nothing any more
        BOOST_TEST(s.port().submitted == 3U);
    }
    BOOST_TEST(found > 0);
    BOOST_TEST(found < 20);
}

BOOST_AUTO_TEST_CASE(a_completion_tells_once_and_the_next_wait_asks_again) {
    completing<> s;
    watched& one = s.link(1, interest::read);
    one.send();
    BOOST_TEST((s.wait(1h) == just(is(1, readiness::readable))));
    BOOST_TEST((s.last.took == latency));
    BOOST_TEST(s.port().submitted == 1U);
    BOOST_TEST((s.wait(1h) == just(is(1, readiness::readable)))); // nobody has read it, and nobody has armed
    BOOST_TEST((s.last.took == 0ns));
    BOOST_TEST(s.port().submitted == 2U);
    s.arm(one, interest::read); // asks at once
    BOOST_TEST(s.port().submitted == 3U);
    BOOST_TEST(one.receive(100) != 0U);
    BOOST_TEST((s.wait(0ns) == just(is(1, readiness::readable)))); // that was before it was read
    BOOST_TEST(s.is_silent());
}

BOOST_AUTO_TEST_CASE(what_is_there_completes_at_once_but_through_the_queue) {
    completing<> s;
    watched& one = s.link(1);
    one.send();
    s.world.advance(latency);
    BOOST_TEST(s.is_silent());
    s.arm(one, interest::read);
    BOOST_TEST(s.last.reports.empty());
    BOOST_TEST((s.wait(0ns) == just(is(1, readiness::readable))));
}

BOOST_AUTO_TEST_CASE(a_completion_is_as_old_as_it_is) {
    completing<> s;
    watched& one = s.link(1, read_and_write); // there is room at once
    one.send();
    s.world.advance(latency);
    BOOST_TEST((s.wait(0ns) == just(is(1, readiness::writable))));
    BOOST_TEST((s.wait(0ns) == just(is(1, in_and_out))));
}

BOOST_AUTO_TEST_CASE(what_is_not_wanted_any_more_is_not_reported) {
    completing<> s;
    watched& one = s.link(1, interest::read);
    one.send();
    s.world.advance(latency);
    s.arm(one, interest::none);
    BOOST_TEST(s.is_silent());
    BOOST_TEST(s.port().submitted == 1U); // nor asked for again
    s.arm(one, interest::read);
    BOOST_TEST((s.wait(0ns) == just(is(1, readiness::readable))));
}

BOOST_AUTO_TEST_CASE(a_listener_is_told_of_by_completions_too) {
    completing<> s;
    sim::registration entry;
    s.attach(entry, s.listener, 3);
    BOOST_REQUIRE(!s.poll.arm(entry, interest::read));
    tofu::io_error error;
    const sim::socket client = s.poll.network().connect({0x7F00'0001, 80}, {}, error);
    BOOST_TEST((s.wait(1h) == just(is(3, readiness::readable))));
    BOOST_TEST((s.last.took == latency));
    const sim::socket server = s.listener.accept({}, error);
    BOOST_TEST(s.is_silent());
}

BOOST_AUTO_TEST_CASE(room_that_a_reader_makes_completes) {
    completing<> s(1, {.least_window = 10, .most_window = 10});
    watched& one = s.link(1);
    const std::array<std::byte, 10> bytes{};
    const tofu::const_buffer piece{bytes.data(), bytes.size()};
    BOOST_TEST(one.server.write({&piece, 1}).bytes == 10U);
    s.arm(one, interest::write);
    BOOST_TEST(s.is_silent());
    std::array<std::byte, 1> room;
    const tofu::mutable_buffer into{room.data(), room.size()};
    BOOST_TEST(one.client.read({&into, 1}).bytes == 1U);
    BOOST_TEST((s.wait(0ns) == just(is(1, readiness::writable))));
}

// ---- what is owed ----

BOOST_AUTO_TEST_CASE(what_is_idle_is_released_at_once) {
    completing<> s;
    watched& one = s.link(1);
    BOOST_TEST((s.disarm(one) == disarmed::released));
    BOOST_TEST((s.disarm(one) == disarmed::released)); // not attached any more: nothing to do
    BOOST_TEST(s.is_silent());
    BOOST_TEST(s.world.complaint() == "");
}

BOOST_AUTO_TEST_CASE(what_was_asked_for_is_owed_until_its_completion_is_taken) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        completing<> s(seed);
        watched& one = s.link(7, interest::read);
        BOOST_TEST((s.disarm(one) == disarmed::owed));
        BOOST_TEST((s.disarm(one) == disarmed::owed));
        BOOST_TEST(s.world.poller(s.poll.number()).owed() == 1U);
        BOOST_TEST(s.wait(1h).empty());
        BOOST_TEST((s.last.releases == keys{7}));
        BOOST_TEST((s.last.took <= s.world.faults().most_owed));
        BOOST_TEST(s.world.poller(s.poll.number()).owed() == 0U);
        s.attach(one.entry, one.server, 8); // it may be used again now
        s.arm(one, interest::write);
        BOOST_TEST((s.wait(0ns) == just(is(8, readiness::writable))));
        BOOST_TEST(s.world.complaint() == "");
    }
}

BOOST_AUTO_TEST_CASE(what_has_completed_is_owed_too_and_released_in_the_order_of_completion) {
    completing<> s;
    watched& first = s.link(1, interest::read);
    watched& second = s.link(2, interest::read);
    second.send();
    s.world.advance(latency);
    first.send();
    s.world.advance(latency);
    for (watched* one : {&first, &second}) BOOST_TEST((s.disarm(*one) == disarmed::owed));
    BOOST_TEST(s.wait(0ns).empty());
    BOOST_TEST((s.last.releases == keys{2, 1}));
}

BOOST_AUTO_TEST_CASE(a_cancellation_that_never_completes_is_owed_for_good) {
    int for_good = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        completing<> s(seed, {.owes_for_good = 1000});
        watched& one = s.link(7, interest::read);
        BOOST_TEST((s.disarm(one) == disarmed::owed));
        BOOST_TEST(s.wait(0ns).empty());
        if (s.last.releases == keys{7}) continue; // it had completed at once
        ++for_good;
        one.send();
        one.server.close();
        BOOST_TEST(s.is_silent());
        BOOST_TEST(s.wait(24h).empty());
        BOOST_TEST(s.world.poller(s.poll.number()).owed() == 1U);
        BOOST_TEST(s.world.complaint() == "");
    }
    BOOST_TEST(for_good != 0);
}

BOOST_AUTO_TEST_CASE(closing_a_socket_completes_what_is_under_way) {
    completing<> s;
    watched& one = s.link(1, interest::read);
    one.server.close();
    BOOST_TEST((s.wait(0ns) == just(is(1, failed))));
}

BOOST_AUTO_TEST_CASE(a_poller_that_goes_writes_once_more_to_what_it_holds) {
    auto s = std::make_unique<completing<>>(1);
    watched& one = s->link(1, interest::read);
    auto other = std::make_unique<tofu::simulated_poll>(s->world);
    sim::registration entry;
    BOOST_REQUIRE(!other->attach(entry, one.client, 2));
    BOOST_REQUIRE(!other->arm(entry, interest::read));
    BOOST_TEST((entry.found == readiness::none));
    other.reset();
    BOOST_TEST((entry.found != readiness::none)); // as AFD may: a freed registration would be written to
}

// ---- refusals ----

BOOST_AUTO_TEST_CASE(arming_what_is_idle_may_fail) {
    completing<> s;
    watched& one = s.link(1);
    s.world.faults().no_memory = 1000;
    BOOST_TEST((s.poll.arm(one.entry, interest::write).kind == io_failure::no_memory));
    s.world.faults().no_memory = 0;
    BOOST_TEST(s.is_silent()); // the refused caller must arm again
    s.arm(one, interest::write);
    BOOST_TEST((s.wait(0ns) == just(is(1, readiness::writable))));
    s.world.faults().no_memory = 1000;
    BOOST_TEST(!s.poll.arm(one.entry, interest::none)); // that needs nothing
}

BOOST_AUTO_TEST_CASE(asking_again_may_fail_which_is_reported_once_and_told_by_the_next_arm) {
    completing<> s;
    watched& one = s.link(1, interest::read);
    one.send();
    BOOST_TEST((s.wait(1h) == just(is(1, readiness::readable))));
    s.world.faults().no_memory = 1000;
    BOOST_TEST((s.wait(1h) == just(is(1, failed))));
    BOOST_TEST((s.last.took == 0ns));
    BOOST_TEST(s.is_silent());
    BOOST_TEST((s.poll.arm(one.entry, interest::read).kind == io_failure::no_memory));
    BOOST_TEST(s.is_silent());
    s.world.faults().no_memory = 0;
    BOOST_TEST(s.is_silent());
    s.arm(one, interest::read);
    BOOST_TEST((s.wait(0ns) == just(is(1, readiness::readable))));
}

// ---- waits ----

BOOST_AUTO_TEST_CASE(a_wait_goes_on_when_all_it_got_was_cancelled) {
    for (const bool early : {false, true}) {
        completing<> s;
        sim::registration entry;
        s.attach(entry, s.listener, 3);
        BOOST_REQUIRE(!s.poll.arm(entry, interest::write)); // it never is
        BOOST_REQUIRE(!s.poll.arm(entry, interest::read));
        s.world.faults().ends_early = early ? 1000 : 0;
        BOOST_TEST(s.wait(1s).empty());
        if (early)
            BOOST_TEST((s.last.took <= s.world.faults().most_owed));
        else
            BOOST_TEST((s.last.took == 1s));
        BOOST_TEST(s.port().submitted == (early ? 1U : 2U)); // by the next wait
    }
}

BOOST_AUTO_TEST_CASE(a_look_takes_what_follows_a_cancellation) {
    completing<> s;
    watched& one = s.link(1, interest::read);
    do { // a cancellation that is through
        s.arm(one, interest::read);
        s.arm(one, read_and_write);
    } while (s.port().empty());
    BOOST_TEST((s.wait(0ns) == just(is(1, readiness::writable))));
}

BOOST_AUTO_TEST_CASE(a_batch_takes_the_oldest_first_and_says_that_it_is_full) {
    completing<2> s;
    for (std::uintptr_t key = 5; key != 0; --key) s.link(key, interest::write);
    keys seen;
    for (int waits = 0; waits < 3; ++waits) {
        s.wait(1h);
        BOOST_TEST(s.last.full);
        for (const auto& one : s.last.reports) seen.push_back(one.first);
    }
    BOOST_TEST((seen == keys{5, 4, 3, 2, 1, 5})); // a socket that is asked for again stands behind the others
    for (watched& one : s.all) s.arm(one, interest::none);
    BOOST_TEST(s.wait(1s).empty());
    BOOST_TEST(!s.last.full);
}

BOOST_AUTO_TEST_CASE(a_wake_ends_a_wait) {
    completing<> s;
    s.link(1, interest::read);
    s.poll.wake();
    BOOST_TEST(s.wait(nanoseconds::max()).empty());
    BOOST_TEST((s.last.took == 0ns));
    BOOST_TEST(s.is_silent());
}

BOOST_AUTO_TEST_CASE(a_false_completion_names_only_what_was_asked_for) {
    completing<> s;
    s.link(1, interest::read);
    s.link(2);
    s.world.faults().spurious = 1000;
    BOOST_TEST((s.wait(0ns) == just(is(1, readiness::readable))));
    BOOST_TEST(s.world.poller(s.poll.number()).inventions == 1U);
    s.world.faults().spurious = 0;
    BOOST_TEST(s.is_silent());
}

// ---- rules that are watched over ----

BOOST_AUTO_TEST_CASE(a_sink_that_does_not_know_what_is_held_is_complained_of) {
    for (const bool owed : {false, true}) {
        completing<> s;
        watched& one = s.link(1, interest::write);
        if (owed) BOOST_TEST((s.disarm(one) == disarmed::owed));
        s.known.clear();
        s.wait(1s);
        BOOST_TEST(s.world.complaint() == "the sink does not know a registration that the poller holds");
    }
}

BOOST_AUTO_TEST_CASE(a_sink_that_knows_what_was_released_is_complained_of) {
    for (const interest wanted : {interest::none, interest::read}) {
        completing<> s;
        watched& one = s.link(1, wanted);
        s.keeps_released = true;
        static_cast<void>(s.poll.disarm(one.entry));
        s.wait(1s);
        BOOST_TEST(s.world.complaint() == "the sink still knows a registration that the poller has released");
    }
}

BOOST_AUTO_TEST_CASE(memory_that_is_owed_and_used_for_something_else_is_complained_of) {
    completing<> s;
    watched& one = s.link(1, interest::read);
    BOOST_TEST((s.disarm(one) == disarmed::owed));
    one.entry = {}; // its slot has a new owner
    s.wait(1s);
    BOOST_TEST(s.world.complaint() == "a registration was used again while the poller still held it");
}

BOOST_AUTO_TEST_SUITE_END()
