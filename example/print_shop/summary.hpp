// SPDX-License-Identifier: BSL-1.0
// The table of jobs that the spool prints at its end.
#ifndef TOFU_EXAMPLE_PRINT_SHOP_SUMMARY_HPP
#define TOFU_EXAMPLE_PRINT_SHOP_SUMMARY_HPP

#include "job_board.hpp"
#include "protocol.hpp"

#include <fmt/format.h>

#include <chrono>
#include <iterator>
#include <string>
#include <string_view>

namespace print_shop {

[[nodiscard]] constexpr std::string_view to_string(job_state state) {
    switch (state) {
    case job_state::waiting: return "waiting";
    case job_state::printing: return "printing";
    case job_state::printed: return "intact";
    case job_state::failed: break;
    }
    return "FAILED";
}

/// One line for each job, under a heading.
[[nodiscard]] inline std::string summary_of(const job_board& board) {
    std::string text = fmt::format("{:>4}  {:<3}  {:>5}  {:>9}  {:<16}  {:>8}  {:>7}  {}\n", "job", "PDL", "pages",
                                   "bytes", "worker", "attempts", "time", "arrived");
    for (const job_record& record : board.jobs()) {
        const print_job& job = record.job;
        const std::chrono::duration<double> time = record.time_taken;
        fmt::format_to(std::back_inserter(text), "{:>4}  {:<3}  {:>5}  {:>9}  {:<16}  {:>8}  {:>5.1f} s  {}\n",
                       job.number(), to_string(job.pdl()), job.pages(), job.bytes(), record.worker, record.attempts,
                       time.count(), to_string(record.state));
    }
    return text;
}

} // namespace print_shop

#endif
