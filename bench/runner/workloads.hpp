// SPDX-License-Identifier: BSL-1.0
// The kinds of work that are measured, and where their processes may run.
#ifndef TOFU_BENCH_RUNNER_WORKLOADS_HPP
#define TOFU_BENCH_RUNNER_WORKLOADS_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bench {

/// The cores on which both processes of a measurement may run.
struct placement {
    std::string_view name;
    std::string_view title;
    bool one_core;
};

inline constexpr std::array placements{placement{"one_core", "both processes on one core", true},
                                       placement{"free", "processes where the system puts them", false}};

/// The placements in which a workload is measured.
enum class places { none, one_core, free, both };

[[nodiscard]] constexpr bool includes(places chosen, const placement& one) {
    return chosen == places::both || chosen == (one.one_core ? places::one_core : places::free);
}

/// The roles in which a peer's program runs as server and as client, and the item that is counted.
struct activity {
    std::string_view offered; ///< the word by which a program offers it; see `offer` in harness/peer_main.hpp
    std::string_view server;
    std::string_view client;
    std::string_view item;
};

inline constexpr activity echoes{"echo", "serve", "echo", "round trip"};
inline constexpr activity echoes_to_many{"many", "serve", "echo", "round trip"};
inline constexpr activity stream{"flood", "flood", "drain", "message"};
inline constexpr activity visits{"visit", "serve", "visit", "visit"};

/// The metric by which peers are compared. A table prints it under `title`, divided by `unit`.
struct figure {
    std::string_view metric;
    std::string_view title;
    double unit = 1;
};

inline constexpr figure median_time{"p50_us", "p50 us"};
inline constexpr figure rate{"rate_per_s", "1000/s", 1000};
inline constexpr figure server_time{"server_cpu_us", "server us"};

struct workload {
    std::string_view name;
    std::string_view title;
    activity what = echoes;
    figure compared = rate;
    std::size_t body = 64;       ///< bytes
    std::size_t window = 1;      ///< requests under way, on each connection
    std::size_t connections = 1; ///< connections that carry messages
    std::size_t idle = 0;        ///< more connections, on which nothing happens
    places full = places::one_core;
    places quick = places::none;
    bool uds = false;
    /// Items in the shorter of the two runs that count system calls; see measuring::count.
    std::uint64_t few = 400;
    std::string_view base = ""; ///< the workload of which this is a larger version

    /// The peer nobody can beat by much: it does little beside the system calls.
    [[nodiscard]] constexpr std::string_view limit() const {
        return what.offered == stream.offered ? "raw_blocking" : "raw_epoll";
    }
    [[nodiscard]] constexpr bool has_times() const { return compared.metric == median_time.metric; }
    [[nodiscard]] constexpr bool has_connections() const { return connections + idle > 1; }
    [[nodiscard]] constexpr std::size_t descriptors() const { return connections + idle + 50; }
};

/// The peer that everybody is compared with.
inline constexpr std::string_view rival = "libzmq";

inline constexpr std::array workloads{
    workload{.name = "W1",
             .title = "ping-pong, 64 B",
             .compared = median_time,
             .full = places::both,
             .quick = places::one_core,
             .uds = true},
    workload{.name = "W2-64",
             .title = "a stream in one direction, 64 B",
             .what = stream,
             .full = places::both,
             .quick = places::free,
             .uds = true,
             .few = 5'000},
    workload{.name = "W2-1024",
             .title = "a stream in one direction, 1 KiB",
             .what = stream,
             .body = 1024,
             .full = places::both,
             .quick = places::free,
             .uds = true,
             .few = 5'000},
    workload{.name = "W2-65535",
             .title = "a stream in one direction, 65,535 B",
             .what = stream,
             .body = 65'535,
             .full = places::both,
             .quick = places::free,
             .uds = true,
             .few = 1'000},
    workload{.name = "W3-64",
             .title = "64 requests under way, 64 B",
             .window = 64,
             .full = places::both,
             .quick = places::one_core,
             .uds = true,
             .few = 4'000},
    workload{.name = "W3-1024",
             .title = "64 requests under way, 1 KiB",
             .body = 1024,
             .window = 64,
             .full = places::both,
             .few = 4'000},
    workload{.name = "W4-100",
             .title = "100 clients, one request of each under way, 64 B",
             .what = echoes_to_many,
             .compared = server_time,
             .connections = 100,
             .quick = places::one_core,
             .few = 4'000},
    workload{.name = "W4-1000",
             .title = "1,000 clients, one request of each under way, 64 B",
             .what = echoes_to_many,
             .compared = server_time,
             .connections = 1'000,
             .quick = places::one_core,
             .few = 4'000,
             .base = "W4-100"},
    workload{.name = "W5",
             .title = "connect, hello, reply, close",
             .what = visits,
             .quick = places::one_core,
             .uds = true,
             .few = 200},
    workload{.name = "idle-0",
             .title = "ping-pong, 64 B, beside no idle connection",
             .what = echoes_to_many,
             .compared = median_time,
             .quick = places::one_core,
             .few = 2'000},
    workload{.name = "idle-1000",
             .title = "ping-pong, 64 B, beside 1,000 idle connections",
             .what = echoes_to_many,
             .compared = median_time,
             .idle = 1'000,
             .quick = places::one_core,
             .few = 2'000,
             .base = "idle-0"},
    workload{.name = "idle-10000",
             .title = "ping-pong, 64 B, beside 10,000 idle connections",
             .what = echoes_to_many,
             .compared = median_time,
             .idle = 10'000,
             .few = 2'000,
             .base = "idle-0"},
};

} // namespace bench

#endif
