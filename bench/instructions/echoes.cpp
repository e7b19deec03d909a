// SPDX-License-Identifier: BSL-1.0
// What check-instructions counts the instructions of: so many echoes in one thread, in an engine of the set of policies
// that is asked for. It also says how large the parts of each set's engine are.
#include "../../example/policies/talk.hpp"
#include "../../example/policies/traced_poll.hpp"

#include <tofu/policies/poll/linux_epoll.hpp>
#include <tofu/policies/poll/posix_poll.hpp>
#include <tofu/policies/poll/simulated_poll.hpp>
#include <tofu/policies/timer/manual_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace {

/// One request at a time comes back, both ends in one engine, which its caller drives.
template <class Engine>
void echo_in(Engine& engine, int echoes) {
    auto server = engine.create_group();
    auto client = engine.create_group();
    const std::uint16_t channel = example::call(engine, client, example::listen(engine, server));
    example::answer(server, example::expect(server, tofu::op_code::hello_request), tofu::op_code::hello_response);
    example::expect(client, tofu::op_code::hello_response);
    const std::string text(64, 'x');
    for (int i = 0; i < echoes; ++i) example::echo(engine, server, client, channel, 1, text);
}

template <class Key>
using with_key = tofu::basic_reactor<tofu::linux_epoll, tofu::default_pool, Key, tofu::wait_timeout>;

template <class Poll>
using with_poll = tofu::basic_reactor<Poll>;

template <class Poll>
using simulated = tofu::basic_reactor<Poll, tofu::default_pool, tofu::default_key, tofu::manual_timer>;

template <class Engine>
void over_the_loopback_interface(int echoes) {
    Engine engine({}, tofu::driven_by::caller);
    echo_in(engine, echoes);
}

/// Nothing in there depends on the machine: the same instructions in every run.
template <class Poll>
void in_a_simulated_world(int echoes) {
    tofu::simulation::world world(1, {});
    simulated<Poll> engine({}, tofu::driven_by::caller, Poll(tofu::simulated_poll(world)),
                           tofu::manual_timer(world.clock()));
    echo_in(engine, echoes);
}

template <class Engine>
void print_sizes(std::string_view name) {
    using policies = typename Engine::policies;
    using channel = tofu::engine::channel<policies>;
    using storage = typename policies::pool::template storage<channel>;
    std::cout << std::left << std::setw(44) << name << std::right << std::setw(8) << sizeof(Engine) << std::setw(8)
              << sizeof(tofu::engine::engine_core<policies>) << std::setw(9) << sizeof(channel) << std::setw(6)
              << storage::most_bytes(1024) / 1024 << std::setw(14) << sizeof(typename policies::poll::registration)
              << '\n';
}

struct set {
    std::string_view name;
    void (*echo)(int echoes);
    void (*sizes)(std::string_view name);
};

template <class Poll>
constexpr set simulated_set(std::string_view name) {
    return {name, in_a_simulated_world<Poll>, print_sizes<simulated<Poll>>};
}

template <class Engine>
constexpr set real_set(std::string_view name) {
    return {name, over_the_loopback_interface<Engine>, print_sizes<Engine>};
}

constexpr set sets[] = {
    simulated_set<tofu::simulated_poll>("simulated_poll"),
    simulated_set<example::traced<tofu::simulated_poll>>("traced<simulated_poll, no_trace>"),
    real_set<with_poll<tofu::posix_poll>>("posix_poll"),
    real_set<with_key<tofu::slot_index_key>>("linux_epoll, slot_index_key"),
};

void print_all_sizes() {
    std::cout << std::left << std::setw(44) << "bytes" << std::right << std::setw(8) << "reactor" << std::setw(8)
              << "engine" << std::setw(9) << "channel" << std::setw(6) << "slot" << std::setw(14) << "registration"
              << '\n';
    for (const set& each : sets) each.sizes(each.name);
}

} // namespace

/// Sets are asked for by their number: a longer name would move the stack, and a few instructions with it.
int main(int count, char** words) {
    const std::string_view what = count > 1 ? words[1] : "";
    if (what == "--sizes") return example::run(print_all_sizes);
    if (what == "--sets") {
        for (const set& each : sets) std::cout << each.name << '\n';
        return 0;
    }
    const std::size_t number = count == 3 ? std::strtoul(words[1], nullptr, 10) : std::size(sets);
    if (number < std::size(sets)) return example::run([&] { sets[number].echo(std::atoi(words[2])); });
    std::cerr << "usage: tofu_instructions --sizes | --sets | NUMBER ECHOES, the number being that of --sets, from 0\n";
    return 2;
}
