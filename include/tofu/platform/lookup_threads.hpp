// SPDX-License-Identifier: BSL-1.0
// A few threads for calls that block: a queue of jobs, and threads that come with the first and go with the last.

#ifndef TOFU_PLATFORM_LOOKUP_THREADS_HPP
#define TOFU_PLATFORM_LOOKUP_THREADS_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/module.hpp>
#include <tofu/platform/network_session.hpp>
#include <tofu/platform/thread.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <new>

// Nobody joins these threads, so nobody may wait for them either: whoever gives them jobs can go while they are inside
// a call that takes half a minute. Therefore everything they touch is theirs as well: a job owns what it needs, and the
// queue is counted by its owner and by each thread that runs.
//
// A thread ends when it finds the queue empty, and says so under the same lock under which jobs come in. So a job that
// is in the queue has at least one thread that will come for it, and there is nothing to wake: no condition variable.
//
// The code of the threads and of the jobs must stay in memory, too, and dlclose(3) waits for no thread. So the modules
// with this code are held until the process ends: `Threads` holds the module with the thread's code, `add` the module
// with the job's code. The two can differ, because the dynamic linker merges equal functions of several modules. The
// linker would also merge a flag "already held", so each call asks the system.

namespace tofu::inline TOFU_ABI::platform {

/// One job, of whatever type. Its maker allocates it; `finish` gives it back.
struct lookup_job {
    lookup_job* next = nullptr;
    /// Does the job and deletes it. With an error the job is not done, the error is its result. Any thread, once.
    void (*finish)(lookup_job*, io_error refusal) noexcept = nullptr;
    /// False: the result would be in vain. Any thread, before finish; quick, it is called under the queue's lock.
    bool (*wanted)(const lookup_job&) noexcept = nullptr;
};

/// Jobs in the order in which they came.
class lookup_queue {
public:
    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    void push(lookup_job& job) noexcept {
        job.next = nullptr;
        *end_ = &job;
        end_ = &job.next;
        ++size_;
    }

    /// The oldest; null when there is none.
    [[nodiscard]] lookup_job* pop() noexcept {
        lookup_job* const job = first_;
        if (job != nullptr) {
            first_ = job->next;
            end_ = first_ == nullptr ? &first_ : end_;
            --size_;
        }
        return job;
    }

    lookup_queue() noexcept = default;
    lookup_queue(const lookup_queue&) = delete;
    lookup_queue& operator=(const lookup_queue&) = delete;

private:
    lookup_job* first_ = nullptr;
    lookup_job** end_ = &first_; // where the next one is to be noted
    std::size_t size_ = 0;
};

/// The queue and its threads. Its owner gets it from `make` and lets go of it with `drop`. `Threads` starts a thread
/// (see detached_threads). Each thread holds a `Session` while it runs (see network_session); one that cannot be had is
/// the result of every job the thread comes for.
template <class Threads = detached_threads, class Session = network_session>
class lookup_threads {
public:
    static constexpr const char* thread_name = "tofu-names";
    static constexpr std::size_t most_threads = 4;
    /// A queue that is shorter is not searched for jobs that are not wanted any more.
    static constexpr std::size_t always_kept = 64;

    /// Null: no memory.
    [[nodiscard]] static lookup_threads* make() noexcept { return new (std::nothrow) lookup_threads; }

    lookup_threads(const lookup_threads&) = delete;
    lookup_threads& operator=(const lookup_threads&) = delete;

    /// Has the job finished, sooner or later, by a thread; by the caller, with an error, when the system has no thread
    /// at all. Any thread. Amortised constant; never waits for a job. A plug-in that calls this stays loaded
    /// from then on; see hold_module.
    void add(lookup_job& job) noexcept {
        hold_module(reinterpret_cast<const void*>(job.finish));
        lookup_queue refused;
        const bool needs_thread = enqueue(job, refused);
        finish_all(refused, io_error{io_failure::aborted, 0});
        if (!needs_thread) {
            return;
        }
        users_.fetch_add(1, std::memory_order_relaxed); // the new thread's
        if (const io_error error = Threads::start(*this)) {
            give_up_thread(refused);
            drop(); // the owner still counts, this is not the last
            finish_all(refused, error);
        }
    }

    /// The owner lets go. Jobs that are waiting or under way are finished all the same.
    void drop() noexcept {
        if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            delete this;
        }
    }

    /// What each of the threads does: `Threads` calls it, nobody else. The last one to leave takes the queue with it.
    void run() noexcept {
        finish_waiting();
        drop();
    }

private:
    lookup_threads() noexcept = default;
    ~lookup_threads() = default;

    void finish_waiting() noexcept {
        Session session;
        const io_error refusal = session.open();
        while (lookup_job* const job = next_or_leave()) {
            job->finish(job, job->wanted(*job) ? refusal : io_error{io_failure::aborted, 0});
        }
    }

    /// True when one more thread has been counted, which the caller has to start. The queue stays bounded by what is
    /// wanted: when it has doubled, what is not wanted any more goes to `unwanted`.
    [[nodiscard]] bool enqueue(lookup_job& job, lookup_queue& unwanted) noexcept {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() >= sweep_at_) {
            sweep(unwanted);
        }
        waiting_.push(job);
        if (threads_ == most_threads) {
            return false;
        }
        ++threads_;
        return true;
    }

    void sweep(lookup_queue& unwanted) noexcept {
        for (std::size_t left = waiting_.size(); left != 0; --left) {
            lookup_job* const job = waiting_.pop();
            (job->wanted(*job) ? waiting_ : unwanted).push(*job);
        }
        sweep_at_ = (std::max)(always_kept, 2 * waiting_.size());
    }

    /// A thread that was counted does not exist. Were it the only one, nobody would come for what is waiting.
    void give_up_thread(lookup_queue& abandoned) noexcept {
        const std::lock_guard lock(mutex_);
        if (--threads_ == 0) {
            while (lookup_job* const job = waiting_.pop()) {
                abandoned.push(*job);
            }
        }
    }

    [[nodiscard]] lookup_job* next_or_leave() noexcept {
        const std::lock_guard lock(mutex_);
        lookup_job* const job = waiting_.pop();
        if (job == nullptr) {
            --threads_;
        }
        return job;
    }

    static void finish_all(lookup_queue& jobs, io_error refusal) noexcept {
        while (lookup_job* const job = jobs.pop()) {
            job->finish(job, refusal);
        }
    }

    std::atomic<std::size_t> users_{1}; // the owner and the threads
    std::mutex mutex_;
    lookup_queue waiting_;
    std::size_t threads_ = 0;
    std::size_t sweep_at_ = always_kept;
};

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_LOOKUP_THREADS_HPP
