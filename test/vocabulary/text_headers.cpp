// SPDX-License-Identifier: BSL-1.0
// Tests of the text headers: the texts that may be written, and that any bytes at all can be read.

#include <tofu/text_headers.hpp>

#include "support/recording.hpp"
#include "support/rounds.hpp"
#include "support/scarce_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::string_view_literals;

namespace {

using pair_list = std::vector<std::pair<std::string, std::string>>;

static_assert(std::forward_iterator<tofu::text_header_range::iterator>);
static_assert(std::is_nothrow_move_constructible_v<tofu::text_headers>);
static_assert(!std::is_copy_constructible_v<tofu::text_headers>);
static_assert(tofu::text_header_range("a: 1 \r\nb:2").find("a") == "1", "usable at compile time");

template <class Range>
pair_list listed(const Range& headers) {
    pair_list list;
    for (const tofu::text_header header : headers) list.emplace_back(header.name, header.value);
    return list;
}

pair_list read(std::string_view wire) { return listed(tofu::text_header_range(wire)); }

bool appended(tofu::text_headers& headers, std::string_view name, std::string_view value) {
    return headers.append(name, value) == tofu::status::success;
}

bool was_set(tofu::text_headers& headers, std::string_view name, std::string_view value) {
    return headers.set(name, value) == tofu::status::success;
}

tofu::text_headers headers_from(std::string_view wire) {
    tofu::text_headers headers;
    BOOST_REQUIRE(headers.assign_wire(wire));
    return headers;
}

// The reading rule once more, in the plainest words, to compare with.
pair_list read_by_the_book(const std::string& wire) {
    pair_list list;
    std::size_t start = 0;
    while (start < wire.size()) {
        const std::size_t found = wire.find("\r\n", start);
        const std::string line = wire.substr(start, found == std::string::npos ? found : found - start);
        start = found == std::string::npos ? wire.size() : found + 2;
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos || colon == 0) continue;
        std::string value = line.substr(colon + 1);
        value.erase(0, std::min(value.find_first_not_of(" \t"), value.size()));
        value.erase(value.find_last_not_of(" \t") + 1);
        list.emplace_back(line.substr(0, colon), value);
    }
    return list;
}

std::string random_wire(std::mt19937& random) {
    constexpr std::string_view telling = "\r\n\r\n::: \tab\0\xff"sv;
    std::string wire(random() % 60, '\0');
    const bool any_byte = random() % 4 == 0;
    for (char& byte : wire) {
        byte = any_byte ? static_cast<char>(random() & 0xffu) : telling[random() % telling.size()];
    }
    return wire;
}

} // namespace

BOOST_AUTO_TEST_SUITE(text_headers)

BOOST_AUTO_TEST_CASE(appended_headers_are_found_and_travel_as_lines) {
    tofu::text_headers headers;
    BOOST_TEST(headers.empty());
    BOOST_TEST(appended(headers, "job", "17"));
    BOOST_TEST(appended(headers, "user", "ann"));
    BOOST_TEST(headers.wire() == "job:17\r\nuser:ann\r\n");
    BOOST_TEST(headers.size_bytes() == 18u);
    BOOST_TEST(headers.find("user") == "ann");
    BOOST_TEST(headers.contains("job"));
    BOOST_TEST(!headers.empty());
    headers.clear();
    BOOST_TEST(headers.empty());
    BOOST_TEST(!headers.contains("job"));
}

BOOST_AUTO_TEST_CASE(an_absent_header_is_told_from_an_empty_one) {
    tofu::text_headers headers;
    BOOST_TEST((headers.find("x").data() == nullptr));
    BOOST_TEST(appended(headers, "x", ""));
    BOOST_TEST((headers.find("x").data() != nullptr));
    BOOST_TEST(headers.find("x").empty());
    BOOST_TEST((headers.find("y").data() == nullptr));
    BOOST_TEST(tofu::text_header_range("last:").contains("last"));
}

BOOST_AUTO_TEST_CASE(names_are_compared_byte_by_byte) {
    const tofu::text_headers headers = headers_from("Name:1\r\nname :2\r\n");
    BOOST_TEST(!headers.contains("name"));
    BOOST_TEST(headers.find("name ") == "2");
    BOOST_TEST(!headers.contains(""));
}

