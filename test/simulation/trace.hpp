// SPDX-License-Identifier: BSL-1.0
// The log of one simulated run, and its digest: two runs with the same log have the same digest.
#ifndef TOFU_TEST_SIMULATION_TRACE_HPP
#define TOFU_TEST_SIMULATION_TRACE_HPP

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace tofu_simulation {

/// Text and whole numbers, nothing that differs between machines or runs: no address, no real time.
class trace {
public:
    explicit trace(bool keep) : keep_(keep) {}

    template <class... Parts>
    void line(const Parts&... parts) {
        line_.clear();
        (append(parts), ...);
        line_ += '\n';
        for (const char c : line_) digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 0x100000001B3; // FNV-1a
        if (keep_) text_ += line_;
    }

    [[nodiscard]] std::uint64_t digest() const { return digest_; }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    void append(std::string_view text) { line_ += text; }
    template <std::integral Number>
    void append(Number value) {
        if constexpr (std::same_as<Number, bool>) {
            line_ += value ? "yes" : "no";
            return;
        }
        char digits[24];
        line_.append(digits, std::to_chars(digits, digits + sizeof digits, +value).ptr);
    }

    bool keep_;
    std::string line_;
    std::string text_;
    std::uint64_t digest_ = 0xCBF29CE484222325;
};

/// A fault, found by the rule of this name.
struct violation {
    std::string rule;
    std::string text;
};

template <class... Parts>
[[noreturn]] void violated(std::string_view rule, const Parts&... parts) {
    trace words(true);
    words.line(parts...);
    std::string text = words.text();
    text.pop_back();
    throw violation{std::string(rule), std::move(text)};
}

} // namespace tofu_simulation

#endif
