// SPDX-License-Identifier: BSL-1.0
// The checksums by which the print shop proves that a page, and a whole job, arrived as it was sent.
#ifndef TOFU_EXAMPLE_PRINT_SHOP_CHECKSUMS_HPP
#define TOFU_EXAMPLE_PRINT_SHOP_CHECKSUMS_HPP

#include <boost/crc.hpp>
#include <fmt/core.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace print_shop {

/// The CRC-32 of a page, in eight hexadecimal digits.
[[nodiscard]] inline std::string checksum_of(std::span<const std::byte> page) {
    boost::crc_32_type crc;
    crc.process_bytes(page.data(), page.size());
    return fmt::format("{:08x}", crc.checksum());
}

/// Counts pages and bytes, and computes a digest of their contents in order.
class running_digest {
public:
    void add(std::span<const std::byte> page) {
        crc_.process_bytes(page.data(), page.size());
        bytes_ += page.size();
        ++pages_;
    }

    [[nodiscard]] std::uint32_t pages() const { return pages_; }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
    [[nodiscard]] std::string text() const { return fmt::format("{:016x}", crc_.checksum()); }

private:
    // CRC-64/XZ: the polynomial of ECMA-182, reflected.
    boost::crc_optimal<64, 0x42F0E1EBA9EA3693, 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF, true, true> crc_;
    std::uint64_t bytes_ = 0;
    std::uint32_t pages_ = 0;
};

} // namespace print_shop

#endif
