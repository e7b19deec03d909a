// SPDX-License-Identifier: BSL-1.0
// Recorded conversations: the files of test/recordings, parsed into lines. README.md there explains the
// format.
#ifndef TOFU_TEST_SUPPORT_RECORDING_HPP
#define TOFU_TEST_SUPPORT_RECORDING_HPP

#include <tofu/binary_header.hpp>
#include <tofu/status.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tofu_test {

enum class party : std::uint8_t { client, server };

/// One line of a recording.
struct recorded_line {
    enum class kind : std::uint8_t {
        message,    ///< `who` sends it
        half_close, ///< `who` ends its direction early and still reads
        end,        ///< `who` ends its direction of the connection, after its last message
        goodbye,    ///< the program of `who` is told `reason`
        not_opened, ///< the hello_request of `who` comes back with `status` and `reason`
        refused     ///< the engine of `who` counts a refused connection; its program is not told
    };

    std::string text; ///< the line as it is in the file
    kind what = kind::message;
    party who = party::client;

    // Of a message.
    bool arrives = true;         ///< false: the other program never receives it; if `who` is tofu, it is not sent
    bool crosses = false;        ///< true: it is on its way when the next line is sent
    std::vector<std::byte> wire; ///< as it travels
    tofu::binary_header header;  ///< the first 16 bytes, decoded without the library
    std::string text_headers;    ///< as they travel
    std::string body;

    // Of goodbye and not_opened. Only not_opened has a status.
    tofu::status status = tofu::status::success;
    std::string reason;

    [[nodiscard]] bool is_message() const { return what == kind::message; }
};

struct recording {
    std::string name;
    std::vector<recorded_line> lines;

    /// Everything that one side sends, in one piece.
    [[nodiscard]] std::vector<std::byte> stream_of(party who) const;
    /// True when the recording says how the conversation ends for this side: then tofu can play this side.
    [[nodiscard]] bool ends_for(party who) const;
};

/// The recording of this file name without .txt. A file that is missing or malformed fails the test.
[[nodiscard]] recording recording_named(std::string_view name);

/// A recording's file, as it is compiled in.
struct recording_file {
    std::string_view name; ///< without .txt
    std::string_view text;
};
/// All of them.
[[nodiscard]] std::span<const recording_file> recording_files() noexcept;

/// Bytes in the hexadecimal digits of recordings. No bytes give an empty text.
[[nodiscard]] std::string hex(std::span<const std::byte> bytes);

} // namespace tofu_test

#endif
