// SPDX-License-Identifier: BSL-1.0
// From a time to wait to the point in time: durations of any size and type, never past the end of time.
#include <boost/test/unit_test.hpp>

#include <tofu/detail/deadline.hpp>

#include <chrono>
#include <cstdint>
#include <limits>

using clock_type = std::chrono::steady_clock;
using time_point = clock_type::time_point;
using tofu::detail::deadline_from;
using namespace std::chrono_literals;

namespace {

constexpr time_point now = time_point{} + 1000h;
constexpr time_point never = time_point::max();

template <class Duration>
time_point from_now(Duration timeout) {
    return deadline_from(now, timeout);
}

} // namespace

BOOST_AUTO_TEST_SUITE(deadline)

BOOST_AUTO_TEST_CASE(ordinary_durations_are_added) {
    BOOST_TEST((from_now(5ms) == now + 5ms));
    BOOST_TEST((from_now(1ns) == now + 1ns));
    BOOST_TEST((from_now(24h) == now + 24h));
    BOOST_TEST((from_now(std::chrono::duration<std::int8_t>(100)) == now + 100s));
    BOOST_TEST((from_now(std::chrono::duration<unsigned, std::micro>(7)) == now + 7us));
}

BOOST_AUTO_TEST_CASE(nothing_and_less_than_nothing_are_now) {
    BOOST_TEST((from_now(0s) == now));
    BOOST_TEST((from_now(-1ns) == now));
    BOOST_TEST((from_now(std::chrono::hours::min()) == now));
    BOOST_TEST((from_now(std::chrono::nanoseconds::min()) == now));
    BOOST_TEST((from_now(std::chrono::duration<double>(-1e300)) == now));
    BOOST_TEST((from_now(std::chrono::duration<double>(-std::numeric_limits<double>::infinity())) == now));
}

BOOST_AUTO_TEST_CASE(what_ends_after_the_end_of_time_never_ends) {
    BOOST_TEST((from_now(std::chrono::nanoseconds::max()) == never));
    BOOST_TEST((from_now(std::chrono::seconds::max()) == never));
    BOOST_TEST((from_now(std::chrono::hours::max()) == never));
    BOOST_TEST((from_now(std::chrono::years::max()) == never));
    BOOST_TEST((from_now(std::chrono::duration<std::uint64_t>(std::numeric_limits<std::uint64_t>::max())) == never));
    BOOST_TEST((from_now(std::chrono::duration<double>(1e300)) == never));
    BOOST_TEST((from_now(std::chrono::duration<float, std::ratio<3600>>(1e30F)) == never));
    BOOST_TEST((from_now(std::chrono::duration<double>(std::numeric_limits<double>::infinity())) == never));
    BOOST_TEST((from_now(never - now) == never));
}

BOOST_AUTO_TEST_CASE(what_is_no_number_of_seconds_never_ends) {
    BOOST_TEST((from_now(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())) == never));
}

BOOST_AUTO_TEST_CASE(close_to_the_end_of_time_nothing_overflows) {
    for (const std::chrono::nanoseconds before : {1ns, 2ns, 1000ns, 1'000'000ns, 10'000'000'000ns}) {
        const std::chrono::nanoseconds timeout = (never - now) - before;
        const time_point result = from_now(timeout);
        BOOST_TEST((result >= now + timeout));
        BOOST_TEST((deadline_from(never - before, before + 1ns) == never));
    }
    BOOST_TEST((deadline_from(never, 1h) == never));
}

BOOST_AUTO_TEST_CASE(fractions_are_rounded_up_so_that_nothing_ends_too_early) {
    BOOST_TEST((from_now(std::chrono::duration<double>(0.5)) == now + 500ms));
    BOOST_TEST((from_now(std::chrono::duration<double, std::nano>(0.25)) == now + 1ns));
    BOOST_TEST((from_now(std::chrono::duration<double, std::nano>(1.5)) == now + 2ns));
    BOOST_TEST((from_now(std::chrono::duration<std::int64_t, std::pico>(1)) == now + 1ns));
    BOOST_TEST((from_now(std::chrono::duration<std::int64_t, std::ratio<1, 3>>(1)) == now + 333'333'334ns));
}

BOOST_AUTO_TEST_SUITE_END()
