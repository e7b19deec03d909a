// SPDX-License-Identifier: BSL-1.0
// The one source of chance in a simulation: the same seed gives the same choices with every compiler.
#ifndef TOFU_POLICIES_POLL_SIMULATION_RANDOM_HPP
#define TOFU_POLICIES_POLL_SIMULATION_RANDOM_HPP

#include <tofu/config.hpp>
#include <tofu/detail/integer_cast.hpp>

#include <cstddef>
#include <cstdint>

namespace tofu::inline TOFU_ABI::simulation {

/// Sebastiano Vigna's SplitMix64 (https://prng.di.unimi.it/splitmix64.c). The distributions of <random> differ from
/// library to library; these do not. A plain value; one thread at a time.
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

    /// 0 to bound - 1; 0 when bound is 0. (A bound that is no power of two is met a little unevenly: harmless here.)
    constexpr std::uint64_t below(std::uint64_t bound) noexcept {
        const std::uint64_t drawn = next();
        return bound == 0 ? 0 : drawn % bound;
    }

    /// first to last, both included.
    constexpr std::uint64_t between(std::uint64_t first, std::uint64_t last) noexcept {
        return first + below(last - first + 1);
    }

    /// The same choices for sizes and indices, which have 32 bits on some processors.
    constexpr std::size_t size_below(std::size_t bound) noexcept {
        return tofu::detail::integer_cast<std::size_t>(below(bound));
    }
    constexpr std::size_t size_between(std::size_t first, std::size_t last) noexcept {
        return tofu::detail::integer_cast<std::size_t>(between(first, last));
    }

    /// True so many times in a thousand. Draws once whatever the rate is: a rate of 0 changes no other choice.
    constexpr bool chance(unsigned per_mille) noexcept { return below(1000) < per_mille; }

private:
    std::uint64_t state_;
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