BOOST_AUTO_TEST_CASE(the_first_of_equal_names_is_found) {
    BOOST_TEST(headers_from("a:1\r\nb:2\r\na:3\r\n").find("a") == "1");
}

BOOST_AUTO_TEST_CASE(reading_trims_blanks_around_the_value_only) {
    BOOST_TEST((read("n: \t a b\t \r\n") == pair_list{{"n", "a b"}}));
    BOOST_TEST((read(" n : v") == pair_list{{" n ", "v"}}));
    BOOST_TEST((read("n: \t \r\n") == pair_list{{"n", ""}}));
}

BOOST_AUTO_TEST_CASE(the_first_colon_splits) {
    BOOST_TEST((read("url:http://h:80/\r\n") == pair_list{{"url", "http://h:80/"}}));
    BOOST_TEST((read("n::v") == pair_list{{"n", ":v"}}));
}

BOOST_AUTO_TEST_CASE(a_last_line_without_its_end_is_a_header) {
    BOOST_TEST((read("a:1\r\nb:2") == pair_list{{"a", "1"}, {"b", "2"}}));
    BOOST_TEST((read("a:1\r\nb:2\r") == pair_list{{"a", "1"}, {"b", "2\r"}}));
}

BOOST_AUTO_TEST_CASE(lines_that_are_no_headers_are_skipped) {
    BOOST_TEST((read("\r\n\r\njunk\r\n:nameless\r\na:1\r\n:\r\nmore junk") == pair_list{{"a", "1"}}));
    BOOST_TEST(read("").empty());
    BOOST_TEST(read("\r\n").empty());
    BOOST_TEST(read(":").empty());
    BOOST_TEST(read("no colon").empty());
}

BOOST_AUTO_TEST_CASE(single_line_feeds_and_returns_do_not_end_a_line) {
    BOOST_TEST((read("a:1\nb:2\rc:3\r\nd:4") == pair_list{{"a", "1\nb:2\rc:3"}, {"d", "4"}}));
}

