// SPDX-License-Identifier: BSL-1.0
// Shows the jobs under way: a live bar for each on a terminal, plain lines elsewhere.
#ifndef TOFU_EXAMPLE_PRINT_SHOP_PROGRESS_DISPLAY_HPP
#define TOFU_EXAMPLE_PRINT_SHOP_PROGRESS_DISPLAY_HPP

#include "protocol.hpp"
#include "terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace print_shop {

/// Owns the lower end of the terminal: other output there would destroy the display. One thread.
class progress_display {
public:
    /// `log`, if there is one, gets plain lines in any case. The caller keeps the ownership of both streams.
    explicit progress_display(std::FILE* out, std::FILE* log = nullptr)
        : out_(out), log_(log), live_(is_terminal(out)) {}
    progress_display(const progress_display&) = delete;
    progress_display& operator=(const progress_display&) = delete;
    ~progress_display() { clear_bars(); }

    /// Prints a line that stays. On a terminal it scrolls away above the bars.
    void say(std::string_view line) {
        write_plain(log_, line);
        if (!live_) {
            write_plain(out_, line);
            return;
        }
        fmt::format_to(std::back_inserter(above_), "{}\n", line);
        draw();
    }

    /// Sets the line below the bars. It is shown on terminals only.
    void set_total(std::string text) { total_ = std::move(text); }

    /// Shows the progress of a job. The first call makes a bar. As plain lines, the log gets all of them, other outputs
    /// one per quarter of the job.
    void show(std::uint32_t job, std::string_view title, progress now) {
        if (now.done != 0) {
            const std::string line = fmt::format("{} {}", title, to_string(now));
            write_plain(log_, line);
            if (!live_ && is_quarter(now)) write_plain(out_, line);
        }
        if (!live_) return;
        bars_[job] = {std::string(title), now};
        if (std::chrono::steady_clock::now() - drawn_at_ >= between_pictures || now.done == 0) draw();
    }

    /// The job needs no bar any more.
    void remove(std::uint32_t job) { bars_.erase(job); }

    void clear_bars() {
        bars_.clear();
        total_.clear();
        if (live_) draw();
    }

private:
    struct bar {
        std::string title;
        progress now;
    };

    static constexpr std::chrono::milliseconds between_pictures{30}; // more can be drawn, but not seen
    static constexpr std::size_t narrowest_bar = 5;
    static constexpr std::size_t widest_bar = 50;

    static void write_plain(std::FILE* to, std::string_view line) {
        if (to == nullptr) return;
        fmt::print(to, "{}\n", line);
        std::fflush(to);
    }

    static bool is_quarter(progress now) { return now.done * 4 / now.of != (now.done - 1) * 4 / now.of; }

    /// Writes the whole picture at once, so that half a picture is never seen: moves back to the first bar, writes the
    /// lines that stay, then the bars.
    void draw() {
        std::string picture;
        if (drawn_lines_ != 0) picture = fmt::format("\x1b[{}F", drawn_lines_);
        picture += "\x1b[J";
        picture += std::exchange(above_, {});
        drawn_lines_ = 0;
        const terminal_size size = size_of_terminal(out_);
        const std::size_t most_lines = std::max<std::size_t>(size.rows, 3) - 2;
        std::size_t titles = 0;
        for (const auto& [job, shown] : bars_) titles = std::max(titles, shown.title.size());
        for (const auto& [job, shown] : bars_) {
            if (drawn_lines_ == most_lines) break;
            add_line(picture, text_of(shown, titles, size.columns - 1), size.columns);
        }
        if (!total_.empty()) add_line(picture, total_, size.columns);
        fmt::print(out_, "{}", picture);
        std::fflush(out_);
        drawn_at_ = std::chrono::steady_clock::now();
    }

    /// A line that reached the last column might take two rows, and the next picture would begin in the wrong one.
    void add_line(std::string& picture, std::string_view line, std::size_t columns) {
        fmt::format_to(std::back_inserter(picture), "{}\n", line.substr(0, columns - 1));
        ++drawn_lines_;
    }

    /// The title, the bar, and the figures at the right end; where there is no room for a bar, just the figures.
    static std::string text_of(const bar& shown, std::size_t title_width, std::size_t width) {
        const std::string figures = fmt::format(" {:>4}/{:<4}", shown.now.done, shown.now.of);
        const std::size_t taken = title_width + figures.size() + 3;
        if (taken + narrowest_bar > width) {
            const std::size_t room = width > figures.size() ? width - figures.size() : 0;
            return fmt::format("{:<{}.{}}{}", shown.title, room, room, figures);
        }
        const std::size_t length = std::min(width - taken, widest_bar);
        const std::size_t done = length * shown.now.done / shown.now.of;
        const std::string_view head = done == 0 || done == length ? "" : ">";
        return fmt::format("{:<{}} [{:=<{}}{:<{}}]{}", shown.title, title_width, "", done - head.size(), head,
                           length - done + head.size(), figures);
    }

    std::FILE* out_;
    std::FILE* log_;
    bool live_;
    std::map<std::uint32_t, bar> bars_;
    std::string total_;
    std::string above_; // lines that are to stay, since the last picture
    std::size_t drawn_lines_ = 0;
    std::chrono::steady_clock::time_point drawn_at_{};
};

} // namespace print_shop

#endif
