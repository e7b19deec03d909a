// SPDX-License-Identifier: BSL-1.0
// The counted costs of each side: every call of memcpy, of a lock, of the system and so on that is compiled into this
// program. That includes all calls of the library, as it consists of headers.
#ifndef TOFU_BENCH_COSTS_COUNTERS_HPP
#define TOFU_BENCH_COSTS_COUNTERS_HPP

#include <array>
#include <cstddef>
#include <cstdint>

namespace costs {

enum class cost : std::uint8_t {
    allocations,   ///< operator new, malloc and their like
    locks,         ///< a mutex was locked
    notifications, ///< of a condition variable
    sleeps,        ///< waits at a condition variable
    reads,         ///< system calls, like the next three
    writes,
    waits, ///< epoll_wait, poll
    other_calls,
    copies, ///< memcpy, memmove
    copied_bytes
};
inline constexpr std::size_t kinds_of_cost = 10;

enum class side : std::uint8_t { client, server };

/// A snapshot; costs are since the program began.
class tally {
public:
    [[nodiscard]] std::uint64_t& operator[](cost kind) { return values_[static_cast<std::size_t>(kind)]; }
    [[nodiscard]] std::uint64_t operator[](cost kind) const { return values_[static_cast<std::size_t>(kind)]; }

    [[nodiscard]] std::uint64_t system_calls() const {
        return (*this)[cost::reads] + (*this)[cost::writes] + (*this)[cost::waits] + (*this)[cost::other_calls];
    }

    tally& operator+=(const tally& more) {
        for (std::size_t i = 0; i < values_.size(); ++i) values_[i] += more.values_[i];
        return *this;
    }
    tally& operator-=(const tally& less) {
        for (std::size_t i = 0; i < values_.size(); ++i) values_[i] -= less.values_[i];
        return *this;
    }

private:
    std::array<std::uint64_t, kinds_of_cost> values_{};
};

/// The costs that were counted for one side until now. Any thread.
[[nodiscard]] tally counted(side whose);

/// While it lives, the calls of its thread are counted for one side. Threads that the library starts meanwhile count
/// for the same side as long as they live. Calls of all other threads are not counted.
class counting_for {
public:
    explicit counting_for(side whose);
    ~counting_for();
    counting_for(const counting_for&) = delete;
    counting_for& operator=(const counting_for&) = delete;

private:
    void* before_;
};

} // namespace costs

#endif
