// SPDX-License-Identifier: BSL-1.0
// The spool's side of one connected worker: streams a job to the worker as fast as the worker takes it, and checks the
// answers.
#ifndef TOFU_EXAMPLE_PRINT_SHOP_WORKER_LINK_HPP
#define TOFU_EXAMPLE_PRINT_SHOP_WORKER_LINK_HPP

#include "alarm_clock.hpp"
#include "checksums.hpp"
#include "job_board.hpp"
#include "protocol.hpp"

#include <tofu/tofu.hpp>

#include <fmt/core.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace print_shop {

/// Fault injection: this page is damaged after its checksum was made.
struct page_to_corrupt {
    std::uint32_t job = 0;
    std::uint32_t page = 0;
};

class worker_link {
public:
    worker_link(tofu::reactor& engine, tofu::channel_group& group, std::uint16_t channel, language pdl,
                std::string name, page_to_corrupt fault)
        : engine_(engine), group_(group), fault_(fault), name_(std::move(name)), channel_(channel), pdl_(pdl) {}

    [[nodiscard]] std::uint16_t channel() const { return channel_; }
    [[nodiscard]] language pdl() const { return pdl_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] job_record* job() const { return record_; }
    [[nodiscard]] std::uint32_t ripped() const { return ripped_; }

    alarm stands_still;                           ///< rings when the worker is silent for too long
    tofu::status verdict = tofu::status::success; ///< how its last job ended
    std::uint64_t refusals = 0;                   ///< how often its send queue was full
    std::uint64_t came_back = 0;                  ///< parts of jobs that could not be sent
    bool dismissed = false;                       ///< it gets no more jobs
    bool is_cut_off = false;                      ///< its messages are ignored

    void begin(job_record& record) {
        record_ = &record;
        next_part_ = 0;
        feed();
    }

    /// Takes the job from the worker, because it is done or goes to another worker.
    job_record& end() {
        part_.reset();
        ripped_ = 0;
        return *std::exchange(record_, nullptr);
    }

    //[feed
    /// Posts parts of the job until all are posted, the send queue is full, or other workers get their turn. The call
    /// never waits. At least one page is on its way, and the Progress signal for it causes the next call.
    void feed() {
        for (unsigned posted = 0; posted < parts_per_turn && next_part_ <= record_->job.pages(); ++posted) {
            if (!part_) part_ = make_part(next_part_);
            std::error_code refused;
            group_.post(std::move(part_), refused);
            if (refused == tofu::status::send_failed) ++refusals; // the part stays here
            if (refused) return; // if not send_failed: the worker has left
            ++next_part_;
        }
    }
    //]

    /// Tells the worker that there are no more jobs. The worker answers with a bye.
    void dismiss() {
        dismissed = true;
        tofu::message_ptr m = message_of(tofu::op_code::signal);
        add_header(*m, header::no_more_jobs, "");
        post(std::move(m));
    }

    /// Ends the channel at once; its goodbye will come.
    void cut_off() {
        dismissed = is_cut_off = true;
        post(message_of(tofu::op_code::bye_signal));
    }

    /// False: the worker reports a page that it cannot have.
    [[nodiscard]] bool take_progress(const tofu::message& m) {
        const auto now = parse_progress(m.headers().find(header::progress));
        if (!is_about_job(m) || !now) return false;
        if (now->of != record_->job.pages() || now->done != ripped_ + 1 || now->done >= next_part_) return false;
        ripped_ = now->done;
        return true;
    }

    /// True: a response may come now, because the last part of the job was sent.
    [[nodiscard]] bool may_answer(const tofu::message& m) const {
        return is_about_job(m) && next_part_ > record_->job.pages();
    }

    /// Describes the error in the worker's answer. No value: every page of the job arrived intact.
    [[nodiscard]] std::optional<std::string> problem_with(const tofu::message& answer) const {
        const print_job& job = record_->job;
        const tofu::text_headers& said = answer.headers();
        if (answer.status() != tofu::status::success)
            return fmt::format("{}: {}", to_string(answer.status()), printable(said.find(header::problem), 60));
        if (ripped_ != job.pages()) return fmt::format("done, after page {} of {}", ripped_, job.pages());
        if (parse_number<std::uint32_t>(said.find(header::pages)) != job.pages()) return "another number of pages";
        if (parse_number<std::uint64_t>(said.find(header::bytes)) != job.bytes()) return "another number of bytes";
        if (said.find(header::digest) != job.digest()) return "another digest";
        return std::nullopt;
    }

private:
    /// After this many parts the other workers get their turn, even if this worker is fast.
    static constexpr unsigned parts_per_turn = 16;

    [[nodiscard]] bool is_about_job(const tofu::message& m) const {
        return record_ != nullptr && m.header().message_id == record_->job.number();
    }

    [[nodiscard]] tofu::message_ptr message_of(tofu::op_code op) const {
        tofu::message_ptr m = engine_.get();
        m->header().op = op;
        m->header().channel_number = channel_;
        return m;
    }

    /// If the worker has left, `post` refuses, and the goodbye is in the queue.
    void post(tofu::message_ptr m) {
        std::error_code refused;
        group_.post(std::move(m), refused);
    }

    //[parts
    /// Part 0 is the ticket, the others are the pages.
    [[nodiscard]] tofu::message_ptr make_part(std::uint32_t part) const {
        const print_job& job = record_->job;
        tofu::message_ptr m = message_of(tofu::op_code::request);
        m->header().message_id = job.number();
        m->header().more = part < job.pages();
        if (part == 0)
            write_ticket(*m, job);
        else
            write_page(*m, job, part);
        return m;
    }
    //]

    static void write_ticket(tofu::message& m, const print_job& job) {
        add_header(m, header::job_ticket, job.number());
        add_header(m, header::pdl, to_string(job.pdl()));
        add_header(m, header::pages, job.pages());
        add_header(m, header::bytes, job.bytes());
        add_header(m, header::digest, job.digest());
    }

    void write_page(tofu::message& m, const print_job& job, std::uint32_t page) const {
        job.make_page(page, m.body());
        add_header(m, header::page, page);
        add_header(m, header::checksum, checksum_of(m.body().bytes()));
        if (fault_.job == job.number() && fault_.page == page) m.body().bytes().back() ^= std::byte{1};
    }

    tofu::reactor& engine_;
    tofu::channel_group& group_;
    page_to_corrupt fault_;
    std::string name_;
    std::uint16_t channel_;
    language pdl_;
    job_record* record_ = nullptr;
    std::uint32_t next_part_ = 0;
    std::uint32_t ripped_ = 0;
    tofu::message_ptr part_; // the part that was refused, until there is room for it
};

} // namespace print_shop

#endif
