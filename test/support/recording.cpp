// SPDX-License-Identifier: BSL-1.0
// Reads recordings. The headers are decoded here a second time, so that tests can compare the library's decoder with
// another one.
#include "recording.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <sstream>

namespace tofu_test {

namespace {

using bytes = std::vector<std::byte>;
using kind = recorded_line::kind;

constexpr std::string_view digits = "0123456789abcdef";

bytes bytes_of(std::string_view hex_text) {
    if (hex_text == "-") return {};
    BOOST_REQUIRE_MESSAGE(hex_text.size() % 2 == 0 && hex_text.find_first_not_of(digits) == hex_text.npos,
                          "not hexadecimal: " << hex_text);
    bytes result;
    for (std::size_t i = 0; i < hex_text.size(); i += 2)
        result.push_back(static_cast<std::byte>(digits.find(hex_text[i]) * 16 + digits.find(hex_text[i + 1])));
    return result;
}

std::string text_of(const bytes& from) {
    std::string text;
    for (const std::byte one : from) text.push_back(static_cast<char>(one));
    return text;
}

tofu::binary_header header_of(const bytes& wire) {
    const auto number = [&](std::size_t first, std::size_t count) {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < count; ++i) value = value * 256 + std::to_integer<std::uint64_t>(wire[first + i]);
        return value;
    };
    const std::uint64_t proto = number(2, 1);
    return {.channel_number = static_cast<std::uint16_t>(number(0, 2)),
            .op = static_cast<tofu::op_code>(proto & 15U),
            .origin = (proto & 16U) != 0 ? tofu::origin::engine : tofu::origin::application,
            .more = (proto & 32U) != 0,
            .status_byte = static_cast<std::uint8_t>(number(3, 1)),
            .message_id = number(4, 8),
            .text_headers_length = static_cast<std::uint16_t>(number(12, 2)),
            .body_length = static_cast<std::uint16_t>(number(14, 2))};
}

/// bye_request and ByeRequest are the same operation.
std::string plain(std::string_view name) {
    std::string result;
    for (const char c : name)
        if (c != '_') result.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    return result;
}

party party_of(std::string_view name) {
    BOOST_REQUIRE_MESSAGE(name == "client" || name == "server", "not a party: " << name);
    return name == "client" ? party::client : party::server;
}

tofu::status status_of(std::string_view name) {
    for (unsigned code = 0; code <= static_cast<unsigned>(tofu::status::unknown_error); ++code)
        if (to_string(static_cast<tofu::status>(code)) == name) return static_cast<tofu::status>(code);
    BOOST_REQUIRE_MESSAGE(false, "not a status: " << name);
    return {};
}

/// FIELDS: direction, operation, binary header, text headers, body.
void read_message(recorded_line& line, const std::vector<std::string>& fields) {
    const bytes head = bytes_of(fields[2]);
    const bytes text = bytes_of(fields[3]);
    const bytes body = bytes_of(fields[4]);
    BOOST_REQUIRE(head.size() == tofu::binary_header::wire_size);
    line.header = header_of(head);
    line.text_headers = text_of(text);
    line.body = text_of(body);
    BOOST_REQUIRE(plain(to_string(line.header.op)) == plain(fields[1]));
    BOOST_REQUIRE(line.header.text_headers_length == text.size());
    BOOST_REQUIRE(line.header.body_length == body.size());
    for (const bytes* part : {&head, &text, &body}) line.wire.insert(line.wire.end(), part->begin(), part->end());
}

/// Reads a direction, such as client->server.
void read_direction(recorded_line& line, std::string_view direction) {
    constexpr std::size_t name = 6, arrow = 2;
    BOOST_REQUIRE(direction.size() == name + arrow + name);
    const std::string_view how = direction.substr(name, arrow);
    BOOST_REQUIRE((how == "->" || how == "~>" || how == "-|"));
    line.arrives = how != "-|";
    line.crosses = how == "~>";
    BOOST_REQUIRE((party_of(direction.substr(name + arrow)) != party_of(direction.substr(0, name))));
    line.who = party_of(direction.substr(0, name));
}

/// FIELDS: engine->SIDE, the engine's notice, and its arguments.
void read_news(recorded_line& line, const std::vector<std::string>& fields) {
    line.who = party_of(std::string_view(fields[0]).substr(std::string_view("engine->").size()));
    const bool is_goodbye = fields[1] == "Goodbye" && fields.size() == 3;
    const bool is_not_opened = fields[1] == "NotOpened" && fields.size() == 4;
    BOOST_REQUIRE((is_goodbye || is_not_opened || (fields[1] == "Refused" && fields.size() == 2)));
    line.what = is_goodbye ? kind::goodbye : is_not_opened ? kind::not_opened : kind::refused;
    if (is_not_opened) line.status = status_of(fields[2]);
    if (line.what != kind::refused) line.reason = fields.back();
}

recorded_line line_of(const std::string& text) {
    std::istringstream words(text);
    const std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
    recorded_line line;
    line.text = text;
    if (text.starts_with("engine->")) {
        read_news(line, fields);
        return line;
    }
    BOOST_REQUIRE(fields.size() == 5U);
    read_direction(line, fields[0]);
    if (fields[1] == "End" || fields[1] == "HalfClose")
        line.what = fields[1] == "End" ? kind::end : kind::half_close;
    else
        read_message(line, fields);
    return line;
}

} // namespace

bytes recording::stream_of(party who) const {
    bytes stream;
    for (const recorded_line& line : lines)
        if (line.who == who) stream.insert(stream.end(), line.wire.begin(), line.wire.end());
    return stream;
}

bool recording::ends_for(party who) const {
    return std::any_of(lines.begin(), lines.end(),
                       [&](const recorded_line& line) { return line.who == who && line.what >= kind::goodbye; });
}

recording recording_named(std::string_view name) {
    recording result{std::string(name), {}};
    for (const recording_file& file : recording_files()) {
        if (file.name != name) continue;
        std::istringstream text{std::string(file.text)};
        for (std::string line; std::getline(text, line);) {
            if (line.ends_with('\r')) line.pop_back(); // from a checkout for Windows
            if (line.empty() || line.starts_with('#')) continue;
            BOOST_TEST_CONTEXT(name << ".txt: " << line) { result.lines.push_back(line_of(line)); }
        }
    }
    BOOST_REQUIRE_MESSAGE(!result.lines.empty(), "no recording " << name);
    return result;
}

std::string hex(std::span<const std::byte> from) {
    std::string text;
    for (const std::byte one : from) {
        text.push_back(digits[std::to_integer<std::size_t>(one >> 4)]);
        text.push_back(digits[std::to_integer<std::size_t>(one & std::byte{15})]);
    }
    return text;
}

} // namespace tofu_test
