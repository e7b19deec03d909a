// SPDX-License-Identifier: BSL-1.0
// An address at which connections are refused.
#ifndef TOFU_TEST_SUPPORT_REFUSING_ADDRESS_HPP
#define TOFU_TEST_SUPPORT_REFUSING_ADDRESS_HPP

#include "bare_socket.hpp"
#include "setting.hpp"

namespace tofu_test {

/// Connects to the address are refused while this object lives: the address is bound, but no socket listens there.
class refusing_address {
public:
    explicit refusing_address(const setting& here) : holder_(here.over == transport::tcp ? AF_INET : AF_UNIX) {
        holder_.bind(here.new_address());
        where_ = holder_.where();
    }

    [[nodiscard]] const tofu::address& where() const { return where_; }

private:
    bare_socket holder_;
    tofu::address where_;
};

} // namespace tofu_test

#endif
