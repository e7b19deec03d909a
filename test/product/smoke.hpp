// SPDX-License-Identifier: BSL-1.0
// The setting of a case of the smoke suite, and the macro that registers one body for every combination of policies.
#ifndef TOFU_TEST_PRODUCT_SMOKE_HPP
#define TOFU_TEST_PRODUCT_SMOKE_HPP

#include "combination.hpp"
#include "support/harness.hpp"

#include <tofu/policies/timer/manual_timer.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <vector>

namespace tofu_test {

/// All of them, in the order of their parts.
[[nodiscard]] const std::vector<combination>& combinations();

/// A combination, a transport and a driver.
struct smoke_setting {
    const combination& policies;
    setting where;

    [[nodiscard]] std::string name() const;
};

/// Two groups of one engine that talk to each other, and the engine's clock.
struct smoke_clock {
    tofu::manual_clock clock;
};
struct smoke : smoke_clock, dialogue {
    /// The value of each limit that a test reaches. Limits that a test in time must never reach are far longer.
    static constexpr std::chrono::milliseconds soon{20};

    explicit smoke(const smoke_setting& at, const tofu::options& opts = {})
        : dialogue(at.where, any_reactor(at.policies.make(opts, at.where.who, clock))), policies(at.policies) {}

    /// `soon` is over. Real time passes by itself, while the test waits for what comes of it.
    void pass();
    /// Question and answer.
    void talk_on(const link& which, std::uint64_t id);
    /// The client says bye; both ends get their goodbyes.
    void end(const link& which);

    const combination& policies;
};

/// Makes a case of one body for each combination and each driver.
class smoke_cases : public boost::unit_test::test_unit_generator {
public:
    using body_type = void (*)(const smoke_setting&);
    using condition = bool (*)(const combination&);

    smoke_cases(const char* name, const char* file, std::size_t line, body_type body, transport over = transport::tcp,
                condition wanted = nullptr)
        : name_(name), file_(file), line_(line), body_(body), over_(over), wanted_(wanted) {}
    boost::unit_test::test_unit* next() const override;

private:
    const char* name_;
    const char* file_;
    std::size_t line_;
    body_type body_;
    transport over_;
    condition wanted_;
    mutable std::size_t next_ = 0;
};

} // namespace tofu_test

/// TOFU_SMOKE_CASE(name, at, transport, condition) { ... } registers the body for each combination for which the
/// condition holds, driven by its caller and by its own thread. The last two may be left out: TCP, and all.
#define TOFU_SMOKE_CASE(name, at, ...)                                                                                 \
    static void name(const tofu_test::smoke_setting&);                                                                 \
    BOOST_AUTO_TU_REGISTRAR(name)                                                                                      \
    (tofu_test::smoke_cases(#name, __FILE__, __LINE__, &name __VA_OPT__(, ) __VA_ARGS__),                              \
     boost::unit_test::decorator::collector_t::instance());                                                            \
    static void name(const tofu_test::smoke_setting& at)

#endif
