// SPDX-License-Identifier: BSL-1.0
// The common parts of all peers' programs: the command line, the work of the clients, and the reports to the runner.
#ifndef TOFU_BENCH_HARNESS_PEER_MAIN_HPP
#define TOFU_BENCH_HARNESS_PEER_MAIN_HPP

#include "echo_work.hpp"
#include "flood_work.hpp"
#include "measurement.hpp"
#include "process.hpp"
#include "task.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <span>
#include <string_view>

namespace bench {

/// A message that a client has received: on which of its connections, and its body, which stays where it is until the
/// client is used again.
struct reply {
    std::size_t connection = 0;
    std::span<const std::byte> body;
};

/// A peer's client: constructed from a task, it connects to the task's address as often as it is told.
///
///     open()              one more connection, complete with the greeting of the peer's protocol
///     send(which, body)   one request on the connection of that number, counted from 0 in the order of open; it may
///                         leave together with others, when the client comes to `receive`
///     receive()           waits for the next message on any connection
///
/// The client of a flood never sends.
template <class Client>
concept drain_client = std::constructible_from<Client, const task&> && requires(Client client) {
    client.open();
    { client.receive() } -> std::same_as<reply>;
};

template <class Client>
concept echo_client = drain_client<Client> &&
    requires(Client client, std::size_t which, std::span<const std::byte> body) {
    client.send(which, body);
};

/// visit()    connects, greets, is answered and closes, on a connection of its own
template <class Client>
concept visitor = requires(Client client) {
    client.visit();
};

/// The abilities of a peer's variant: `echo` on one connection, the same on `many`, `flood` in one direction, `visit`.
struct offer {
    std::string_view variant; ///< empty: there is only one
    std::string_view transport;
    std::string_view works = "echo many flood visit";
};

/// The functions of a peer. A function throws when something went wrong.
struct peer {
    std::span<const offer> offers;
    void (*serve)(const task&); ///< calls announce, and echoes everything that any client sends
    void (*flood)(const task&); ///< calls announce, and sends the bodies of a flood_source to its one client
    void (*echo)(const task&);
    void (*drain)(const task&); ///< the client of a flood
    void (*visit)(const task&);
};

/// Says that clients can connect to the server at `address`. Only clients of the same peer must understand it.
void announce(std::string_view address);

/// Prints the memory that each connection beyond the first costs, for both sides.
class memory_watch {
public:
    explicit memory_watch(const task& what) : server_(what.server) {}
    void begin();
    void report(std::ostream& out, std::size_t connections) const;

private:
    long server_;
    double client_bytes_ = 0;
    double server_bytes_ = 0;
};

template <echo_client Client>
void run_echo(const task& what) {
    echo_work work(what);
    Client client(what);
    memory_watch memory(what);
    client.open();
    memory.begin();
    for (std::size_t i = 1; i < what.connections + what.idle; ++i) client.open();
    for (std::size_t i = 0; i < work.window(); ++i)
        for (std::size_t each = 0; each < work.connections() && work.may_send(); ++each)
            client.send(each, work.next_request(each));
    while (!work.done()) {
        const reply got = client.receive();
        work.take_reply(got.connection, got.body);
        if (work.may_send()) client.send(got.connection, work.next_request(got.connection));
    }
    work.report(std::cout);
    memory.report(std::cout, what.connections + what.idle - 1);
}

template <drain_client Client>
void run_drain(const task& what) {
    flood_work work(what);
    Client client(what);
    client.open();
    work.start();
    while (!work.done()) work.take(client.receive().body);
    work.report(std::cout);
}

template <class Client>
void run_visits(const task& what) {
    Client client(what);
    measurement measured(what);
    measured.start();
    for (std::uint64_t visits = 0; !measured.over();) {
        client.visit();
        measured.reached(++visits, measurement::clock::now());
    }
    measured.report(std::cout);
}

/// A peer whose clients are all of one type, which can visit or cannot.
template <echo_client Client>
constexpr peer peer_with(std::span<const offer> offers, void (*serve)(const task&), void (*flood)(const task&)) {
    peer made{offers, serve, flood, run_echo<Client>, run_drain<Client>, nullptr};
    if constexpr (visitor<Client>) made.visit = run_visits<Client>;
    return made;
}

/// The whole main() of a peer's program. `offers` prints what there is, `serve` and `flood` are servers, `echo`,
/// `drain` and `visit` clients, which print what they have measured.
int peer_main(int argc, char** argv, const peer& self);

} // namespace bench

#endif
