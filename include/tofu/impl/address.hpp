// SPDX-License-Identifier: BSL-1.0
// The text of an address. Programs do not include this header.
#ifndef TOFU_IMPL_ADDRESS_HPP
#define TOFU_IMPL_ADDRESS_HPP

#include <tofu/address.hpp>
#include <tofu/config.hpp>

#include <charconv>

namespace tofu::inline TOFU_ABI {

TOFU_FUNCTION void address_text::append(std::uint16_t number) noexcept {
    const auto end = std::to_chars(buffer_.data() + size_, buffer_.data() + buffer_.size(), number).ptr;
    size_ = static_cast<std::size_t>(end - buffer_.data());
}

TOFU_FUNCTION address_text to_text(const address& from) noexcept {
    address_text text;
    if (from.kind() == address_kind::tcp) {
        text.append(detail::tcp_scheme);
        text.append("|");
        text.append(from.host());
        text.append("|");
        text.append(from.port());
    } else if (from.kind() == address_kind::uds) {
        text.append(detail::uds_scheme);
        text.append("|");
        text.append(from.path());
    }
    return text;
}

} // namespace tofu::inline TOFU_ABI

#endif
