// SPDX-License-Identifier: BSL-1.0
// The parts of a program whose units are compiled with different flags.
#ifndef TOFU_TEST_STATION_HPP
#define TOFU_TEST_STATION_HPP

#include <tofu/tofu.hpp>

#include <cstdint>
#include <memory>
#include <system_error>

namespace tofu_test {

/// The calls that one unit makes on the objects of another unit. All stations have the same source.
struct station {
    const char* name;
    std::unique_ptr<tofu::reactor> (*make_reactor)();
    tofu::channel_group (*make_group)(tofu::reactor& engine);
    tofu::address (*listen)(tofu::reactor& engine, tofu::channel_group& server);
    std::uint16_t (*connect)(tofu::reactor& engine, tofu::channel_group& client, const tofu::address& where);
    /// Receives a message with the operation `from` and posts it back with the operation `to`.
    bool (*answer)(tofu::channel_group& group, tofu::op_code from, tofu::op_code to);
    tofu::message_ptr (*receive)(tofu::channel_group& group);
    /// True if a refused call returns its error code, throws the same code in units with exceptions, and leaves the
    /// message with the caller.
    bool (*reports_errors)(tofu::channel_group& group, tofu::message_ptr& message);
    const std::error_category& (*category)();
};

extern const station unoptimised;
extern const station optimised;
extern const station without_exceptions;
extern const station without_rtti;

} // namespace tofu_test

#endif
