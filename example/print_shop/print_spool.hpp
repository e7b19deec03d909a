// SPDX-License-Identifier: BSL-1.0
// The spool: listens, hands jobs to the workers that speak their language, and watches over them until all are printed.
#ifndef TOFU_EXAMPLE_PRINT_SHOP_PRINT_SPOOL_HPP
#define TOFU_EXAMPLE_PRINT_SHOP_PRINT_SPOOL_HPP

#include "../support.hpp"
#include "alarm_clock.hpp"
#include "job_board.hpp"
#include "progress_display.hpp"
#include "protocol.hpp"
#include "worker_link.hpp"

#include <tofu/platform/unix_sockets.hpp>
#include <tofu/tofu.hpp>

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace print_shop {

struct spool_settings {
    std::vector<tofu::address> addresses;
    std::chrono::milliseconds patience{30'000}; ///< with a silent worker, and until a worker for a job's language comes
    page_to_corrupt fault;
};

class print_spool {
public:
    print_spool(spool_settings settings, job_board& board, progress_display& display)
        : settings_(std::move(settings)), board_(board), display_(display) {}

    //[run
    /// Runs until every job is printed or has failed, and every worker has left. Every event is a message: from a
    /// worker, from the engine, or from an alarm.
    void run() {
        for (const tofu::address& where : settings_.addresses) listen_on(where);
        if (listeners_.empty()) throw std::runtime_error("no address to listen on");
        distribute();
        while (!board_.all_settled() || !workers_.empty()) take(group_.wait_receive());
    }
    //]

    [[nodiscard]] std::uint64_t refusals() const { return refusals_; }
    [[nodiscard]] std::uint64_t came_back() const { return came_back_; }

private:
    /// Some versions of Windows have no Unix domain sockets. Workers then come by the other addresses.
    void listen_on(const tofu::address& where) {
        if (where.kind() == tofu::address_kind::uds && !tofu::platform::has_unix_sockets())
            return display_.say(fmt::format("not listening on {}: no Unix domain sockets here", to_text(where).view()));
        tofu::message_ptr m = engine_.get();
        example::require(m->listen_on(where), "listen_on");
        listeners_.emplace(group_.post(std::move(m)).channel_number, where);
    }

    //[take
    void take(tofu::message_ptr m) {
        if (m->status() == tofu::status::receiver_update && m->header().channel_number == tofu::no_channel)
            return take_alarm(*m);
        if (m->from_engine()) return take_notice(*m);
        if (m->op() == tofu::op_code::hello_request) return welcome(std::move(m));
        worker_link* const worker = find(m->header().channel_number);
        if (m->op() == tofu::op_code::bye_request) return say_farewell(std::move(m), worker);
        if (worker == nullptr || worker->is_cut_off) return; // it was refused or cut off, but still sends
        if (m->op() == tofu::op_code::signal && worker->take_progress(*m)) return page_ripped(*worker);
        if (m->op() == tofu::op_code::response && worker->may_answer(*m)) return job_answered(*worker, *m);
        cut_off(*worker, "does not keep to the protocol");
    }
    //]

    //[notice
    /// Handles a message of the engine: a listener is ready or not, a worker is gone, or an unsent message comes back
    /// because its worker is gone.
    void take_notice(const tofu::message& m) {
        const std::uint16_t channel = m.header().channel_number;
        const auto listener = listeners_.find(channel);
        if (listener != listeners_.end()) return take_listener_news(listener->second, m);
        if (m.why()) return goodbye(channel, m);
        worker_link* const worker = find(channel);
        if (worker != nullptr && m.op() == tofu::op_code::request) ++worker->came_back; // can be made again
    }
    //]

    void take_listener_news(const tofu::address& asked_for, const tofu::message& m) {
        if (m.status() != tofu::status::success)
            throw std::runtime_error(fmt::format("{}: {}", to_text(asked_for).view(), example::explain(m)));
        display_.say(fmt::format("listening on {}", m.headers().find(tofu::listen_on_header)));
    }

    void welcome(tofu::message_ptr hello) {
        const std::uint16_t channel = hello->header().channel_number;
        const std::string_view speaks = hello->headers().find(header::pdl);
        const std::optional<language> pdl = parse_language(speaks);
        std::string name = printable(hello->headers().find(header::worker), longest_name);
        if (name.empty()) name = fmt::format("{}", ++unnamed_);
        const std::string way = printable(hello->headers().find(tofu::connect_to_header), 120);
        if (pdl)
            display_.say(fmt::format("worker {}: speaks {}, came by {}", name, to_string(*pdl), way));
        else
            display_.say(fmt::format("worker {}: speaks {}, sent away", name, printable(speaks, longest_name)));
        hello->headers().clear();
        hello->header().op = tofu::op_code::hello_response;
        set_status(*hello, pdl ? tofu::status::success : tofu::status::not_allowed);
        if (!post(std::move(hello)) || !pdl) return;
        workers_.try_emplace(channel, engine_, group_, channel, *pdl, std::move(name), settings_.fault);
        distribute();
    }

    void page_ripped(worker_link& worker) {
        const job_record& record = *worker.job();
        clock_.set(worker.stands_still, settings_.patience);
        show(worker, record);
        worker.feed();
    }

    /// The worker says that its job is done. Compares its report with the job that was sent.
    void job_answered(worker_link& worker, const tofu::message& answer) {
        const std::optional<std::string> problem = worker.problem_with(answer);
        worker.verdict = problem ? tofu::status::processing_failed : tofu::status::success;
        alarm_clock::put_off(worker.stands_still);
        job_record& record = take_back_job(worker);
        if (problem) {
            failed_attempt(record, fmt::format("worker {} failed ({})", worker.name(), *problem));
        } else {
            board_.printed(record);
            pages_printed_ += record.job.pages();
            display_.say(fmt::format("job {}: {} pages, {} bytes intact at worker {}", record.job.number(),
                                     record.job.pages(), record.job.bytes(), worker.name()));
        }
        distribute();
    }

    job_record& take_back_job(worker_link& worker) {
        display_.remove(worker.job()->job.number());
        return worker.end();
    }

    void failed_attempt(job_record& record, const std::string& why) {
        const bool again = board_.try_again(record);
        display_.say(fmt::format("job {}: {}, {}", record.job.number(), why, again ? "requeued" : "given up"));
    }

    //[goodbye
    /// Handles the last message of a channel. If the worker had a job, this attempt has failed.
    void goodbye(std::uint16_t channel, const tofu::message& m) {
        const auto at = workers_.find(channel);
        if (at == workers_.end()) return; // a worker that was refused
        worker_link& worker = at->second;
        const std::string_view reason = m.headers().find(tofu::reason_header);
        if (worker.job() != nullptr)
            failed_attempt(take_back_job(worker), fmt::format("worker {} lost ({})", worker.name(), reason));
        else
            display_.say(fmt::format("worker {}: gone ({})", worker.name(), reason));
        refusals_ += worker.refusals;
        came_back_ += worker.came_back;
        workers_.erase(at);
        distribute();
    }
    //]

    void say_farewell(tofu::message_ptr m, worker_link* worker) {
        m->header().op = tofu::op_code::bye_response;
        if (worker != nullptr) {
            set_status(*m, worker->verdict);
            worker->dismissed = true;
        }
        post(std::move(m));
    }

    void cut_off(worker_link& worker, std::string_view why) {
        display_.say(fmt::format("worker {}: {}, cut off", worker.name(), why));
        worker.cut_off(); // goodbye() does the rest
    }

    //[distribute
    /// Gives every idle worker a job in its language. If no job is left at all, dismisses the worker.
    void distribute() {
        display_.set_total(total());
        const bool done = board_.all_settled();
        for (auto& [channel, worker] : workers_) {
            if (worker.job() != nullptr || worker.dismissed) continue;
            if (job_record* const record = board_.take(worker.pdl(), worker.name()))
                begin(worker, *record);
            else if (done)
                dismiss(worker);
        }
        watch_languages();
    }
    //]

    void begin(worker_link& worker, job_record& record) {
        clock_.set(worker.stands_still, settings_.patience);
        display_.say(fmt::format("job {}: {} pages in {} for worker {}", record.job.number(), record.job.pages(),
                                 to_string(record.job.pdl()), worker.name()));
        worker.begin(record);
        show(worker, record);
    }

    void dismiss(worker_link& worker) {
        clock_.set(worker.stands_still, settings_.patience);
        worker.dismiss();
    }

    //[languages
    /// If jobs wait in a language that no worker speaks, waits for such a worker as long as `patience`.
    void watch_languages() {
        for (const language pdl : all_languages) {
            alarm& nobody_came = nobody_came_[static_cast<std::size_t>(pdl)];
            const bool hopeless = board_.any_waiting(pdl) && !anybody_speaks(pdl);
            if (hopeless && !nobody_came.is_set()) clock_.set(nobody_came, settings_.patience);
            if (!hopeless) alarm_clock::put_off(nobody_came);
        }
    }
    //]

    [[nodiscard]] bool anybody_speaks(language pdl) const {
        for (const auto& [channel, worker] : workers_) {
            if (worker.pdl() == pdl) return true;
        }
        return false;
    }

    void take_alarm(const tofu::message& m) {
        for (auto& [channel, worker] : workers_) {
            if (worker.stands_still.rings_in(m)) cut_off(worker, "says nothing any more");
        }
        for (const language pdl : all_languages) {
            if (nobody_came_[static_cast<std::size_t>(pdl)].rings_in(m)) give_up(pdl);
        }
    }

    void give_up(language pdl) {
        for (const job_record* record : board_.give_up(pdl))
            display_.say(fmt::format("job {}: no worker speaks {}, given up", record->job.number(), to_string(pdl)));
        distribute();
    }

    void show(const worker_link& worker, const job_record& record) {
        display_.set_total(total());
        display_.show(record.job.number(), fmt::format("job {}: worker {}", record.job.number(), worker.name()),
                      {worker.ripped(), record.job.pages()});
    }

    [[nodiscard]] std::string total() const {
        std::uint64_t pages = pages_printed_;
        for (const auto& [channel, worker] : workers_) pages += worker.ripped();
        return fmt::format("{} of {} jobs printed, {} pages, {} workers", board_.count(job_state::printed),
                           board_.jobs().size(), pages, workers_.size());
    }

    [[nodiscard]] worker_link* find(std::uint16_t channel) {
        const auto at = workers_.find(channel);
        return at == workers_.end() ? nullptr : &at->second;
    }

    static void set_status(tofu::message& m, tofu::status status) {
        m.header().status_byte = static_cast<std::uint8_t>(status);
    }

    /// False: the worker has left, and the goodbye is in the queue.
    bool post(tofu::message_ptr m) {
        std::error_code refused;
        group_.post(std::move(m), refused);
        return !refused;
    }

    static constexpr std::size_t longest_name = 16;

    // The queue for a slow worker is bounded: beyond 256 KiB, `post` refuses.
    static constexpr tofu::options limits{.max_queued_bytes = 256 * 1024, .keep_alive = true};

    spool_settings settings_;
    job_board& board_;
    progress_display& display_;
    tofu::reactor engine_{limits};
    tofu::channel_group group_ = engine_.create_group();
    alarm_clock clock_{engine_, group_};
    std::map<std::uint16_t, tofu::address> listeners_; // by channel number, like the workers
    std::map<std::uint16_t, worker_link> workers_;
    std::array<alarm, all_languages.size()> nobody_came_;
    std::uint64_t pages_printed_ = 0;
    std::uint64_t refusals_ = 0;
    std::uint64_t came_back_ = 0;
    unsigned unnamed_ = 0;
};

} // namespace print_shop

#endif
