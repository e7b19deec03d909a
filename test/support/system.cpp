// SPDX-License-Identifier: BSL-1.0
// Tests once what the system has, and keeps what every test needs until the end.
#include "system.hpp"

#include "bare_socket.hpp"

#include <boost/test/tree/traverse.hpp>
#include <boost/test/tree/visitor.hpp>

#include <tofu/platform/socket_api.hpp>

#if defined(_WIN32)
#include <tofu/platform/windows/session.hpp>

#include <cstdlib>
#else
#include <unistd.h>
#endif

#if __has_include(<linux/io_uring.h>)
#include <linux/io_uring.h>
#include <sys/syscall.h>
#endif

#include <cerrno>
#include <cstring>
#include <string>

namespace tofu_test {
namespace {

#if defined(_WIN32)
/// Keeps the network open, because tests use sockets of their own, too.
class socket_session {
public:
    socket_session() {
        if (session_.open()) std::abort();
    }

private:
    tofu::windows::winsock_session session_;
};

const socket_session session;
#endif

/// Uses bare system calls. If it asked the library, a defect of the library would skip the tests that find this defect.
bool try_uds() {
    const auto made = ::socket(AF_UNIX, SOCK_STREAM, 0);
#if defined(_WIN32)
    return made != INVALID_SOCKET && ::closesocket(made) == 0;
#else
    return made >= 0 && ::close(made) == 0;
#endif
}

bool try_reset() {
    bare_socket listener(AF_INET);
    listener.bind(tofu::tcp_address{"127.0.0.1", 0});
    listener.listen();
    bare_socket client(AF_INET);
    client.connect(listener.where());
    listener.accept().reset();
    return client.read() < 0;
}

/// Returns 0 or the error. Makes a ring of one place, and demands what the poller needs of Linux 5.13.
int try_io_uring() {
#if defined(IORING_FEAT_RSRC_TAGS) && defined(SYS_io_uring_setup)
    io_uring_params parameters{};
    const long made = ::syscall(SYS_io_uring_setup, 1, &parameters);
    if (made < 0) return errno;
    ::close(static_cast<int>(made));
    return (parameters.features & IORING_FEAT_RSRC_TAGS) != 0 ? 0 : ENOSYS;
#else
    return ENOSYS;
#endif
}

boost::test_tools::assertion_result answer(bool there, const char* otherwise) {
    boost::test_tools::assertion_result result(there);
    if (!there) result.message() << otherwise;
    return result;
}

boost::test_tools::assertion_result resets_told(boost::unit_test::test_unit_id) {
    return answer(system_tells_resets(), "the system shows a reset as an end of stream");
}

boost::test_tools::assertion_result io_uring_there(boost::unit_test::test_unit_id) {
    static const int refusal = try_io_uring();
    const std::string otherwise = std::string("io_uring_setup(2): ") + std::strerror(refusal);
    return answer(refusal == 0, otherwise.c_str());
}

/// Adds a precondition to the cases of each poller. Their names tell the poller, so no case has to ask for itself.
class poller_conditions : public boost::unit_test::test_tree_visitor {
    void visit(const boost::unit_test::test_case& found) override {
        if (found.full_name().find("io_uring") == std::string::npos) return;
        auto& made = boost::unit_test::framework::get(found.p_id, boost::unit_test::TUT_CASE);
        made.add_precondition(io_uring_there);
    }
};

boost::test_tools::assertion_result own_processor_there(boost::unit_test::test_unit_id) {
#if defined(TOFU_TEST_EMULATOR)
    return answer(false, "an emulator executes the program, and takes its time");
#else
    return answer(true, "");
#endif
}

} // namespace

bool system_has_uds() {
    static const bool has = try_uds();
    return has;
}

bool system_tells_resets() {
    static const bool tells = try_reset();
    return tells;
}

boost::test_tools::assertion_result uds_there(boost::unit_test::test_unit_id) {
    return answer(system_has_uds(), "the system has no AF_UNIX");
}

void skip_refused_pollers() {
    poller_conditions conditions;
    boost::unit_test::traverse_test_tree(boost::unit_test::framework::master_test_suite(), conditions, true);
}

boost::unit_test::decorator::precondition needs_uds() { return boost::unit_test::precondition(uds_there); }

boost::unit_test::decorator::precondition needs_own_processor() {
    return boost::unit_test::precondition(own_processor_there);
}

boost::unit_test::decorator::precondition needs_told_resets() { return boost::unit_test::precondition(resets_told); }

} // namespace tofu_test
