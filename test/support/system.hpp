// SPDX-License-Identifier: BSL-1.0
// What the system at hand has and does, found out by trying: tests that need more are skipped, and say so.
#ifndef TOFU_TEST_SUPPORT_SYSTEM_HPP
#define TOFU_TEST_SUPPORT_SYSTEM_HPP

#include <boost/test/unit_test.hpp>

namespace tofu_test {

/// Unix domain sockets can be made. (Windows has them since version 1809; Wine 8 has not.)
[[nodiscard]] bool system_has_uds();

/// Who reads from a connection that the peer has reset is told so. (Wine 8 shows an end of stream.)
[[nodiscard]] bool system_tells_resets();

/// For a case that needs them: BOOST_AUTO_TEST_CASE(name, *needs_uds()).
[[nodiscard]] boost::unit_test::decorator::precondition needs_uds();
[[nodiscard]] boost::unit_test::decorator::precondition needs_told_resets();

/// For a case that compares times: an emulator may need as long as the defect in question.
[[nodiscard]] boost::unit_test::decorator::precondition needs_own_processor();

/// Once, when all cases are known: those of a poller that this system refuses are skipped, and say why.
void skip_refused_pollers();

/// The condition itself, as a test case made by hand takes it.
[[nodiscard]] boost::test_tools::assertion_result uds_there(boost::unit_test::test_unit_id);

} // namespace tofu_test

#endif
