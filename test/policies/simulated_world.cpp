// SPDX-License-Identifier: BSL-1.0
// Tests of the simulated world: its faults, its names, its time, and that every choice comes from the seed.
#include "simulated_scene.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace tofu_test;

BOOST_AUTO_TEST_SUITE(simulated_world)

// ---- what goes wrong on the network ----

BOOST_AUTO_TEST_CASE(a_connect_that_hangs_gives_up_after_two_minutes) {
    wires w(1, {.connect_hangs = 1000});
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    BOOST_TEST((how == io_failure::would_block));
    w.world.advance(2min - 1ns);
    BOOST_TEST(!w.world.socket(client.id()).failure);
    w.world.advance(1ns);
    BOOST_TEST((client.finish_connect().kind == io_failure::timed_out));
    BOOST_TEST((accepting_fails(w.listener) == io_failure::would_block));
}

BOOST_AUTO_TEST_CASE(a_connection_that_stands_never_gives_up) {
    wires w;
    wires::pair link = w.link();
    w.world.advance(1h);
    BOOST_TEST(send(link.client, "still here").bytes == 10U);
    w.world.advance(latency);
    BOOST_TEST(listen_to(link.server).text == "still here");
}

BOOST_AUTO_TEST_CASE(a_connect_at_once_needs_no_wait_but_a_listener) {
    wires w(1, {.connect_at_once = 1000}, 1);
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    BOOST_TEST((how == io_failure::none));
    BOOST_TEST(!client.finish_connect());
    BOOST_TEST(send(client, "at once").bytes == 7U);
    const sim::socket second = connect(w.world, w.listener.local_endpoint(), how);
    BOOST_TEST((how == io_failure::would_block)); // the backlog is full
    sim::socket server = accept(w.listener, how);
    BOOST_REQUIRE(server.is_open());
    w.world.advance(latency);
    BOOST_TEST(listen_to(server).text == "at once");
    sim::socket nowhere = connect(w.world, at(1), how);
    BOOST_TEST((how == io_failure::would_block));
    w.world.advance(2 * latency);
    BOOST_TEST((nowhere.finish_connect().kind == io_failure::refused));
}

