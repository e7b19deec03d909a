// SPDX-License-Identifier: BSL-1.0
// Prints the results at the end of the test program: the number of cases that passed, and the skipped cases with their
// reasons. tools/test adds these lines up. With the arguments "-- uncounted" it says nothing: another process counts
// the case.
#include <boost/test/results_collector.hpp>
#include <boost/test/tree/observer.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <iostream>
#include <string_view>

namespace tofu_test {
namespace {

namespace ut = boost::unit_test;

class case_counter : public ut::test_observer {
public:
    case_counter() { ut::framework::register_observer(*this); }
    ~case_counter() override { ut::framework::deregister_observer(*this); }

    /// Runs after Boost.Test's own observers, because the results are complete then. (Before them, its start would
    /// count as failed.)
    int priority() override { return 5; }
    void test_start(ut::counter_t, ut::test_unit_id) override { passed_ = failed_ = skipped_ = 0; }
    void test_unit_finish(const ut::test_unit& which, unsigned long) override {
        if (which.p_type != ut::TUT_CASE) return;
        ++(ut::results_collector.results(which.p_id).passed() ? passed_ : failed_);
    }
    void test_unit_skipped(const ut::test_unit& which, ut::const_string reason) override {
        if (which.p_type != ut::TUT_CASE || reason == "disabled") return; // cases that --run_test does not name
        ++skipped_;
        std::string_view why(reason.begin(), reason.size());
        constexpr std::string_view prefix = "precondition failed: "; // Boost.Test's
        if (why.starts_with(prefix)) why.remove_prefix(prefix.size());
        std::cout << "skipped case: " << which.full_name() << ": " << why << '\n';
    }
    void test_finish() override {
        const auto& suite = ut::framework::master_test_suite();
        if (suite.argc > 1 && suite.argv[suite.argc - 1] == std::string_view("uncounted")) return;
        std::cout << "cases: " << passed_ << " passed, " << failed_ << " failed, " << skipped_ << " skipped"
                  << std::endl;
    }

private:
    std::size_t passed_ = 0;
    std::size_t failed_ = 0;
    std::size_t skipped_ = 0;
};

const case_counter counter;

} // namespace
} // namespace tofu_test
