// SPDX-License-Identifier: BSL-1.0
// The atomic state of one channel number, and the rules of what may be posted there.
#ifndef TOFU_ENGINE_CHANNEL_CHANNEL_WORD_HPP
#define TOFU_ENGINE_CHANNEL_CHANNEL_WORD_HPP

#include <tofu/binary_header.hpp>
#include <tofu/config.hpp>
#include <tofu/status.hpp>

#include <cstdint>

/// Bits 0-15 posts in flight, 16-31 group, 32-51 generation, 52-63 flags. One word holds everything that `post` needs
/// to accept or refuse a message. So if a post and a close meet, exactly one of them comes first.
namespace tofu::inline TOFU_ABI::engine::channel_word {

inline constexpr std::uint64_t one_post = 1;
inline constexpr std::uint32_t generation_mask = 0xFFFFF;
inline constexpr std::uint32_t any_generation = 0xFFFFFFFF; ///< for a message that was not received

inline constexpr std::uint64_t live = std::uint64_t{1} << 52;          ///< the number is in use
inline constexpr std::uint64_t closed = std::uint64_t{1} << 53;        ///< post refuses, and the goodbye follows
inline constexpr std::uint64_t listener = std::uint64_t{1} << 54;      ///< only a bye_signal may be posted
inline constexpr std::uint64_t accepting = std::uint64_t{1} << 55;     ///< the side that received the hello_request
inline constexpr std::uint64_t hello_claimed = std::uint64_t{1} << 56; ///< a hello_response is being posted, or was
inline constexpr std::uint64_t hello_posted = std::uint64_t{1}
                                              << 57; ///< the hello_response is in the inbox, or implicit_hello applied
inline constexpr std::uint64_t bye_asked = std::uint64_t{1} << 58;  ///< the peer's bye_request was received
inline constexpr std::uint64_t bye_posted = std::uint64_t{1} << 59; ///< our own bye_request or bye_response was posted
inline constexpr std::uint64_t posting_over = std::uint64_t{1}
                                              << 60; ///< the application has reached the end of a half-closed peer
inline constexpr std::uint64_t unannounced = std::uint64_t{1} << 61;  ///< the application does not know the number yet
inline constexpr std::uint64_t bye_answered = std::uint64_t{1} << 62; ///< our bye_response was posted, or consumed
inline constexpr std::uint64_t implicit_hello = std::uint64_t{1} << 63; ///< see options::implicit_hello

constexpr std::uint64_t make(std::uint16_t group, std::uint32_t generation, std::uint64_t flags,
                             bool posting) noexcept {
    return flags | (std::uint64_t{generation & generation_mask} << 32) | (std::uint64_t{group} << 16) |
           (posting ? one_post : 0);
}
constexpr std::uint64_t posts(std::uint64_t word) noexcept { return word & 0xFFFF; }
constexpr std::uint16_t group(std::uint64_t word) noexcept { return static_cast<std::uint16_t>(word >> 16); }
constexpr std::uint32_t generation(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word >> 32) & generation_mask;
}

/// The decision of `post`: refuse with `result`, or accept and set the flags `set`.
struct verdict {
    status result;
    std::uint64_t set;
    bool consumed = false; ///< accepted and discarded: the loop gets nothing
};

/// True: the bye_requests crossed, and no bye_response was posted yet. Programs answer every bye_request, so `post`
/// accepts this one bye_response and discards it, until the application has received the goodbye.
constexpr bool consumes_answer(std::uint64_t word, std::uint16_t asking, std::uint32_t bound) noexcept {
    return (word & (live | unannounced | bye_asked | bye_posted | bye_answered)) == (live | bye_asked | bye_posted) &&
           (bound == any_generation || bound == generation(word)) && group(word) == asking;
}

/// Decides whether an operation may be posted on an open connection. The flags of the word tell what was posted and
/// received before.
constexpr verdict check_operation(std::uint64_t word, op_code op) noexcept {
    constexpr verdict refused{status::not_allowed, 0};
    const auto is = [word](std::uint64_t flag) { return (word & flag) != 0; };
    if (op == op_code::bye_signal) return {status::success, 0}; // works in every state, on listeners too
    if (is(posting_over)) return {status::invalid_channel_number, 0};
    if (is(listener) || is(bye_posted)) return refused;
    switch (op) {
    case op_code::hello_response:
        return is(accepting) && !is(hello_claimed) ? verdict{status::success, hello_claimed} : refused;
    case op_code::bye_request: return {status::success, bye_posted};
    case op_code::bye_response:
        if (!is(bye_asked)) return refused; // no bye_request was received
        // Before its own hello_response, the accepting side may refuse only with a bye_request.
        return is(accepting) && !is(hello_posted) ? refused : verdict{status::success, bye_posted | bye_answered};
    default: // a regular message
        if (!is(accepting) || is(hello_posted)) return {status::success, 0};
        return is(implicit_hello) ? verdict{status::success, hello_posted} : refused;
    }
}

constexpr verdict judge(std::uint64_t word, std::uint16_t asking, std::uint32_t bound, op_code op) noexcept {
    if (op == op_code::bye_response && consumes_answer(word, asking, bound))
        return {status::success, bye_answered, true};
    // The application does not know this number; a guess is refused.
    if ((word & (live | closed | unannounced)) != live) return {status::invalid_channel_number, 0};
    if (bound != any_generation && bound != generation(word)) return {status::invalid_channel_number, 0};
    if (group(word) != asking) return {status::invalid_channel_group, 0};
    if (posts(word) == 0xFFFF) return {status::processing_failed, 0}; // 65,535 threads inside post at once
    return check_operation(word, op);
}

} // namespace tofu::inline TOFU_ABI::engine::channel_word

#endif
