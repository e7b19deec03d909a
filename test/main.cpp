// SPDX-License-Identifier: BSL-1.0
// The test program's main function; the tests are in the other files. With TOFU_TEST_REPEAT=N in the environment the
// tests named on the command line run N times in this one process, until they fail.

#define BOOST_TEST_NO_MAIN
#if defined(BOOST_TEST_DYN_LINK)
#include <boost/test/results_collector.hpp>
#include <boost/test/unit_test.hpp>
#else
#define BOOST_TEST_ALTERNATIVE_INIT_API // as the library has it
#include <boost/test/included/unit_test.hpp>
#endif

#include "support/system.hpp"

#include <cstdlib>
#include <iostream>

namespace {

namespace ut = boost::unit_test;

bool name_all() {
    ut::framework::master_test_suite().p_name.value = "tofu";
    tofu_test::skip_refused_pollers();
    return true;
}

int run_repeatedly(long times, int argc, char** argv) {
    ut::framework::init(&name_all, argc, argv);
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
    return times != nullptr ? run_repeatedly(std::atol(times), argc, argv) : ut::unit_test_main(&name_all, argc, argv);
}
