// SPDX-License-Identifier: BSL-1.0
// How the system is tried, once; and what every test needs of it from the beginning to the end.
#include "system.hpp"

#include "../bare_socket.hpp"

#include <tofu/platform/unix_sockets.hpp>

#if defined(_WIN32)
#include <tofu/platform/windows/session.hpp>

#include <cstdlib>
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

} // namespace

bool system_has_uds() { return tofu::platform::has_unix_sockets(); }

bool system_tells_resets() {
    static const bool tells = try_reset();
    return tells;
}

boost::test_tools::assertion_result uds_there(boost::unit_test::test_unit_id) {
    return answer(system_has_uds(), "the system has no AF_UNIX");
}

boost::unit_test::decorator::precondition needs_uds() { return boost::unit_test::precondition(uds_there); }

boost::unit_test::decorator::precondition needs_told_resets() { return boost::unit_test::precondition(resets_told); }

} // namespace tofu_test
