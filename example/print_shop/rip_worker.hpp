// SPDX-License-Identifier: BSL-1.0
// The RIP worker: takes jobs page by page, spends some time on each page, and reports its progress.
#ifndef TOFU_EXAMPLE_PRINT_SHOP_RIP_WORKER_HPP
#define TOFU_EXAMPLE_PRINT_SHOP_RIP_WORKER_HPP

#include "../support.hpp"
#include "checksums.hpp"
#include "protocol.hpp"

#include <tofu/tofu.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace print_shop {

struct rip_task {
    tofu::address spool;
    std::string pdl;
    std::string name;
    std::chrono::nanoseconds time_per_page{};
    std::string fault; ///< to be injected: wrong_digest, lost_progress, or none
};

/// A job as far as it has arrived.
struct job_in_hand {
    std::uint64_t number = 0;
    std::uint32_t pages = 0;
    running_digest arrived;
    std::string problem; // the first
};

class rip_worker {
public:
    explicit rip_worker(const rip_task& what) : task_(what) {}

    //[worker_run
    /// Runs until the channel ends. True: both sides agreed to end it, and both say that the last job was done well.
    bool run() {
        connect();
        while (!gone_) take(group_.wait_receive());
        return outcome_ == tofu::status::success && verdict_ == tofu::status::success;
    }
    //]

private:
    void connect() {
        tofu::message_ptr hello = engine_.get();
        example::require(hello->connect_to(task_.spool), "connect_to");
        add_header(*hello, header::pdl, task_.pdl);
        add_header(*hello, header::worker, task_.name);
        channel_ = group_.post(std::move(hello)).channel_number;
    }

    //[worker_take
    void take(tofu::message_ptr m) {
        if (m->status() == tofu::status::receiver_update && m->header().channel_number == tofu::no_channel)
            return page_ripped(std::move(m));
        if (m->from_engine()) return take_notice(*m);
        switch (m->op()) {
        case tofu::op_code::hello_response: return welcomed(*m);
        case tofu::op_code::request: return take_part(std::move(m));
        case tofu::op_code::signal: return say_bye(); // the only one there is: NoMoreJobs
        case tofu::op_code::bye_response: verdict_ = m->status(); return;
        default: throw std::runtime_error(fmt::format("the spool sent a {}", to_string(m->op())));
        }
    }
    //]

    /// Ignores pool_empty: reading pauses because the spool is faster. Ignores messages that come back: the goodbye
    /// follows, and says why.
    void take_notice(const tofu::message& m) {
        const auto why = m.why();
        if (!why) return;
        const bool never_met = m.op() == tofu::op_code::hello_response;
        if (why->why != tofu::reason::bye)
            throw std::runtime_error((never_met ? "no way to the spool: " : "the spool is gone: ") +
                                     example::explain(m));
        gone_ = true;
    }

    void welcomed(const tofu::message& answer) {
        if (answer.status() == tofu::status::success) return;
        fmt::print(stderr, "rip_worker: sent away, {}\n", to_string(answer.status()));
        outcome_ = answer.status();
        say_bye();
    }

    //[worker_part
    /// Pages wait as the messages in which they came. They count against the receive credit. So when some pages wait,
    /// the engine stops reading, and in the end the spool's `post` refuses. No other flow control is needed.
    void take_part(tofu::message_ptr m) {
        if (m->headers().contains(header::job_ticket))
            begin_job(*m);
        else
            waiting_.push_back(std::move(m));
        rip_next();
    }

    /// Simulates work that takes time: the page comes back later, as a message of the worker to itself.
    void rip_next() {
        if (ripping_ || waiting_.empty()) return;
        tofu::message_ptr page = std::move(waiting_.front());
        waiting_.pop_front();
        check(*page);
        ripping_ = true;
        group_.update_receiver_after(task_.time_per_page, std::move(page));
    }

    /// The page becomes the Progress signal.
    void page_ripped(tofu::message_ptr m) {
        ripping_ = false;
        const bool last = !m->header().more;
        const progress now{job_.arrived.pages(), job_.pages};
        m->reset();
        m->header().op = tofu::op_code::signal;
        add_header(*m, header::progress, to_string(now));
        if (task_.fault != "lost_progress" || now.done != 2) send(std::move(m));
        if (last) answer_job();
        rip_next();
    }
    //]

    void begin_job(const tofu::message& ticket) {
        job_ = {};
        job_.number = ticket.header().message_id;
        job_.pages = parse_number<std::uint32_t>(ticket.headers().find(header::pages)).value_or(0);
        if (ticket.headers().find(header::pdl) != task_.pdl) object("a job in another language");
        if (!ticket.header().more) throw std::runtime_error("the spool sent a job without pages");
        announced_digest_ = ticket.headers().find(header::digest);
    }

    void check(const tofu::message& page) {
        job_.arrived.add(page.body().bytes());
        const std::string place = fmt::format("page {}", job_.arrived.pages());
        if (page.header().message_id != job_.number) object(place + ": of another job");
        if (parse_number<std::uint32_t>(page.headers().find(header::page)) != job_.arrived.pages())
            object(place + ": another page");
        if (page.headers().find(header::checksum) != checksum_of(page.body().bytes()))
            object(place + ": wrong checksum");
    }

    void object(std::string_view problem) {
        if (job_.problem.empty()) job_.problem = problem;
    }

    void answer_job() {
        if (job_.arrived.text() != announced_digest_) object("not the digest of the ticket");
        outcome_ = job_.problem.empty() ? tofu::status::success : tofu::status::processing_failed;
        tofu::message_ptr m = engine_.get();
        m->header().op = tofu::op_code::response;
        m->header().status_byte = static_cast<std::uint8_t>(outcome_);
        add_header(*m, header::pages, job_.arrived.pages());
        add_header(*m, header::bytes, job_.arrived.bytes());
        add_header(*m, header::digest, task_.fault == "wrong_digest" ? "0" : job_.arrived.text());
        add_header(*m, header::problem, job_.problem);
        send(std::move(m));
        fmt::print("job {}: {} pages, {}\n", job_.number, job_.arrived.pages(),
                   job_.problem.empty() ? "intact" : job_.problem);
    }

    void say_bye() {
        tofu::message_ptr m = engine_.get();
        m->header().op = tofu::op_code::bye_request;
        m->header().channel_number = channel_;
        m->header().status_byte = static_cast<std::uint8_t>(outcome_);
        post(std::move(m));
    }

    /// Posts a message about the present job.
    void send(tofu::message_ptr m) {
        m->header().channel_number = channel_;
        m->header().message_id = job_.number;
        post(std::move(m));
    }

    /// If the spool has left, `post` refuses, and the goodbye is in the queue.
    void post(tofu::message_ptr m) {
        std::error_code refused;
        group_.post(std::move(m), refused);
        if (refused && refused != tofu::status::invalid_channel_number) throw std::system_error(refused, "post");
    }

    rip_task task_;
    // This thread waits anyway, so it drives the engine. Sixteen received messages are enough to be always busy.
    tofu::reactor engine_{{.max_messages = 16}, tofu::driven_by::caller};
    tofu::channel_group group_ = engine_.create_group();
    std::uint16_t channel_ = tofu::no_channel;
    job_in_hand job_;
    std::string announced_digest_;
    std::deque<tofu::message_ptr> waiting_; // pages
    bool ripping_ = false;
    bool gone_ = false;
    tofu::status outcome_ = tofu::status::success;
    tofu::status verdict_ = tofu::status::success;
};

} // namespace print_shop

#endif
