// SPDX-License-Identifier: BSL-1.0
// Tells what this system can do, by trying. Tests that need more are skipped, with the reason.
#ifndef TOFU_TEST_SUPPORT_SYSTEM_HPP
#define TOFU_TEST_SUPPORT_SYSTEM_HPP

#include <boost/test/unit_test.hpp>

namespace tofu_test {

/// True: Unix domain sockets can be made. (Windows has them since version 1809; Wine 8 does not.)
[[nodiscard]] bool system_has_uds();

/// True: a read from a connection that the peer has reset fails. (Wine 8 shows an end of stream.)
[[nodiscard]] bool system_tells_resets();

/// For a case that needs them: BOOST_AUTO_TEST_CASE(name, *needs_uds()).
[[nodiscard]] boost::unit_test::decorator::precondition needs_uds();
[[nodiscard]] boost::unit_test::decorator::precondition needs_told_resets();

/// For a case that compares times: an emulator may be as slow as the defect that the case looks for.
[[nodiscard]] boost::unit_test::decorator::precondition needs_own_processor();

/// Call once, when all cases are known. Skips the cases of pollers that this system refuses, with the reason.
void skip_refused_pollers();

/// The condition itself, for a test case that is made by hand.
[[nodiscard]] boost::test_tools::assertion_result uds_there(boost::unit_test::test_unit_id);

} // namespace tofu_test

#endif
