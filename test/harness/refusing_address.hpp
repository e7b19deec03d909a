// SPDX-License-Identifier: BSL-1.0
// An address at which connections are refused.
#ifndef TOFU_TEST_HARNESS_REFUSING_ADDRESS_HPP
#define TOFU_TEST_HARNESS_REFUSING_ADDRESS_HPP

#include "../own_ports.hpp"
#include "setting.hpp"

#include <tofu/platform/posix/descriptor.hpp>

#include <sys/socket.h>
#include <sys/un.h>

#include <optional>

namespace tofu_test {

/// Connections to it are refused while this lives: it is bound, and nobody listens.
class refusing_address {
public:
    explicit refusing_address(const setting& here) {
        if (here.over == transport::tcp)
            where_ = port_.emplace().where();
        else
            bind_path(here.new_address());
    }

    [[nodiscard]] const tofu::address& where() const { return where_; }

private:
    void bind_path(const tofu::address& path) {
        where_ = path;
        holder_.emplace(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
        where_.path().copy(at.sun_path, sizeof(at.sun_path) - 1);
        BOOST_REQUIRE(::bind(holder_->get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)) == 0);
    }

    std::optional<refusing_port> port_;
    std::optional<tofu::posix::descriptor> holder_;
    tofu::address where_;
};

} // namespace tofu_test

#endif
