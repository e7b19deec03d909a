// SPDX-License-Identifier: BSL-1.0
// The settings of behaviour tests: policies, transport and driver. Also the macro that registers one test body for
// several settings.
#ifndef TOFU_TEST_SUPPORT_SETTING_HPP
#define TOFU_TEST_SUPPORT_SETTING_HPP

#include "all_keys.hpp"
#include "system.hpp"

#include <poller_names.hpp>

#include <tofu/address.hpp>
#include <tofu/reactor.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tofu_test {

/// The policy that is not the default. Only the default poller has variations.
enum class variation : std::uint8_t { none, growing_pool, pointer_key, handle_key, sorted_timer, no_timers };
enum class transport : std::uint8_t { tcp, uds };

/// On Windows, a run-time check tells whether there are Unix domain sockets.
#if defined(_WIN32)
inline constexpr bool surely_has_uds = false;
#else
inline constexpr bool surely_has_uds = true;
#endif

/// The parts of a behaviour test's engine, and the transport of its channels.
struct setting {
    poller poll;
    variation policies = variation::none;
    transport over;
    tofu::driven_by who;

    [[nodiscard]] bool has_thread() const { return who == tofu::driven_by::io_thread; }
    /// An address to listen at: on TCP a port of the system's choice, on a Unix domain socket a path that does not
    /// exist yet.
    [[nodiscard]] tofu::address new_address() const;
    /// True: a read from an aborted connection fails with a reset. Only TCP has resets; a Unix domain socket then shows
    /// an end of stream.
    [[nodiscard]] bool tells_aborts() const { return over == transport::tcp && system_tells_resets(); }
    /// The `~reason` at the other end of a connection that was aborted when nothing was left unread there.
    [[nodiscard]] std::string_view reason_of_abort() const {
        return tells_aborts() ? "peer_reset" : "peer_disconnected";
    }
    /// linux_epoll.uds.caller, or handle_key.uds.caller. (No commas, because a comma ends a name in Boost.Test's
    /// --run_test.)
    [[nodiscard]] std::string name() const;
};

/// A set of settings. a & b is the intersection.
class settings {
public:
    template <class Condition>
    explicit constexpr settings(Condition condition) {
        for (std::size_t i = 0; i < count; ++i)
            if (condition(at(i))) members_ |= std::uint64_t{1} << i;
    }
    friend constexpr settings operator&(settings left, settings right) {
        left.members_ &= right.members_;
        return left;
    }

    // Four for each poller, then four for each variation of the default one.
    static constexpr std::size_t variations = 5;
    static constexpr std::size_t first_variation = 4 * poller_count;
    static constexpr std::size_t count = first_variation + 4 * variations;
    static constexpr setting at(std::size_t index) {
        const std::size_t which = index / 4;
        const bool is_varied = which >= poller_count;
        return {.poll = is_varied ? default_poller : static_cast<poller>(which),
                .policies = is_varied ? static_cast<variation>(which - poller_count + 1) : variation::none,
                .over = index & 2U ? transport::uds : transport::tcp,
                .who = index & 1U ? tofu::driven_by::caller : tofu::driven_by::io_thread};
    }
    [[nodiscard]] constexpr bool contain(std::size_t index) const { return (members_ >> index & 1U) != 0; }
    /// True: a case for these settings runs on the setting `index`. A variation runs each case once, over one of the
    /// case's transports and with one of its drivers, so that all combinations occur often.
    [[nodiscard]] constexpr bool run(std::size_t index) const {
        if (index < first_variation) return contain(index);
        const std::size_t first = index - index % 4;
        for (const std::size_t preferred : order(first / 4 - poller_count))
            if (contain(first + preferred)) return index == first + preferred;
        return false;
    }

private:
    static_assert(count <= 64);

    /// Bit 1 is the transport, bit 0 the driver. Not every system that may have Unix domain sockets has them.
    static constexpr std::array<std::size_t, 4> order(std::size_t which) {
        if (which % 2 != 0) {
            if (surely_has_uds) return {3, 0, 1, 2};
            return {1, 0, 3, 2};
        }
        if (surely_has_uds) return {0, 3, 2, 1};
        return {0, 1, 2, 3};
    }

    std::uint64_t members_ = 0;
};

inline constexpr settings tcp_only([](const setting& s) { return s.over == transport::tcp; });
inline constexpr settings uds_only([](const setting& s) { return s.over == transport::uds; });
inline constexpr settings caller_only([](const setting& s) { return s.who == tofu::driven_by::caller; });
inline constexpr settings io_thread_only([](const setting& s) { return s.who == tofu::driven_by::io_thread; });
constexpr settings only_with(poller which) {
    return settings([which](const setting& s) { return s.poll == which; });
}

constexpr bool is_there(variation which) { return which != variation::pointer_key || has_pointer_key; }

/// All settings that this system may have. (The test asks at its start whether there are Unix domain sockets.)
inline constexpr settings everywhere([](const setting& s) { return is_there(s.policies); });
/// Every poll policy and every transport at least once, with both drivers. For tests that take long, and hardly depend
/// on the combination.
inline constexpr settings each_once([](const setting& s) {
    if (s.policies != variation::none) return true; // runs once in any case
    if (s.poll == default_poller && !surely_has_uds) return true;
    return s.over == (static_cast<std::size_t>(s.poll) % 2 == 0 ? transport::uds : transport::tcp);
});
/// For slow tests whose result does not depend on the policies.
inline constexpr settings defaults_only([](const setting& s) {
    return s.poll == default_poller && s.policies == variation::none;
});
/// For tests of time limits and of update_receiver_after, which need timers.
inline constexpr settings with_timers([](const setting& s) { return s.policies != variation::no_timers; });
/// For tests of a full pool.
inline constexpr settings with_fixed_pool([](const setting& s) { return s.policies != variation::growing_pool; });
/// For narrow engines, and for names that the system itself resolves: each poller has them, no variation has.
inline constexpr settings unvaried_only([](const setting& s) { return s.policies == variation::none; });

/// Makes a Boost.Test case of one body for each setting.
class setting_cases : public boost::unit_test::test_unit_generator {
public:
    using body_type = void (*)(const setting&);

    setting_cases(const char* name, const char* file, std::size_t line, body_type body, settings where = everywhere)
        : name_(name), file_(file), line_(line), body_(body), where_(where & everywhere) {}
    boost::unit_test::test_unit* next() const override;

private:
    [[nodiscard]] bool is_spared(std::size_t index) const;

    const char* name_;
    const char* file_;
    std::size_t line_;
    body_type body_;
    settings where_;
    mutable std::size_t next_ = 0;
};

} // namespace tofu_test

/// TOFU_TEST_CASE(name, here) { ... } registers the body once for each setting, as name<linux_epoll.tcp.io_thread> and
/// so on; `here` is the setting. A third argument restricts it: TOFU_TEST_CASE(name, here, tcp_only & caller_only). A
/// comment before the case says why.
#define TOFU_TEST_CASE(name, here, ...)                                                                                \
    static void name(const tofu_test::setting&);                                                                       \
    BOOST_AUTO_TU_REGISTRAR(name)                                                                                      \
    (tofu_test::setting_cases(#name, __FILE__, __LINE__, &name __VA_OPT__(, ) __VA_ARGS__),                            \
     boost::unit_test::decorator::collector_t::instance());                                                            \
    static void name([[maybe_unused]] const tofu_test::setting& here)

#endif
