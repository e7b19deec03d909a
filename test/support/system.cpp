// SPDX-License-Identifier: BSL-1.0
// How the system is tried, once; and what every test needs of it from the beginning to the end.
#include "system.hpp"

#include "bare_socket.hpp"

#include <tofu/platform/socket_api.hpp>

#if defined(_WIN32)
#include <tofu/platform/windows/session.hpp>

#include <cstdlib>
#else
#include <unistd.h>
#endif

namespace tofu_test {
namespace {

#if defined(_WIN32)
/// Tests use sockets beside the engine's.
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

/// With bare calls: were the library asked, a defect of its own would skip the very tests that find it.
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

boost::test_tools::assertion_result answer(bool there, const char* otherwise) {
    boost::test_tools::assertion_result result(there);
    if (!there) result.message() << otherwise;
    return result;
}

boost::test_tools::assertion_result resets_told(boost::unit_test::test_unit_id) {
    return answer(system_tells_resets(), "the system shows a reset as an end of stream");
}

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

boost::unit_test::decorator::precondition needs_uds() { return boost::unit_test::precondition(uds_there); }

boost::unit_test::decorator::precondition needs_own_processor() {
    return boost::unit_test::precondition(own_processor_there);
}

boost::unit_test::decorator::precondition needs_told_resets() { return boost::unit_test::precondition(resets_told); }

} // namespace tofu_test
