// SPDX-License-Identifier: BSL-1.0
// The bodies of the functions that message.hpp declares. Programs do not include this header.
#ifndef TOFU_IMPL_MESSAGE_HPP
#define TOFU_IMPL_MESSAGE_HPP

#include <tofu/config.hpp>
#include <tofu/impl/address.hpp>
#include <tofu/impl/reason.hpp>
#include <tofu/impl/text_headers.hpp>
#include <tofu/message.hpp>

namespace tofu::inline TOFU_ABI {

TOFU_FUNCTION tofu::status message::connect_to(const address& where) noexcept {
    if (!connect_problem(where).empty()) return tofu::status::wrong_address;
    return set_address(op_code::hello_request, connect_to_header, where);
}

TOFU_FUNCTION tofu::status message::listen_on(const address& where) noexcept {
    if (!where.valid()) return tofu::status::wrong_address;
    return set_address(op_code::welcome_request, listen_on_header, where);
}

TOFU_FUNCTION bool message::assign(const message& other) noexcept {
    reset();
    if (!headers_.assign_wire(other.headers_.wire()) || !body_.assign(other.body_.bytes())) {
        reset();
        return false;
    }
    header_ = other.header_;
    user_ = other.user_;
    route_.copy_marks(other.route_);
    return true;
}

TOFU_FUNCTION tofu::status message::set_address(op_code op, std::string_view name, const address& where) noexcept {
    const tofu::status done = headers_.set(name, to_text(where).view());
    if (done != tofu::status::success) return done;
    static_cast<void>(take_marks());
    header_.op = op;
    header_.channel_number = no_channel;
    header_.origin = origin::application;
    return tofu::status::success;
}

TOFU_COLD TOFU_FUNCTION engine::set_aside_marks message::take_marks() noexcept {
    engine::set_aside_marks marks{.route = route_, .status_byte = header_.status_byte};
    if (header_.status_byte == route_.engine_status) header_.status_byte = 0;
    if (route_.explained != 0) marks.has_reason = headers_.erase_last(reason_header, to_text(route_.cause()).view());
    route_.forget_marks();
    return marks;
}

TOFU_COLD TOFU_FUNCTION void message::put_marks(const engine::set_aside_marks& marks) noexcept {
    header_.status_byte = marks.status_byte;
    route_.copy_marks(marks.route);
    if (marks.has_reason) // cannot fail: the memory is still there
        static_cast<void>(headers_.append(reason_header, to_text(route_.cause()).view()));
}

} // namespace tofu::inline TOFU_ABI

#endif
