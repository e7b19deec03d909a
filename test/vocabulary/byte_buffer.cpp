// SPDX-License-Identifier: BSL-1.0
// Tests of the byte buffer: growth, reuse of memory, arguments inside itself, and refusal instead of failure.

#include <tofu/byte_buffer.hpp>

#include "support/scarce_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

static_assert(!std::is_copy_constructible_v<tofu::byte_buffer> && !std::is_copy_assignable_v<tofu::byte_buffer>);
static_assert(std::is_nothrow_move_constructible_v<tofu::byte_buffer>);
static_assert(std::is_nothrow_move_assignable_v<tofu::byte_buffer>);
static_assert(std::is_nothrow_swappable_v<tofu::byte_buffer>);

constexpr std::size_t impossible = std::numeric_limits<std::size_t>::max();

tofu::byte_buffer buffer_with(std::string_view text) {
    tofu::byte_buffer buffer;
    BOOST_REQUIRE(buffer.append(text));
    return buffer;
}

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

} // namespace

BOOST_AUTO_TEST_SUITE(byte_buffer)

BOOST_AUTO_TEST_CASE(bytes_are_appended_and_read_back) {
    tofu::byte_buffer buffer = buffer_with("hello");
    BOOST_TEST(buffer.append(bytes_of(", world")));
    BOOST_TEST(buffer.text() == "hello, world");
    BOOST_TEST(buffer.size() == 12u);
    BOOST_TEST(buffer.bytes().size() == 12u);
    BOOST_TEST(std::as_const(buffer).bytes().data() == buffer.data());
    BOOST_TEST(!buffer.empty());
}

BOOST_AUTO_TEST_CASE(a_new_buffer_owns_nothing) {
    const tofu::byte_buffer buffer;
    BOOST_TEST(buffer.empty());
    BOOST_TEST(buffer.size() == 0u);
    BOOST_TEST(buffer.capacity() == 0u);
    BOOST_TEST(buffer.data() == nullptr);
    BOOST_TEST(buffer.text() == "");
    BOOST_TEST(buffer.bytes().empty());
}

BOOST_AUTO_TEST_CASE(nothing_appended_or_assigned_needs_no_memory) {
    tofu::byte_buffer buffer;
    BOOST_TEST(buffer.append(std::string_view()));
    BOOST_TEST(buffer.append(std::span<const std::byte>()));
    BOOST_TEST(buffer.assign({}));
    BOOST_TEST(buffer.resize(0));
    BOOST_TEST(buffer.reserve(0));
    BOOST_TEST(buffer.capacity() == 0u);
}

BOOST_AUTO_TEST_CASE(the_first_memory_is_64_bytes_and_then_it_doubles) {
    tofu::byte_buffer buffer = buffer_with("x");
    BOOST_TEST(buffer.capacity() == 64u);
    BOOST_TEST(buffer.resize(64));
    BOOST_TEST(buffer.capacity() == 64u);
    BOOST_TEST(buffer.append("y"));
    BOOST_TEST(buffer.capacity() == 128u);
    BOOST_TEST(buffer.reserve(1000));
    BOOST_TEST(buffer.capacity() == 1000u);
    BOOST_TEST(buffer.size() == 65u);
}

BOOST_AUTO_TEST_CASE(the_first_memory_is_a_cache_line) {
    std::vector<tofu::byte_buffer> buffers(64);
    for (tofu::byte_buffer& each : buffers) {
        BOOST_REQUIRE(each.reserve(1));
        BOOST_TEST(reinterpret_cast<std::uintptr_t>(each.data()) % 64 == 0U);
    }
}