BOOST_AUTO_TEST_CASE(random_bytes_are_read_as_the_rule_says) {
    std::mt19937 random(20260503); // NOLINT: a fixed seed on purpose
    for (std::size_t round = 0; round < tofu_test::rounds(100'000); ++round) {
        const std::string wire = random_wire(random);
        const pair_list expected = read_by_the_book(wire);
        // A copy of exactly the right size, so that a sanitizer sees a step too far.
        const std::vector<char> exact(wire.begin(), wire.end());
        const std::string_view view(exact.data(), exact.size());
        BOOST_REQUIRE((read(view) == expected));
        for (const auto& [name, value] : expected) BOOST_REQUIRE(tofu::text_header_range(view).contains(name));
    }
}

BOOST_AUTO_TEST_CASE(an_iterator_keeps_its_place_while_a_copy_goes_on) {
    const tofu::text_headers headers = headers_from("a:1\r\na:1\r\nb:2\r\n");
    auto first = headers.begin();
    auto second = first++;
    BOOST_TEST((first != second)); // equal headers at different places
    BOOST_TEST((++second == first));
    BOOST_TEST(first->value == "1");
    ++first;
    BOOST_TEST(((*first).name == "b"));
    BOOST_TEST(second->name == "a");
    BOOST_TEST((++first == headers.end()));
    BOOST_TEST(std::distance(headers.begin(), headers.end()) == 3);
}

BOOST_AUTO_TEST_CASE(an_empty_name_and_characters_that_would_break_the_lines_are_refused) {
    tofu::text_headers headers;
    BOOST_TEST(appended(headers, "kept", "yes"));
    for (const std::string_view name : {""sv, "a:b"sv, ":"sv, "a\rb"sv, "a\n"sv, "\r\na"sv, "a\0b"sv}) {
        BOOST_TEST((headers.append(name, "v") == tofu::status::invalid_message));
        BOOST_TEST((headers.set(name, "v") == tofu::status::invalid_message));
    }
    for (const std::string_view value : {"a\r\nb:c"sv, "\r"sv, "\n"sv, "a\0b"sv, "\0"sv}) {
        BOOST_TEST((headers.append("n", value) == tofu::status::invalid_message));
        BOOST_TEST((headers.set("n", value) == tofu::status::invalid_message));
        BOOST_TEST((headers.set("kept", value) == tofu::status::invalid_message));
    }
    BOOST_TEST(headers.wire() == "kept:yes\r\n");
}

BOOST_AUTO_TEST_CASE(every_other_byte_may_be_written_and_comes_back) {
    for (unsigned byte = 1; byte < 256; ++byte) {
        const auto character = static_cast<char>(byte);
        if (character == '\r' || character == '\n') continue;
        const std::string text = std::string("x") + character + "y";
        tofu::text_headers headers;
        BOOST_TEST((headers.append(text, "v") == tofu::status::success) == (character != ':'));
        BOOST_TEST(appended(headers, "name", text));
        BOOST_TEST(headers.find("name") == text);
    }
}

BOOST_AUTO_TEST_CASE(exactly_65535_bytes_fit_and_not_one_more) {
    tofu::text_headers headers;
    BOOST_TEST((headers.append("n", std::string(65'532, 'v')) == tofu::status::invalid_headers_len));
    BOOST_TEST((headers.append(std::string(70'000, 'n'), "") == tofu::status::invalid_headers_len));
    BOOST_TEST(headers.empty());
    BOOST_TEST(appended(headers, "n", std::string(65'531, 'v')));
    BOOST_TEST(headers.size_bytes() == 65'535u);
    BOOST_TEST((headers.append("m", "") == tofu::status::invalid_headers_len));
    BOOST_TEST((headers.set("m", "") == tofu::status::invalid_headers_len));
    BOOST_TEST((headers.set("n", std::string(65'532, 'w')) == tofu::status::invalid_headers_len));
    BOOST_TEST(headers.find("n") == std::string(65'531, 'v'));
    BOOST_TEST(was_set(headers, "n", std::string(65'531, 'w')));
    BOOST_TEST(headers.size_bytes() == 65'535u);
}

BOOST_AUTO_TEST_CASE(the_missing_end_of_a_foreign_last_line_counts_in_the_limit) {
    tofu::text_headers headers = headers_from("a:" + std::string(65'535 - 2 - 5, 'x'));
    BOOST_TEST((headers.append("b", "1") == tofu::status::invalid_headers_len));
    headers = headers_from("a:" + std::string(65'535 - 2 - 7, 'x'));
    BOOST_TEST(appended(headers, "b", "1"));
    BOOST_TEST(headers.size_bytes() == 65'535u);
    BOOST_TEST(headers.find("b") == "1");
}

BOOST_AUTO_TEST_CASE(a_header_appended_to_an_unended_line_does_not_become_part_of_it) {
    tofu::text_headers headers = headers_from("a:1");
    BOOST_TEST(appended(headers, "b", "2"));
    BOOST_TEST(headers.wire() == "a:1\r\nb:2\r\n");
    headers = headers_from("a:1\r");
    BOOST_TEST(appended(headers, "b", "2"));
    BOOST_TEST((listed(headers) == pair_list{{"a", "1\r"}, {"b", "2"}}));
}

BOOST_AUTO_TEST_CASE(set_replaces_the_first_removes_the_others_and_keeps_the_rest) {
    tofu::text_headers headers = headers_from("a:1\r\nx:old\r\njunk\r\nb:2\r\nx:older\r\nx:oldest");
    BOOST_TEST(was_set(headers, "x", "brand new"));
    BOOST_TEST(headers.wire() == "a:1\r\nx:brand new\r\njunk\r\nb:2\r\n");
    BOOST_TEST(was_set(headers, "x", ""));
    BOOST_TEST(headers.wire() == "a:1\r\nx:\r\njunk\r\nb:2\r\n");
}

BOOST_AUTO_TEST_CASE(set_appends_what_is_absent) {
    tofu::text_headers headers = headers_from("a:1");
    BOOST_TEST(was_set(headers, "x", "new"));
    BOOST_TEST(headers.wire() == "a:1\r\nx:new\r\n");
}

BOOST_AUTO_TEST_CASE(erase_removes_every_header_of_the_name_and_nothing_else) {
    tofu::text_headers headers = headers_from("x:0\r\na:1\r\nx:2\r\njunk\r\nx:3\r\nb:4\r\nx:5");
    headers.erase("x");
    BOOST_TEST(headers.wire() == "a:1\r\njunk\r\nb:4\r\n");
    headers.erase("absent");
    headers.erase("");
    BOOST_TEST(headers.wire() == "a:1\r\njunk\r\nb:4\r\n");
    headers.erase("b");
    headers.erase("a");
    BOOST_TEST(headers.wire() == "junk\r\n");
}

BOOST_AUTO_TEST_CASE(erase_last_removes_the_last_header_of_that_name_and_value_and_no_other) {
    tofu::text_headers headers = headers_from("a:1\r\nb:1\r\na: 1 \r\na:2\r\n");
    BOOST_TEST(!headers.erase_last("a", "3"));
    BOOST_TEST(!headers.erase_last("c", "1"));
    BOOST_TEST(!headers.erase_last("", ""));
    BOOST_TEST(headers.erase_last("a", "1"));
    BOOST_TEST(headers.wire() == "a:1\r\nb:1\r\na:2\r\n");
    BOOST_TEST(headers.erase_last("a", "1"));
    BOOST_TEST(headers.wire() == "b:1\r\na:2\r\n");
    BOOST_TEST(!headers.erase_last("a", "1"));
    BOOST_TEST(headers.erase_last("a", "2"));
    BOOST_TEST(headers.erase_last("b", "1"));
    BOOST_TEST(headers.empty());
    BOOST_TEST(!headers.erase_last("b", "1"));
    BOOST_REQUIRE(headers.assign_wire("a:1\r\nb:2")); // the last line has no end
    BOOST_TEST(headers.erase_last("b", "2"));
    BOOST_TEST(headers.wire() == "a:1\r\n");
}

BOOST_AUTO_TEST_CASE(without_memory_a_change_leaves_all_as_it_was) {
    const std::string wire = "a:1\r\nb:2\r\na:3\r\n";
    const std::string longer(100, 'L');
    tofu::text_headers headers = headers_from(wire);
    const auto unchanged = [&](tofu::status why) {
        BOOST_TEST((why == tofu::status::allocation_failed));
        BOOST_TEST(headers.wire() == wire);
    };
    {
        const tofu_test::scarce_memory scarce(0);
        unchanged(headers.append("c", longer));
        unchanged(headers.set("a", "shorter needs memory, too"));
        unchanged(headers.set("c", longer));
        BOOST_TEST(!headers.assign_wire(longer));
        BOOST_TEST(headers.wire() == wire);
    }
    BOOST_TEST(was_set(headers, "a", longer));
    BOOST_TEST(headers.wire() == "a:" + longer + "\r\nb:2\r\n");
}

BOOST_AUTO_TEST_CASE(names_and_values_may_be_views_into_the_headers_themselves) {
    tofu::text_headers headers = headers_from("first:" + std::string(50, 'v') + "\r\n");
    for (int round = 0; round < 8; ++round) { // through a growth of the memory and without one
        const std::string name = "copy" + std::to_string(round);
        BOOST_TEST(appended(headers, name, headers.find("first")));
        BOOST_TEST(headers.find(name) == std::string(50, 'v'));
    }
    BOOST_TEST(was_set(headers, headers.begin()->name, headers.find("copy3").substr(0, 7)));
    BOOST_TEST(headers.find("first") == "vvvvvvv");

    headers = headers_from("ab:1\r\ncd:2\r\nab:3\r\ncd:4\r\nef:5\r\n");
    headers.erase(headers.begin()->name);
    BOOST_TEST(headers.wire() == "cd:2\r\ncd:4\r\nef:5\r\n");
    headers.erase(std::next(headers.begin())->name);
    BOOST_TEST(headers.wire() == "ef:5\r\n");

    headers = headers_from("ab:1\r\ncd:2\r\nab:3\r\ncd:4\r\nab:5\r\n");
    headers.erase(std::next(headers.begin(), 2)->name); // its line is overwritten on the way
    BOOST_TEST(headers.wire() == "cd:2\r\ncd:4\r\n");
}

BOOST_AUTO_TEST_CASE(a_long_random_history_agrees_with_a_list) {
    constexpr std::array names{"a"sv, "b"sv, "cc"sv, "~reason"sv};
    std::mt19937 random(20260504); // NOLINT: a fixed seed on purpose
    tofu::text_headers headers;
    pair_list model;
    const auto is = [](std::string_view name) { return [name](const auto& pair) { return pair.first == name; }; };
    for (std::size_t step = 0; step < tofu_test::rounds(20'000); ++step) {
        const std::string name(names[random() % names.size()]);
        const std::string value(random() % 20, static_cast<char>('a' + random() % 26));
        const auto found = std::find_if(model.begin(), model.end(), is(name));
        switch (random() % 4) {
        case 0:
        case 1:
            BOOST_REQUIRE(appended(headers, name, value));
            model.emplace_back(name, value);
            break;
        case 2:
            BOOST_REQUIRE(was_set(headers, name, value));
            if (found == model.end()) {
                model.emplace_back(name, value);
            } else {
                found->second = value;
                model.erase(std::remove_if(std::next(found), model.end(), is(name)), model.end());
            }
            break;
        default:
            headers.erase(name);
            model.erase(std::remove_if(model.begin(), model.end(), is(name)), model.end());
            break;
        }
        BOOST_REQUIRE((listed(headers) == model));
    }
}

BOOST_AUTO_TEST_CASE(foreign_bytes_survive_changes_of_other_headers) {
    std::mt19937 random(20260505); // NOLINT: a fixed seed on purpose
    for (std::size_t round = 0; round < tofu_test::rounds(20'000); ++round) {
        tofu::text_headers headers = headers_from(random_wire(random));
        const pair_list before = listed(headers);
        BOOST_REQUIRE(was_set(headers, "mine", "1"));
        BOOST_REQUIRE(was_set(headers, "mine", "22"));
        BOOST_REQUIRE(headers.find("mine") == "22");
        headers.erase("mine");
        BOOST_REQUIRE((listed(headers) == before));
    }
}

BOOST_AUTO_TEST_CASE(any_wire_up_to_the_limit_is_taken_as_it_is) {
    tofu::text_headers headers;
    const std::string largest(65'535, '\0');
    BOOST_TEST(headers.assign_wire(largest));
    BOOST_TEST((headers.wire() == largest));
    BOOST_TEST(!headers.assign_wire(std::string(65'536, 'x')));
    BOOST_TEST((headers.wire() == largest));
    BOOST_TEST(headers.assign_wire(""));
    BOOST_TEST(headers.empty());
    BOOST_TEST(headers.assign_wire("a:1"));
    BOOST_TEST(headers.wire() == "a:1");
}

BOOST_AUTO_TEST_CASE(what_is_read_into_the_buffer_is_what_the_headers_are) {
    tofu::text_headers headers;
    BOOST_REQUIRE(headers.buffer().append("n: v\r\n"));
    BOOST_TEST(headers.find("n") == "v");
    BOOST_TEST(std::as_const(headers).buffer().size() == 6u);
}

BOOST_AUTO_TEST_CASE(headers_of_a_zig_program_are_read_and_written_alike) {
    const auto recorded = tofu_test::recording_named("zig_conversation").lines;
    constexpr std::string_view address = "tcp|127.0.0.1|17111";
    tofu::text_headers headers;
    BOOST_TEST(appended(headers, "~connect_to", address));
    BOOST_TEST(headers.wire() == recorded[0].text_headers);
    BOOST_TEST(tofu::text_header_range(recorded[0].text_headers).find("~connect_to") == address);
    BOOST_TEST((read(recorded[2].text_headers) == pair_list{{"seq", "1"}}));
}

BOOST_AUTO_TEST_SUITE_END()
