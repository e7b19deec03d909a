// SPDX-License-Identifier: BSL-1.0
// A few threads for calls that block. They start with the first job and end when no job is left.

#ifndef TOFU_PLATFORM_LOOKUP_THREADS_HPP
#define TOFU_PLATFORM_LOOKUP_THREADS_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/network_session.hpp>
#include <tofu/platform/thread.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <new>

// No thread joins these threads: the owner of the queue may end while a thread is in a call that takes half a minute.
// So the threads own everything they use. A job owns its data, and the owner and each thread hold a reference to the
// queue.
//
// A thread ends when it finds the queue empty. It counts itself out under the lock under which jobs are queued. So each
// queued job has at least one thread that will take it, and no condition variable is needed.
//
// The code of the threads and jobs must stay in memory, because dlclose(3) waits for no thread. So the modules with
// this code stay loaded until the process ends: `Threads` holds the module with the thread's code, add() the module
// with the job's code. The two can differ, because the dynamic linker merges equal functions of several modules. It
// would also merge a flag "already held", so each call asks the system.

namespace tofu::inline TOFU_ABI::platform {

/// One job, with its type erased. Its maker allocates it, and `finish` deletes it.
struct lookup_job {
    lookup_job* next = nullptr;
    /// Does the job and deletes it. An error becomes the result, and the job is not done. Called once, by any thread.
    void (*finish)(lookup_job*, io_error refusal) noexcept = nullptr;
    /// False if nobody needs the result. Called before finish, by any thread, under the queue's lock; must be quick.
    bool (*wanted)(const lookup_job&) noexcept = nullptr;
};

/// A first-in, first-out queue that does not own its jobs. One thread at a time.
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

    /// Takes the oldest job; null if there is none.
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
    lookup_job** end_ = &first_; ///< the link that the next job is written to
    std::size_t size_ = 0;
};

/// The queue and its threads. make() gives the owner a reference, which drop() returns. `Threads` starts a thread (see
/// detached_threads). Each thread opens a `Session` while it runs (see network_session); if that fails, the error is
/// the result of each job that the thread takes.
template <class Threads = detached_threads, class Session = network_session>
class lookup_threads {
public:
    static constexpr const char* thread_name = "tofu-names";
    static constexpr std::size_t most_threads = 4;
    /// A shorter queue is not searched for jobs that are not wanted any more.
    static constexpr std::size_t always_kept = 64;

    /// Null: no memory.
    [[nodiscard]] static lookup_threads* make() noexcept { return new (std::nothrow) lookup_threads; }

    lookup_threads(const lookup_threads&) = delete;
    lookup_threads& operator=(const lookup_threads&) = delete;

    /// Queues a job for a thread. If the system has no thread, the caller finishes the job with an error. Never waits
    /// for a job. Any thread; amortised constant time. A plug-in that calls this stays loaded until the process ends;
    /// see hold_module.
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

    /// Returns the owner's reference. Queued and running jobs still finish.
    void drop() noexcept {
        if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            delete this;
        }
    }

    /// The function of each thread; only `Threads` calls it. The last thread deletes the queue if the owner has ended.
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

    /// Returns true if the caller must start a thread, which is counted already. When the queue has doubled, moves the
    /// jobs that are not wanted any more to `unwanted`, so the wanted jobs bound the length of the queue.
    [[nodiscard]] bool enqueue(lookup_job& job, lookup_queue& unwanted) noexcept {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() >= sweep_at_) {
            sweep(unwanted);
        }
        waiting_.push(job);
        TOFU_ASSERT(threads_ <= most_threads);
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

    /// Counts out a thread that could not start. If it was the only one, moves all jobs to `abandoned`.
    void give_up_thread(lookup_queue& abandoned) noexcept {
        const std::lock_guard lock(mutex_);
        TOFU_ASSERT(threads_ != 0);
        if (--threads_ == 0) {
            while (lookup_job* const job = waiting_.pop()) {
                abandoned.push(*job);
            }
        }
    }

    [[nodiscard]] lookup_job* next_or_leave() noexcept {
        const std::lock_guard lock(mutex_);
        lookup_job* const job = waiting_.pop();
        TOFU_ASSERT(threads_ != 0); // the calling thread is counted
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

    std::atomic<std::size_t> users_{1}; ///< references: the owner and the threads
    std::mutex mutex_;
    lookup_queue waiting_;
    std::size_t threads_ = 0;
    std::size_t sweep_at_ = always_kept;
};

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_LOOKUP_THREADS_HPP