BOOST_AUTO_TEST_CASE(appending_a_byte_at_a_time_moves_the_bytes_seldom) {
    tofu::byte_buffer buffer;
    int moves = 0;
    for (int count = 0; count < 65'535; ++count) {
        const std::byte* const before = buffer.data();
        BOOST_REQUIRE(buffer.append("z"));
        if (buffer.data() != before) ++moves;
    }
    BOOST_TEST(moves <= 11);
    BOOST_TEST(buffer.text() == std::string(65'535, 'z'));
}

BOOST_AUTO_TEST_CASE(resize_keeps_what_was_there_in_both_directions) {
    tofu::byte_buffer buffer = buffer_with("abcdef");
    BOOST_TEST(buffer.resize(3));
    BOOST_TEST(buffer.text() == "abc");
    BOOST_TEST(buffer.resize(500));
    BOOST_TEST(buffer.size() == 500u);
    BOOST_TEST(buffer.text().substr(0, 3) == "abc");
    buffer.bytes()[499] = std::byte{'q'};
    BOOST_TEST(buffer.text().back() == 'q');
}

BOOST_AUTO_TEST_CASE(clear_keeps_the_memory_and_release_gives_it_back) {
    tofu::byte_buffer buffer = buffer_with(std::string(1000, 'a'));
    const std::byte* const memory = buffer.data();
    buffer.clear();
    BOOST_TEST(buffer.empty());
    BOOST_TEST(buffer.capacity() == 1000u);
    BOOST_TEST(buffer.append("again"));
    BOOST_TEST(buffer.data() == memory);
    buffer.release();
    BOOST_TEST(buffer.capacity() == 0u);
    BOOST_TEST(buffer.data() == nullptr);
    BOOST_TEST(buffer.append("usable"));
    BOOST_TEST(buffer.text() == "usable");
}

BOOST_AUTO_TEST_CASE(a_part_of_itself_can_be_appended_with_and_without_room) {
    tofu::byte_buffer roomy = buffer_with("0123456789");
    BOOST_TEST(roomy.append(roomy.text().substr(2, 4)));
    BOOST_TEST(roomy.text() == "01234567892345");

    std::string expected(64, '-');
    expected.replace(10, 3, "abc");
    tofu::byte_buffer full = buffer_with(expected);
    BOOST_REQUIRE(full.capacity() == full.size());
    BOOST_TEST(full.append(full.text().substr(8, 6)));
    BOOST_TEST(full.text() == expected + "--abc-");
}

BOOST_AUTO_TEST_CASE(a_buffer_can_be_appended_to_itself_again_and_again) {
    tofu::byte_buffer buffer = buffer_with("abc");
    std::string expected = "abc";
    for (int round = 0; round < 12; ++round) {
        BOOST_REQUIRE(buffer.append(buffer.bytes()));
        expected += expected;
        BOOST_REQUIRE(buffer.text() == expected);
    }
}

BOOST_AUTO_TEST_CASE(a_part_of_itself_can_be_assigned) {
    tofu::byte_buffer buffer = buffer_with("0123456789");
    BOOST_TEST(buffer.assign(buffer.bytes().subspan(1, 8)));
    BOOST_TEST(buffer.text() == "12345678");
    BOOST_TEST(buffer.assign(buffer.bytes()));
    BOOST_TEST(buffer.text() == "12345678");
}

BOOST_AUTO_TEST_CASE(assign_replaces_shorter_and_longer_content) {
    tofu::byte_buffer buffer = buffer_with("something");
    BOOST_TEST(buffer.assign(bytes_of("new")));
    BOOST_TEST(buffer.text() == "new");
    const std::string longer(777, 'L');
    BOOST_TEST(buffer.assign(bytes_of(longer)));
    BOOST_TEST(buffer.text() == longer);
    BOOST_TEST(buffer.assign({}));
    BOOST_TEST(buffer.empty());
}

BOOST_AUTO_TEST_CASE(a_size_that_cannot_be_had_is_refused_and_changes_nothing) {
    tofu::byte_buffer buffer = buffer_with("kept");
    const std::byte* const memory = buffer.data();
    BOOST_TEST(!buffer.resize(impossible));
    BOOST_TEST(!buffer.reserve(impossible));
    BOOST_TEST(!buffer.reserve(impossible / 2 + 1));
    // The bytes are not looked at when their number alone is impossible.
    BOOST_TEST(!buffer.append(std::span<const std::byte>(buffer.data(), impossible)));
    BOOST_TEST(!buffer.append(std::span<const std::byte>(buffer.data(), impossible - 2)));
    BOOST_TEST(!buffer.assign(std::span<const std::byte>(buffer.data(), impossible)));
    BOOST_TEST(buffer.text() == "kept");
    BOOST_TEST(buffer.data() == memory);
    BOOST_TEST(buffer.capacity() == 64u);
}

BOOST_AUTO_TEST_CASE(without_memory_growth_changes_nothing) {
    tofu::byte_buffer buffer = buffer_with("kept");
    const std::byte* const memory = buffer.data();
    const std::string longer(65, 'L');
    const auto unchanged = [&](bool grown) {
        BOOST_TEST(!grown);
        BOOST_TEST(buffer.text() == "kept");
        BOOST_TEST(buffer.data() == memory);
        BOOST_TEST(buffer.capacity() == 64u);
    };
    {
        const tofu_test::scarce_memory scarce(0);
        unchanged(buffer.reserve(65));
        unchanged(buffer.resize(65));
        unchanged(buffer.append(longer));
        unchanged(buffer.assign(bytes_of(longer)));
    }
    BOOST_TEST(buffer.append(longer));
    BOOST_TEST(buffer.text() == "kept" + longer);
}

BOOST_AUTO_TEST_CASE(moving_leaves_an_empty_usable_buffer) {
    tofu::byte_buffer first = buffer_with("cargo");
    const std::byte* const memory = first.data();
    tofu::byte_buffer second(std::move(first));
    BOOST_TEST(second.text() == "cargo");
    BOOST_TEST(second.data() == memory);
    BOOST_TEST(first.empty()); // NOLINT: a moved-from buffer is empty by contract
    BOOST_TEST(first.capacity() == 0u);
    BOOST_TEST(first.append("other"));
    first = std::move(second);
    BOOST_TEST(first.text() == "cargo");
    BOOST_TEST(second.capacity() == 0u); // NOLINT
}

BOOST_AUTO_TEST_CASE(moving_to_itself_loses_nothing) {
    tofu::byte_buffer buffer = buffer_with("steady");
    tofu::byte_buffer& same = buffer;
    buffer = std::move(same);
    BOOST_TEST(buffer.text() == "steady");
}

BOOST_AUTO_TEST_CASE(swap_exchanges_everything) {
    tofu::byte_buffer left = buffer_with("left");
    tofu::byte_buffer right = buffer_with(std::string(100, 'r'));
    swap(left, right);
    BOOST_TEST(left.text() == std::string(100, 'r'));
    BOOST_TEST(left.capacity() == 100u);
    BOOST_TEST(right.text() == "left");
    right.swap(left);
    BOOST_TEST(left.text() == "left");
}

BOOST_AUTO_TEST_CASE(a_long_random_history_agrees_with_a_string) {
    std::mt19937 random(20260502); // NOLINT: a fixed seed on purpose
    const auto below = [&random](std::size_t limit) { return random() % limit; };
    tofu::byte_buffer buffer;
    std::string model;
    for (int step = 0; step < 20'000; ++step) {
        const std::size_t from = below(model.size() + 1);
        const std::size_t length = below(model.size() - from + 1);
        switch (below(7)) {
        case 0: {
            const std::string more(below(90), static_cast<char>('a' + below(26)));
            BOOST_REQUIRE(buffer.append(more));
            model += more;
            break;
        }
        case 1:
            BOOST_REQUIRE(buffer.append(buffer.bytes().subspan(from, length)));
            model += model.substr(from, length);
            break;
        case 2:
            BOOST_REQUIRE(buffer.assign(buffer.bytes().subspan(from, length)));
            model = model.substr(from, length);
            break;
        case 3:
            BOOST_REQUIRE(buffer.resize(from));
            model.resize(from);
            break;
        case 4: BOOST_REQUIRE(buffer.reserve(below(3000))); break;
        case 5: {
            tofu::byte_buffer moved(std::move(buffer));
            buffer = std::move(moved);
            break;
        }
        default:
            if (below(40) == 0) {
                buffer.release();
                model.clear();
            }
            break;
        }
        BOOST_REQUIRE(buffer.text() == model);
        BOOST_REQUIRE(buffer.capacity() >= buffer.size());
        if (model.size() > 5000) {
            buffer.clear();
            model.clear();
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
