// SPDX-License-Identifier: BSL-1.0
// Tests of the 16-byte header: every bit of it, and recorded bytes.

#include <tofu/binary_header.hpp>

#include "support/recording.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>
#include <type_traits>

using tofu::op_code;

namespace {

using wire_bytes = std::array<std::byte, tofu::binary_header::wire_size>;

constexpr wire_bytes encoded(const tofu::binary_header& header) {
    wire_bytes bytes{};
    tofu::encode(header, bytes);
    return bytes;
}

// Each field has a value of its own in every byte.
constexpr tofu::binary_header telling_header() {
    tofu::binary_header header;
    header.channel_number = 0x0102;
    header.op = op_code::response;
    header.more = true;
    header.status_byte = 0x1f;
    header.message_id = 0x1112131415161718;
    header.text_headers_length = 0x2122;
    header.body_length = 0x3132;
    return header;
}

static_assert(tofu::decode(encoded(telling_header())) == telling_header(), "usable at compile time");
static_assert(tofu::max_message_size == 131'086);
static_assert(std::is_trivially_copyable_v<tofu::binary_header>);

} // namespace

BOOST_AUTO_TEST_SUITE(binary_header)

BOOST_AUTO_TEST_CASE(fields_lie_where_the_protocol_puts_them_most_significant_byte_first) {
    constexpr std::array<unsigned, 16> expected{0x01, 0x02, 0x21, 0x1f, 0x11, 0x12, 0x13, 0x14,
                                                0x15, 0x16, 0x17, 0x18, 0x21, 0x22, 0x31, 0x32};
    const wire_bytes bytes = encoded(telling_header());
    for (std::size_t index = 0; index < expected.size(); ++index) {
        BOOST_TEST(std::to_integer<unsigned>(bytes[index]) == expected[index], "byte " << index);
    }
}

BOOST_AUTO_TEST_CASE(a_default_header_is_sixteen_zero_bytes) { BOOST_TEST((encoded({}) == wire_bytes{})); }

BOOST_AUTO_TEST_CASE(every_byte_of_the_old_content_is_overwritten) {
    wire_bytes bytes;
    bytes.fill(std::byte{0xff});
    tofu::encode({}, bytes);
    BOOST_TEST((bytes == wire_bytes{}));
}

BOOST_AUTO_TEST_CASE(every_combination_of_op_code_origin_and_more_makes_the_round_trip) {
    for (unsigned op = 0; op < 16; ++op) {
        for (const tofu::origin from : {tofu::origin::application, tofu::origin::engine}) {
            for (const bool more : {false, true}) {
                tofu::binary_header header;
                header.op = static_cast<op_code>(op);
                header.origin = from;
                header.more = more;
                const wire_bytes bytes = encoded(header);
                const unsigned expected = op | (from == tofu::origin::engine ? 0x10u : 0u) | (more ? 0x20u : 0u);
                BOOST_TEST(std::to_integer<unsigned>(bytes[2]) == expected);
                BOOST_TEST((tofu::decode(bytes) == header));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(every_proto_byte_is_read_and_its_internal_bits_are_ignored) {
    for (unsigned proto = 0; proto < 256; ++proto) {
        wire_bytes bytes{};
        bytes[2] = static_cast<std::byte>(proto);
        const tofu::binary_header header = tofu::decode(bytes);
        BOOST_TEST(static_cast<unsigned>(header.op) == (proto & 0x0fu));
        BOOST_TEST((header.origin == tofu::origin::engine) == ((proto & 0x10u) != 0));
        BOOST_TEST(header.more == ((proto & 0x20u) != 0));
        BOOST_TEST(std::to_integer<unsigned>(encoded(header)[2]) == (proto & 0x3fu));
    }
}

BOOST_AUTO_TEST_CASE(an_op_code_beyond_four_bits_does_not_spill_into_the_other_bits) {
    tofu::binary_header header;
    header.op = static_cast<op_code>(0xf3);
    BOOST_TEST(std::to_integer<unsigned>(encoded(header)[2]) == 0x03u);
}

BOOST_AUTO_TEST_CASE(every_status_byte_passes_through_and_above_31_means_unknown_error) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        wire_bytes bytes{};
        bytes[3] = static_cast<std::byte>(byte);
        const tofu::binary_header header = tofu::decode(bytes);
        BOOST_TEST(header.status_byte == byte);
        BOOST_TEST(static_cast<unsigned>(header.status()) == std::min(byte, 31u));
        BOOST_TEST((encoded(header) == bytes));
    }
}

BOOST_AUTO_TEST_CASE(every_value_of_the_16_bit_fields_makes_the_round_trip) {
    bool all = true;
    for (unsigned value = 0; value < 65536; ++value) {
        const auto number = static_cast<std::uint16_t>(value);
        tofu::binary_header header;
        header.channel_number = number;
        header.text_headers_length = static_cast<std::uint16_t>(number ^ 0x5555u);
        header.body_length = static_cast<std::uint16_t>(~value & 0xffffu);
        all = all && tofu::decode(encoded(header)) == header;
    }
    BOOST_TEST(all);
}

BOOST_AUTO_TEST_CASE(every_single_bit_of_the_message_id_has_its_place) {
    for (unsigned bit = 0; bit < 64; ++bit) {
        tofu::binary_header header;
        header.message_id = std::uint64_t{1} << bit;
        const wire_bytes bytes = encoded(header);
        wire_bytes expected{};
        expected[11 - bit / 8] = static_cast<std::byte>(1u << (bit % 8));
        BOOST_TEST((bytes == expected));
        BOOST_TEST(tofu::decode(bytes).message_id == header.message_id);
    }
}

BOOST_AUTO_TEST_CASE(any_sixteen_bytes_come_back_but_for_the_internal_bits) {
    std::mt19937 random(20260501); // NOLINT: a fixed seed on purpose
    for (int round = 0; round < 10'000; ++round) {
        wire_bytes bytes;
        for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() & 0xffu);
        wire_bytes expected = bytes;
        expected[2] &= std::byte{0x3f};
        BOOST_REQUIRE((encoded(tofu::decode(bytes)) == expected));
    }
}

BOOST_AUTO_TEST_CASE(recorded_headers_are_understood_and_written_alike) {
    for (const tofu_test::recording_file& file : tofu_test::recording_files()) {
        for (const tofu_test::recorded_line& line : tofu_test::recording_named(file.name).lines) {
            if (!line.is_message()) continue;
            wire_bytes bytes;
            std::copy_n(line.wire.begin(), bytes.size(), bytes.begin());
            BOOST_TEST((tofu::decode(bytes) == line.header), line.text);
            bytes[2] &= std::byte{0x3f}; // without the internal bits
            BOOST_TEST((encoded(line.header) == bytes), line.text);
        }
    }
}

BOOST_AUTO_TEST_CASE(ten_operations_are_valid_and_three_of_them_regular) {
    constexpr std::array<std::string_view, 10> names{
        "request",     "response",     "signal",     "hello_request",   "hello_response",
        "bye_request", "bye_response", "bye_signal", "welcome_request", "welcome_response"};
    for (unsigned number = 0; number < 256; ++number) {
        const auto op = static_cast<op_code>(number);
        BOOST_TEST(tofu::is_valid(op) == (number < 10));
        BOOST_TEST(tofu::is_regular(op) == (number < 3));
        BOOST_TEST(tofu::to_string(op) == (number < 10 ? names[number] : std::string_view("invalid")));
    }
    BOOST_TEST(tofu::to_string(op_code::request) == "request");
    BOOST_TEST(tofu::to_string(op_code::bye_signal) == "bye_signal");
    BOOST_TEST(tofu::to_string(op_code::welcome_response) == "welcome_response");
}

BOOST_AUTO_TEST_CASE(origins_have_names) {
    BOOST_TEST(tofu::to_string(tofu::origin::application) == "application");
    BOOST_TEST(tofu::to_string(tofu::origin::engine) == "engine");
}

BOOST_AUTO_TEST_SUITE_END()
