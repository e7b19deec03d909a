// SPDX-License-Identifier: BSL-1.0
// What the programs of all peers have in common: the command line, and what they say to who has started them.
#ifndef TOFU_BENCH_HARNESS_PEER_MAIN_HPP
#define TOFU_BENCH_HARNESS_PEER_MAIN_HPP

#include "echo_work.hpp"
#include "task.hpp"

#include <span>
#include <string_view>

namespace bench {

/// A way to run a peer's program, and what it can talk over.
struct offer {
    std::string_view variant; ///< empty: there is only one
    std::string_view transport;
};

/// What a peer is made of. A function throws when something went wrong.
struct peer {
    std::span<const offer> offers;
    void (*serve)(const task&);            ///< calls announce, and then echoes until SIGTERM ends the process
    void (*echo)(const task&, echo_work&); ///< connects, and does the work until it is done
};

/// A server can be connected to at `address`. Clients of the same peer understand it, nobody else has to.
void announce(std::string_view address);

/// The whole main() of a peer's program. `offers` prints its variants and transports, `serve` is a server, `echo` a
/// client that prints what it has measured.
int peer_main(int argc, char** argv, const peer& self);

} // namespace bench

#endif
