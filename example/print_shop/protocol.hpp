// SPDX-License-Identifier: BSL-1.0
// The protocol between the spool and its workers, and its words.
//
//   from     operation        status byte   text headers                            body   meaning
//   worker   hello_request    -             PDL, Worker                             -      I rip this language
//   spool    hello_response   not_allowed   -                                       -      nobody prints that here
//            or               success       -                                       -      welcome
//   spool    request, more    -             JobTicket, PDL, Pages, Bytes, Digest    -      a job begins
//   spool    request, more *  -             Page, Checksum                          page   * not on the last page
//   worker   signal           -             Progress: [N:M]                         -      page N of M is ripped
//   worker   response         outcome       Pages, Bytes, Digest, Problem           -      the job, as it arrived
//   spool    signal           -             NoMoreJobs                              -      please leave
//   worker   bye_request      last outcome  -                                       -      I leave
//   spool    bye_response     last verdict  -                                       -      farewell
//
// Every message about a job has the job's number as its message id. A job is one request in many parts, and is answered
// once, when its last part is there: with success, or with processing_failed and the first thing that was wrong. The
// status byte of the two byes says how the worker's last job ended, first as the worker, then as the spool sees it; so
// both know what the other thinks. A worker is given one job at a time, and may leave whenever it has none. A channel
// that ends in the middle of a job gives the job back: it goes to the next worker that speaks its language.
#ifndef TOFU_EXAMPLE_PRINT_SHOP_PROTOCOL_HPP
#define TOFU_EXAMPLE_PRINT_SHOP_PROTOCOL_HPP

#include <tofu/message.hpp>

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace print_shop {

namespace header {

inline constexpr std::string_view pdl = "PDL";
inline constexpr std::string_view worker = "Worker";
inline constexpr std::string_view job_ticket = "JobTicket";
inline constexpr std::string_view pages = "Pages";
inline constexpr std::string_view bytes = "Bytes";
inline constexpr std::string_view digest = "Digest";
inline constexpr std::string_view page = "Page";
inline constexpr std::string_view checksum = "Checksum";
inline constexpr std::string_view progress = "Progress";
inline constexpr std::string_view problem = "Problem";
inline constexpr std::string_view no_more_jobs = "NoMoreJobs";

} // namespace header

/// Page description languages.
enum class language : std::uint8_t { ps, pdf };

inline constexpr std::array<language, 2> all_languages{language::ps, language::pdf};

[[nodiscard]] constexpr std::string_view to_string(language pdl) { return pdl == language::ps ? "PS" : "PDF"; }

[[nodiscard]] constexpr std::optional<language> parse_language(std::string_view text) {
    for (const language pdl : all_languages) {
        if (text == to_string(pdl)) return pdl;
    }
    return std::nullopt;
}

/// Reads a number. No value: the text is not exactly one number.
template <class Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// "[N:M]": N of M pages are ripped.
struct progress {
    std::uint32_t done = 0;
    std::uint32_t of = 0;
};

[[nodiscard]] inline std::string to_string(const progress& p) { return fmt::format("[{}:{}]", p.done, p.of); }

[[nodiscard]] inline std::optional<progress> parse_progress(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || !text.starts_with('[') || !text.ends_with(']')) return std::nullopt;
    const auto done = parse_number<std::uint32_t>(text.substr(1, colon - 1));
    const auto of = parse_number<std::uint32_t>(text.substr(colon + 1, text.size() - colon - 2));
    if (!done || !of) return std::nullopt;
    return progress{*done, *of};
}

/// Adds a text header. With the headers of this program, that can only fail for lack of memory.
inline void add_header(tofu::message& m, std::string_view name, std::string_view value) {
    const tofu::status done = m.headers().append(name, value);
    if (done != tofu::status::success) tofu::throw_status(done, "text headers");
}

inline void add_header(tofu::message& m, std::string_view name, std::uint64_t value) {
    add_header(m, name, std::to_string(value));
}

/// Makes a peer's text safe to print, because a terminal obeys control characters from any source.
[[nodiscard]] inline std::string printable(std::string_view text, std::size_t longest) {
    std::string shown(text.substr(0, longest));
    for (char& character : shown) {
        if (character < ' ' || character > '~') character = '?';
    }
    return shown;
}

} // namespace print_shop

#endif