namespace {

/// All ways in which a call fails in many worlds, each once.
template <class Fail>
std::vector<io_failure> ways(const sim::faults& faults, Fail fail) {
    std::vector<io_failure> all;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        sim::world world(seed, faults);
        all.push_back(fail(world));
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_connect_fails_for_each_of_its_reasons) {
    const auto seen = ways({.connect_fails = 1000}, [](sim::world& world) {
        io_failure how{};
        static_cast<void>(connect(world, at(80), how));
        BOOST_TEST(world.socket_count() == 0U);
        return how;
    });
    BOOST_TEST((seen == std::vector{io_failure::refused, io_failure::unreachable, io_failure::address_not_available,
                                    io_failure::permission_denied, io_failure::backlog_full}));
}

BOOST_AUTO_TEST_CASE(a_listen_fails_for_each_of_its_reasons) {
    const auto seen = ways({.listen_fails = 1000}, [](sim::world& world) { return listening_fails(world); });
    BOOST_TEST((seen == std::vector{io_failure::address_in_use, io_failure::address_not_available,
                                    io_failure::permission_denied, io_failure::other}));
}

BOOST_AUTO_TEST_CASE(a_connection_that_breaks_is_reset_at_both_ends) {
    wires w(1, {.breaks = 1000});
    wires::pair link = w.link();
    static_cast<void>(send(link.client, "never heard"));
    w.world.advance(latency - 1ns);
    BOOST_TEST(listen_to(link.client) == nothing_yet);
    w.world.advance(1ns);
    BOOST_TEST(listen_to(link.client) == reset);
    BOOST_TEST(listen_to(link.server) == reset);
}

BOOST_AUTO_TEST_CASE(on_a_silent_connection_nothing_arrives_any_more) {
    wires w;
    wires::pair link = w.link();
    wires::pair other = w.link();
    static_cast<void>(send(link.client, "before"));
    w.world.advance(latency);
    w.world.faults().falls_silent = 1000;
    BOOST_TEST(send(link.client, "into the void").bytes == 13U);
    w.world.faults().falls_silent = 0;
    BOOST_TEST(send(link.server, "into the void").bytes == 13U);
    w.world.advance(1h);
    BOOST_TEST(listen_to(link.server) == (heard{"before", io_failure::would_block}));
    BOOST_TEST(listen_to(link.client) == nothing_yet);
    link.client.abort();
    w.world.advance(1h);
    BOOST_TEST(listen_to(link.server) == nothing_yet); // not even that
    std::size_t taken = 13;
    while (!send(link.server, std::string(10'000, 'x')).error) taken += 10'000;
    BOOST_TEST(taken >= 64U * 1024); // the writer notices nothing until there is no room any more
    BOOST_TEST((send(link.server, "x").error.kind == io_failure::would_block));
    static_cast<void>(send(other.client, "others"));
    w.world.advance(latency);
    BOOST_TEST(listen_to(other.server).text == "others");
}

BOOST_AUTO_TEST_CASE(a_reset_may_discard_what_was_not_read) {
    for (const unsigned rate : {0U, 1000U}) {
        wires w(1, {.reset_discards = rate});
        wires::pair link = w.link();
        static_cast<void>(send(link.client, "abcd"));
        w.world.advance(latency);
        std::string got;
        static_cast<void>(read_some(link.server, got, 2));
        link.client.abort();
        w.world.advance(latency);
        BOOST_TEST(listen_to(link.server) == (heard{rate == 0 ? "cd" : "", io_failure::reset}));
    }
}

// ---- what the system refuses ----

BOOST_AUTO_TEST_CASE(without_descriptors_there_are_no_new_sockets_and_the_old_ones_work) {
    wires w;
    wires::pair link = w.link();
    io_failure how{};
    const sim::socket waiting = connect(w.world, w.listener.local_endpoint(), how);
    w.world.advance(2 * latency);
    w.world.faults().no_descriptors = 1000;
    static_cast<void>(connect(w.world, w.listener.local_endpoint(), how));
    BOOST_TEST((how == io_failure::no_descriptors));
    BOOST_TEST((listening_fails(w.world) == io_failure::no_descriptors));
    BOOST_TEST((accepting_fails(w.listener) == io_failure::no_descriptors));
    BOOST_TEST(send(link.client, "hello").bytes == 5U);
    w.world.advance(latency);
    BOOST_TEST(listen_to(link.server).text == "hello");
    w.world.faults().no_descriptors = 0;
    BOOST_TEST((accepting_fails(w.listener) == io_failure::none)); // it has waited
}

BOOST_AUTO_TEST_CASE(without_memory_every_call_fails_and_nothing_is_lost) {
    wires w;
    wires::pair link = w.link();
    io_failure how{};
    const sim::socket waiting = connect(w.world, w.listener.local_endpoint(), how);
    static_cast<void>(send(link.client, "kept"));
    w.world.advance(2 * latency);
    w.world.faults().no_memory = 1000;
    static_cast<void>(connect(w.world, w.listener.local_endpoint(), how));
    BOOST_TEST((how == io_failure::no_memory));
    BOOST_TEST((listening_fails(w.world) == io_failure::no_memory));
    BOOST_TEST((accepting_fails(w.listener) == io_failure::no_memory));
    BOOST_TEST(listen_to(link.server) == (heard{"", io_failure::no_memory}));
    const tofu::io_result sent = send(link.client, "not taken");
    BOOST_TEST((sent.error.kind == io_failure::no_memory));
    BOOST_TEST(sent.bytes == 0U);
    w.world.faults().no_memory = 0;
    w.world.advance(latency);
    BOOST_TEST(listen_to(link.server) == (heard{"kept", io_failure::would_block}));
    BOOST_TEST((accepting_fails(w.listener) == io_failure::none));
}

BOOST_AUTO_TEST_CASE(a_shortage_lasts_a_while_for_everybody_and_ends) {
    int lasted = 0;
    int ended = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        wires w(seed);
        wires::pair link = w.link();
        w.world.faults().no_memory = 1000;
        BOOST_TEST((send(link.client, "x").error.kind == io_failure::no_memory));
        w.world.faults().no_memory = 1; // it is on, and begins anew hardly ever
        if (listen_to(link.server).ending == io_failure::no_memory) ++lasted;
        w.world.advance(2ms + 1ns);
        if (!send(link.client, "x").error) ++ended;
    }
    BOOST_TEST(lasted == 20);
    BOOST_TEST(ended >= 18);
}

BOOST_AUTO_TEST_CASE(a_connection_can_be_gone_before_it_is_accepted) {
    wires w(1, {.accept_aborts = 1000});
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    BOOST_TEST((accepting_fails(w.listener) == io_failure::would_block)); // nobody is there to be aborted
    w.world.advance(2 * latency);
    BOOST_TEST((accepting_fails(w.listener) == io_failure::aborted));
    BOOST_TEST((accepting_fails(w.listener) == io_failure::would_block));
    w.world.advance(latency);
    BOOST_TEST(listen_to(client) == reset);
}

BOOST_AUTO_TEST_CASE(an_accept_that_fails_for_another_reason_leaves_the_connection_waiting) {
    wires w(1, {.accept_fails = 1000});
    io_failure how{};
    sim::socket client = connect(w.world, w.listener.local_endpoint(), how);
    w.world.advance(2 * latency);
    BOOST_TEST((accepting_fails(w.listener) == io_failure::other));
    w.world.faults().accept_fails = 0;
    sim::socket server = accept(w.listener, how);
    BOOST_REQUIRE(server.is_open());
    BOOST_TEST((server.peer_endpoint() == client.local_endpoint()));
}

// ---- names ----

namespace {

/// The outcome of a question.
struct answer_sheet {
    int answers = 0;
    int dropped = 0;
    std::vector<sim::endpoint> found;
    tofu::io_error error;
};

/// A question about a name; writes its outcome to the sheet.
class question {
public:
    question(answer_sheet& sheet, std::string_view host, std::uint16_t port)
        : sheet_(&sheet), host_(host), port_(port) {}
    question(question&& other) noexcept
        : sheet_(std::exchange(other.sheet_, nullptr)), host_(std::move(other.host_)), port_(other.port_) {}
    question& operator=(question&&) = delete;
    ~question() {
        if (sheet_ != nullptr) ++sheet_->dropped;
    }

    std::string_view host() const noexcept { return host_; }
    std::uint16_t port() const noexcept { return port_; }
    bool for_listening() const noexcept { return false; }
    bool still_wanted() const noexcept { return true; }
    void complete(std::span<const sim::endpoint> found, tofu::io_error error) noexcept {
        answer_sheet& sheet = *std::exchange(sheet_, nullptr);
        ++sheet.answers;
        sheet.found.assign(found.begin(), found.end());
        sheet.error = error;
    }

private:
    answer_sheet* sheet_;
    std::string host_;
    std::uint16_t port_;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_name_has_all_its_addresses_in_their_order) {
    sim::world world(1);
    world.name("twins", {.hosts = {0x0A00'0002, 0x0A00'0001}, .after = 3ms});
    answer_sheet sheet;
    world.network().resolve(question(sheet, "twins", 80));
    world.advance(3ms - 1ns);
    BOOST_TEST(sheet.answers == 0);
    world.advance(1ns);
    BOOST_TEST(sheet.answers == 1);
    BOOST_TEST(!sheet.error);
    BOOST_TEST((sheet.found == std::vector{at(80, 0x0A00'0002), at(80, 0x0A00'0001)}));
    world.advance(1h);
    BOOST_TEST(sheet.answers == 1);
    BOOST_TEST(sheet.dropped == 0);
}

BOOST_AUTO_TEST_CASE(an_unknown_name_is_not_found) {
    sim::world world(1);
    answer_sheet sheet;
    world.network().resolve(question(sheet, "nobody", 80));
    BOOST_TEST(sheet.answers == 0); // it takes its time all the same
    world.advance(1ms);
    BOOST_TEST(sheet.answers == 1);
    BOOST_TEST((sheet.error.kind == io_failure::name_not_found));
    BOOST_TEST(sheet.found.empty());
}

BOOST_AUTO_TEST_CASE(a_name_can_change_and_a_question_keeps_the_answer_of_its_time) {
    sim::world world(1);
    world.name("mover", {.hosts = {1}, .after = 2ms});
    answer_sheet first;
    answer_sheet second;
    world.network().resolve(question(first, "mover", 1));
    world.name("mover", {.hosts = {2}, .after = 1ms});
    world.network().resolve(question(second, "mover", 2));
    world.advance(1ms);
    BOOST_TEST(first.answers == 0);
    BOOST_TEST((second.found == std::vector{at(2, 2)}));
    world.advance(1ms);
    BOOST_TEST((first.found == std::vector{at(1, 1)}));
}

BOOST_AUTO_TEST_CASE(some_answers_never_come_and_the_questions_go_with_the_world) {
    answer_sheet sheet;
    {
        sim::world world(1);
        world.name("sphinx", {.hosts = {1}, .never = true});
        world.network().resolve(question(sheet, "sphinx", 80));
        world.advance(24h);
        BOOST_TEST(sheet.answers == 0);
        BOOST_TEST(sheet.dropped == 0);
    }
    BOOST_TEST(sheet.answers == 0);
    BOOST_TEST(sheet.dropped == 1);
}

BOOST_AUTO_TEST_CASE(a_dropped_question_is_not_answered_later) {
    sim::world world(1);
    world.name("slow", {.hosts = {1}, .after = 1s});
    answer_sheet dropped;
    world.network().resolve(question(dropped, "slow", 80));
    world.drop_questions();
    BOOST_TEST(dropped.dropped == 1);
    answer_sheet later;
    world.network().resolve(question(later, "slow", 80));
    world.advance(1s);
    BOOST_TEST(dropped.answers == 0);
    BOOST_TEST(dropped.dropped == 1);
    BOOST_TEST(later.answers == 1);
}

// ---- time ----

BOOST_AUTO_TEST_CASE(the_world_says_when_the_next_thing_happens) {
    sim::world world(1);
    BOOST_TEST((world.next_event() == sim::time_point::max()));
    world.name("slow", {.hosts = {1}, .after = 1s});
    answer_sheet sheet;
    world.network().resolve(question(sheet, "slow", 80));
    BOOST_TEST((world.next_event() == world.now() + 1s));
    world.advance(400ms);
    BOOST_TEST((world.next_event() == world.now() + 600ms));
    world.advance(600ms);
    BOOST_TEST((world.next_event() == sim::time_point::max()));
    BOOST_TEST((world.now() == sim::time_point{} + 1s));
}

BOOST_AUTO_TEST_CASE(what_is_caused_first_happens_first_at_the_same_time) {
    wires w;
    wires::pair one = w.link();
    wires::pair two = w.link();
    // All of it arrives at one time: the end of the stream must not come before the byte.
    static_cast<void>(send(one.client, "a"));
    one.client.close();
    static_cast<void>(send(two.client, "b"));
    w.world.advance(latency);
    BOOST_TEST(listen_to(one.server) == (heard{"a", io_failure::none}));
    BOOST_TEST(listen_to(two.server) == (heard{"b", io_failure::would_block}));
}

BOOST_AUTO_TEST_CASE(time_only_passes_when_it_is_told_to) {
    wires w;
    wires::pair link = w.link();
    const sim::time_point begin = w.world.now();
    for (int i = 0; i < 100; ++i) {
        static_cast<void>(send(link.client, "x"));
        BOOST_TEST(listen_to(link.server) == nothing_yet);
        w.world.advance(0ns);
    }
    BOOST_TEST((w.world.now() == begin));
    w.world.advance(1h);
    BOOST_TEST((w.world.now() == begin + 1h));
    BOOST_TEST(listen_to(link.server).text.size() == 100U);
}

BOOST_AUTO_TEST_CASE(without_any_delay_things_happen_when_no_time_passes) {
    wires w(1, {.least_delay = 0ns, .most_delay = 0ns});
    wires::pair link = w.link();
    const sim::time_point begin = w.world.now();
    static_cast<void>(send(link.client, "x"));
    BOOST_TEST(listen_to(link.server) == nothing_yet);
    BOOST_TEST((w.world.next_event() == begin));
    w.world.advance(0ns);
    BOOST_TEST(listen_to(link.server).text == "x");
    BOOST_TEST((w.world.now() == begin));
}

// ---- chance ----

namespace {

/// Raw sockets that act at random, and a log of everything that can be seen of them. Their attempts depend on `acts`
/// alone; the outcomes are the world's choice.
class conversation {
public:
    conversation(std::uint64_t acts, std::uint64_t seed, const sim::faults& faults)
        : acts_(acts), world_(seed, faults) {
        for (int step = 0; step < 300; ++step) act();
    }

    [[nodiscard]] std::string log() const { return log_.str(); }

private:
    void act() {
        const std::uint64_t what = acts_.below(100);
        const std::uint64_t which = acts_.next();
        const std::size_t amount = acts_.size_between(1, 3000);
        const std::chrono::nanoseconds pause(static_cast<std::int64_t>(acts_.below(3'000'000)));
        log_ << world_.now().time_since_epoch().count() << ' ' << what << ' ';
        if (what < 5) {
            io_failure how{};
            add(listeners_, listen(world_, how, at(static_cast<std::uint16_t>(80 + which % 3)), 2), how);
        } else if (what < 15) {
            io_failure how{};
            add(sockets_, connect(world_, at(static_cast<std::uint16_t>(80 + which % 3)), how), how);
        } else if (what < 30 && !listeners_.empty()) {
            io_failure how{};
            add(sockets_, accept(listeners_[static_cast<std::size_t>(which % listeners_.size())], how), how);
        } else if (what < 80 && !sockets_.empty()) {
            talk(sockets_[static_cast<std::size_t>(which % sockets_.size())], what, amount);
        } else if (what >= 80) {
            world_.advance(pause);
        }
        log_ << '\n';
    }

    void add(std::vector<sim::socket>& to, sim::socket made, io_failure how) {
        log_ << made.id() << " error " << static_cast<unsigned>(how);
        if (made.is_open()) to.push_back(std::move(made));
    }

    void talk(sim::socket& with, std::uint64_t what, std::size_t amount) {
        log_ << with.id() << ' ';
        if (!with.is_open()) return;
        if (what < 33) {
            with.close();
        } else if (what < 35) {
            with.abort();
        } else if (what < 37) {
            log_ << static_cast<unsigned>(with.shutdown_write().kind);
        } else if (what < 60) {
            const tofu::io_result sent = send(with, std::string(amount, static_cast<char>('a' + amount % 26)));
            log_ << "writes " << sent.bytes << " error " << static_cast<unsigned>(sent.error.kind);
        } else {
            std::string text;
            const tofu::io_result got = read_some(with, text, amount);
            log_ << "reads " << text << " error " << static_cast<unsigned>(got.error.kind);
        }
    }

    sim::random acts_;
    sim::world world_;
    std::vector<sim::socket> listeners_;
    std::vector<sim::socket> sockets_;
    std::ostringstream log_;
};

std::string log_of(std::uint64_t seed, const sim::faults& faults, std::uint64_t acts = 1) {
    return conversation(acts, seed, faults).log();
}

/// Delays and windows of all sizes, and no fault.
const sim::faults lively{.least_delay = 1us, .most_delay = 2ms, .least_window = 500, .most_window = 5000};

/// All rates of the network and of the system below it.
constexpr std::array<unsigned sim::faults::*, 13> rates{
    &sim::faults::short_reads,    &sim::faults::short_writes,   &sim::faults::breaks,
    &sim::faults::falls_silent,   &sim::faults::reset_discards, &sim::faults::connect_at_once,
    &sim::faults::connect_fails,  &sim::faults::connect_hangs,  &sim::faults::listen_fails,
    &sim::faults::no_descriptors, &sim::faults::no_memory,      &sim::faults::accept_aborts,
    &sim::faults::accept_fails};

} // namespace

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_bytes_at_the_same_times) {
    sim::faults all = lively;
    for (const auto& rate : rates) all.*rate = 50;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        BOOST_TEST((log_of(seed, all) == log_of(seed, all)), "seed " << seed);
        BOOST_TEST((log_of(seed, all) != log_of(seed + 1, all)), "seed " << seed);
    }
}

BOOST_AUTO_TEST_CASE(every_fault_shows) {
    for (const auto& rate : rates) {
        sim::faults one = lively;
        one.*rate = 1000;
        int changed = 0;
        for (std::uint64_t seed = 1; seed <= 20; ++seed)
            if (log_of(seed, one, seed) != log_of(seed, lively, seed)) ++changed;
        BOOST_TEST(changed > 0, "rate " << &rate - rates.data());
    }
}

BOOST_AUTO_TEST_CASE(a_fault_that_does_not_strike_changes_no_other_choice) {
    // One in a thousand does not strike at all in most of these conversations. If it cost a choice to ask, or to ask
    // only when the rate is not 0, each of them would go another way.
    for (const auto& rate : rates) {
        sim::faults one = lively;
        one.*rate = 1;
        int unchanged = 0;
        for (std::uint64_t seed = 1; seed <= 20; ++seed)
            if (log_of(seed, one, seed) == log_of(seed, lively, seed)) ++unchanged;
        BOOST_TEST(unchanged >= 10, "rate " << &rate - rates.data());
    }
}

BOOST_AUTO_TEST_CASE(chance_is_the_same_with_every_compiler) {
    // The first numbers of SplitMix64 from 1234567, as they are published.
    sim::random chance(1234567);
    BOOST_TEST(chance.next() == 6457827717110365317U);
    BOOST_TEST(chance.next() == 3203168211198807973U);
    BOOST_TEST(chance.next() == 9817491932198370423U);
    sim::random never(5);
    sim::random always(5);
    BOOST_TEST(!never.chance(0));
    BOOST_TEST(always.chance(1000));
    BOOST_TEST(never.next() == always.next()); // both have drawn once
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t drawn = never.between(3, 5);
        BOOST_REQUIRE((drawn >= 3 && drawn <= 5));
    }
    BOOST_TEST(never.below(0) == 0U);
}

namespace {

/// Counts itself, and is never answered.
struct lonely_question {
    explicit lonely_question(int& count) : alive(&count) { ++*alive; }
    lonely_question(lonely_question&& other) noexcept : alive(std::exchange(other.alive, nullptr)) {}
    ~lonely_question() {
        if (alive != nullptr) --*alive;
    }
    [[nodiscard]] std::string_view host() const noexcept { return "a.name"; }
    [[nodiscard]] std::uint16_t port() const noexcept { return 1; }
    [[nodiscard]] bool for_listening() const noexcept { return false; }
    [[nodiscard]] bool still_wanted() const noexcept { return true; }
    void complete(std::span<const sim::endpoint>, tofu::io_error) noexcept {}

    int* alive;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_question_that_comes_after_the_end_of_the_world_is_not_kept) {
    int alive = 0;
    auto world = std::make_unique<sim::world>(1);
    sim::network network = world->network();
    world.reset();
    network.resolve(lonely_question(alive));
    BOOST_TEST(alive == 0);
}

BOOST_AUTO_TEST_SUITE_END()
