// SPDX-License-Identifier: BSL-1.0
// The test program's main function; the tests are in the other files. With TOFU_TEST_REPEAT=N in the environment the
// tests named on the command line run N times in this one process, until they fail.

#define BOOST_TEST_MODULE tofu
#define BOOST_TEST_NO_MAIN
#include <boost/test/included/unit_test.hpp>

#include <cstdlib>
#include <iostream>

namespace {

namespace ut = boost::unit_test;

int run_repeatedly(long times, int argc, char** argv) {
    ut::framework::init(&init_unit_test_suite, argc, argv);
    ut::framework::finalize_setup_phase();
    const ut::test_unit_id all = ut::framework::master_test_suite().p_id;
    int result = EXIT_SUCCESS;
    long done = 0;
    while (result == EXIT_SUCCESS && done < times) {
        ut::framework::run();
        result = ut::results_collector.results(all).result_code();
        ++done;
    }
    std::cout << done << " of " << times << " runs, " << (result == EXIT_SUCCESS ? "all right" : "the last failed")
              << std::endl;
    ut::framework::shutdown();
    return result;
}

} // namespace

int main(int argc, char** argv) {
    const char* const times = std::getenv("TOFU_TEST_REPEAT");
    return times != nullptr ? run_repeatedly(std::atol(times), argc, argv)
                            : ut::unit_test_main(&init_unit_test_suite, argc, argv);
}
