// SPDX-License-Identifier: BSL-1.0
// The random numbers of a simulation: the same seed gives the same numbers with every compiler.
#ifndef TOFU_POLICIES_POLL_SIMULATION_RANDOM_HPP
#define TOFU_POLICIES_POLL_SIMULATION_RANDOM_HPP

#include <tofu/config.hpp>
#include <tofu/detail/integer_cast.hpp>

#include <cstddef>
#include <cstdint>

namespace tofu::inline TOFU_ABI::simulation {

/// Sebastiano Vigna's SplitMix64 (https://prng.di.unimi.it/splitmix64.c). Unlike the distributions of <random>, these
/// functions give the same results with every library. A plain value; one thread at a time.
class random {
public:
    explicit constexpr random(std::uint64_t seed) noexcept : state_(seed) {}

    constexpr std::uint64_t next() noexcept {
        state_ += 0x9E3779B97F4A7C15;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    /// 0 to bound - 1, or 0 if bound is 0. Slightly uneven unless bound is a power of two, which is harmless here.
    constexpr std::uint64_t below(std::uint64_t bound) noexcept {
        const std::uint64_t drawn = next();
        return bound == 0 ? 0 : drawn % bound;
    }

    /// A number from first to last, both included.
    constexpr std::uint64_t between(std::uint64_t first, std::uint64_t last) noexcept {
        TOFU_ASSERT(first <= last);
        return first + below(last - first + 1);
    }

    /// The same for sizes and indices, which have 32 bits on some processors.
    constexpr std::size_t size_below(std::size_t bound) noexcept {
        return tofu::detail::integer_cast<std::size_t>(below(bound));
    }
    constexpr std::size_t size_between(std::size_t first, std::size_t last) noexcept {
        return tofu::detail::integer_cast<std::size_t>(between(first, last));
    }

    /// True with this rate. Always draws one number, so a rate of 0 does not change other choices.
    constexpr bool chance(unsigned per_mille) noexcept { return below(1000) < per_mille; }

private:
    std::uint64_t state_;
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
