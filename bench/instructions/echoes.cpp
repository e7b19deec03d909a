// SPDX-License-Identifier: BSL-1.0
// The program whose instructions check-instructions counts: a number of echoes in one thread, in the engine of
// TOFU_POLICIES, a list of policies. It is compiled once for each set, because compilers inline differently beside
// similar code.
#include "../../example/policies/talk.hpp"
#include "../../example/policies/traced_poll.hpp"

#include <tofu/policies/key/handle_key.hpp>
#include <tofu/policies/key/pointer_key.hpp>
#include <tofu/policies/poll/posix_poll.hpp>
#include <tofu/policies/poll/simulated_poll.hpp>
#include <tofu/policies/pool/growing_channel_pool.hpp>
#include <tofu/policies/pool/slot_cells.hpp>
#include <tofu/policies/timer/manual_timer.hpp>
#include <tofu/policies/timer/no_timers.hpp>
#include <tofu/reactor_with.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <type_traits>

namespace {

using engine = tofu::reactor_with<TOFU_POLICIES>;
using poller = engine::policies::poll;

/// One request at a time comes back, both ends in one engine, which its caller drives.
void echo_in(engine& both, int echoes) {
    auto server = both.create_group();
    auto client = both.create_group();
    const std::uint16_t channel = example::call(both, client, example::listen(both, server));
    example::answer(server, example::expect(server, tofu::op_code::hello_request), tofu::op_code::hello_response);
    example::expect(client, tofu::op_code::hello_response);
    const std::string text(64, 'x');
    for (int i = 0; i < echoes; ++i) example::echo(both, server, client, channel, 1, text);
}

template <class Engine>
void echo(int echoes) {
    if constexpr (std::is_base_of_v<tofu::simulated_poll, poller>) { // the same instructions in every run
        tofu::simulation::world world(1, {});
        Engine simulated({}, tofu::driven_by::caller, example::trace(tofu::simulated_poll(world), example::no_trace()),
                         tofu::manual_timer(world.clock()));
        echo_in(simulated, echoes);
    } else {
        Engine real({}, tofu::driven_by::caller);
        echo_in(real, echoes);
    }
}

/// Bytes of: the reactor object, the engine behind it, a channel, its slot in the pool, and the poller's part of it.
void print_sizes() {
    using channel = tofu::engine::channel<engine::policies>;
    std::cout << sizeof(engine) << ' ' << sizeof(tofu::engine::engine_core<engine::policies>) << ' ' << sizeof(channel)
              << ' ' << sizeof(tofu::slot_cell<channel>) << ' ' << sizeof(poller::registration) << ' '
              << engine::policies::name << (TOFU_COMPILED == 1 ? ", compiled" : "") << '\n';
}

} // namespace

int main(int count, char** words) {
    return example::run([&] { count > 1 ? echo<engine>(std::atoi(words[1])) : print_sizes(); });
}
