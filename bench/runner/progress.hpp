// SPDX-License-Identifier: BSL-1.0
// Says what runs just now and how long the rest will take: on a terminal in one line, elsewhere once a round.
#ifndef TOFU_BENCH_RUNNER_PROGRESS_HPP
#define TOFU_BENCH_RUNNER_PROGRESS_HPP

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <iostream>
#include <string>

namespace bench {

class progress {
public:
    explicit progress(std::size_t runs) : runs_(runs) {}

    void begin_round(const std::string& name) {
        round_ = name;
        if (!terminal_) std::cerr << name << rest() << std::endl;
    }

    void begin_run(const std::string& name) {
        if (terminal_) std::cerr << "\r\033[K" << round_ << ": " << name << rest() << std::flush;
        ++done_;
    }

    /// Before anything else is printed.
    void clear() const {
        if (terminal_) std::cerr << "\r\033[K" << std::flush;
    }

private:
    using clock = std::chrono::steady_clock;

    /// Empty until there is something to judge by.
    [[nodiscard]] std::string rest() const {
        if (done_ == 0) return "";
        const std::chrono::duration<double> so_far = clock::now() - started_;
        const double left = so_far.count() / static_cast<double>(done_) * static_cast<double>(runs_ - done_);
        return ", about " + std::to_string(static_cast<long>(left + 1)) + " s left";
    }

    std::size_t runs_;
    std::size_t done_ = 0;
    clock::time_point started_ = clock::now();
    bool terminal_ = ::isatty(STDERR_FILENO) == 1;
    std::string round_;
};

} // namespace bench

#endif
