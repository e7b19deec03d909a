// SPDX-License-Identifier: BSL-1.0
// io_uring(7) as far as a poller needs it: one ring, polls, cancels, and the call that submits and waits.

#ifndef TOFU_PLATFORM_LINUX_IO_URING_HPP
#define TOFU_PLATFORM_LINUX_IO_URING_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/posix/descriptor.hpp>
#include <tofu/platform/posix/error.hpp>

#include <linux/io_uring.h>

#if defined(IORING_FEAT_RSRC_TAGS) // the header of Linux 5.13 or later; it has all constants used here

#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

// Two queues lie in memory that the program shares with the kernel. Each has a head and a tail that only count up. The
// kernel writes a completion before its tail (release); we read the tail first (acquire). We write the head after we
// have read the entry. We store the submission tail before the entry is complete. That is safe: the kernel reads the
// submission queue only inside io_uring_enter(2), as the ring has no thread of its own (no IORING_SETUP_SQPOLL). The
// kernel may write completions at any time.

namespace tofu::inline TOFU_ABI::linux_api {

/// The system calls. On an error they return -1 and set errno. Tests replace this class.
struct io_uring_calls {
    static int setup(unsigned entries, ::io_uring_params& parameters) noexcept {
        return static_cast<int>(::syscall(SYS_io_uring_setup, entries, &parameters));
    }
    static int enter(int ring, unsigned submits, unsigned awaited, unsigned flags, const void* argument,
                     std::size_t size) noexcept {
        return static_cast<int>(::syscall(SYS_io_uring_enter, ring, submits, awaited, flags, argument, size));
    }
};

/// The kernel's report about an operation.
struct io_completion {
    std::uint64_t mark = 0; ///< the mark of the operation, from its submission
    int result = 0;         ///< of a poll, the events of poll(2); below 0, a negative errno value
    bool stays = false;     ///< the operation goes on, and completes again
};

/// Owns a ring with `Submissions` places in its submission queue, a power of two, and four times as many for
/// completions. Completions beyond that number wait in the kernel until the queue has room (IORING_FEAT_NODROP); if the
/// kernel has no memory for that, it drops a completion. Since Linux 5.19, a later wait() that would sleep fails with
/// EBADR. One thread at a time.
template <unsigned Submissions = 256, class Calls = io_uring_calls>
class io_ring {
public:
    static_assert(std::has_single_bit(Submissions), "io_ring: the kernel rounds up to a power of two");

    io_ring() noexcept = default;
    io_ring(const io_ring&) = delete;
    io_ring& operator=(const io_ring&) = delete;
    ~io_ring() {
        if (entries_ != nullptr) ::munmap(entries_, entries_size_);
        if (queues_ != nullptr) ::munmap(queues_, queues_size_);
    }

    /// Called once, before the other calls. Errors: unsupported (the kernel is older than 5.13, or refuses io_uring by
    /// kernel.io_uring_disabled, seccomp or a security module), no_descriptors, no_memory.
    io_error open() noexcept {
        ::io_uring_params parameters{};
        parameters.flags = IORING_SETUP_CQSIZE;
        parameters.cq_entries = 4 * Submissions;
        handle_.reset(Calls::setup(Submissions, parameters));
        if (!handle_.is_open()) return error_of_setup(errno);
        constexpr unsigned needed = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG |
                                    IORING_FEAT_RSRC_TAGS; // the last one came together with polls that stay
        if ((parameters.features & needed) != needed) return {io_failure::unsupported, ENOSYS};
        cancel_flags_ = (parameters.features & feature_skip) != 0 ? skip_success : 0;
        return map(parameters);
    }

    // Submissions. They take effect in the next submit(), look() or wait().

    [[nodiscard]] bool has_room() const noexcept { return unsubmitted() < Submissions; }
    /// The number of submissions that the kernel has not taken yet.
    [[nodiscard]] std::size_t unsubmitted() const noexcept { return tail_ - load(submission_head_); }

    /// Submits a poll for events of poll(2) on `descriptor`. The poll completes when one of the events is present, at
    /// once if one is present already. A poll that `stays` completes again with each later event. The kernel keeps the
    /// file open until the poll is over, even if the descriptor is closed.
    void poll(int descriptor, unsigned events, std::uint64_t mark, bool stays) noexcept {
        ::io_uring_sqe& entry = next_entry(IORING_OP_POLL_ADD, mark);
        entry.fd = descriptor;
        entry.len = stays ? IORING_POLL_ADD_MULTI : 0;
        // Two half-words in the order of a little-endian machine: io_uring_enter(2), IORING_OP_POLL_ADD.
        entry.poll32_events = std::endian::native == std::endian::big ? events << 16 | events >> 16 : events;
    }

    /// Ends the operation with the mark `which`: the operation completes with -ECANCELED, if it has not completed
    /// before. The cancel itself completes with `mark` only if it found no operation; on kernels before 5.17 always.
    ///
    /// Uses IORING_OP_ASYNC_CANCEL. IORING_OP_POLL_REMOVE fails with EALREADY while the kernel handles the poll, and
    /// the poll may stay then (io_uring/poll.c, io_poll_remove).
    void cancel(std::uint64_t which, std::uint64_t mark) noexcept {
        ::io_uring_sqe& entry = next_entry(IORING_OP_ASYNC_CANCEL, mark);
        entry.fd = -1;
        entry.addr = which;
        entry.flags = cancel_flags_;
    }

    // One system call each. Errors: no_memory (the kernel has no memory for another operation; the rest stays in the
    // queue), interrupted (wait only: nothing was submitted, and a signal came), other.

    io_error submit() noexcept { return enter(0, 0, nullptr); }

    /// Submits, and moves completions that wait in the kernel to the queue.
    io_error look() noexcept { return enter(0, IORING_ENTER_GETEVENTS, nullptr); }

    /// Submits, and waits for a completion. nanoseconds::max() is for ever; a time beyond a year is cut to a year. A
    /// call that has submitted something does not say how its wait ended: see io_uring_enter(2), RETURN VALUE.
    io_error wait(std::chrono::nanoseconds timeout) noexcept {
        if (timeout == (std::chrono::nanoseconds::max)()) return enter(1, IORING_ENTER_GETEVENTS, nullptr);
        constexpr std::chrono::nanoseconds longest = std::chrono::hours(24 * 365); // the kernel adds a clock value
        const auto time = std::clamp(timeout, std::chrono::nanoseconds::zero(), longest);
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
        const ::__kernel_timespec limit{.tv_sec = seconds.count(), .tv_nsec = (time - seconds).count()};
        return enter(1, IORING_ENTER_GETEVENTS, &limit);
    }

    // Completions.

    [[nodiscard]] std::size_t completions() const noexcept { return load(completion_tail_) - load(completion_head_); }

    /// Takes the oldest completion, and frees its place. False: there is none. Makes one system call if the queue is
    /// empty and completions wait in the kernel, else none.
    [[nodiscard]] bool pop(io_completion& taken) noexcept {
        if (completions() == 0 && ((load(flags_) & IORING_SQ_CQ_OVERFLOW) == 0 || look())) return false;
        if (completions() == 0) return false;
        const std::uint32_t head = load(completion_head_);
        const ::io_uring_cqe& entry = completions_[head & completion_mask_];
        taken = {.mark = entry.user_data, .result = entry.res, .stays = (entry.flags & IORING_CQE_F_MORE) != 0};
        store(completion_head_, head + 1);
        return true;
    }

    /// True if the kernel has dropped a completion since the last call.
    [[nodiscard]] bool take_drops() noexcept {
        const std::uint32_t drops = load(drops_);
        return std::exchange(known_drops_, drops) != drops;
    }

    /// In a forked child: closes the child's copy of the descriptor. The child has no copy of the queues (see map).
    void close_copy() noexcept {
        entries_ = nullptr;
        queues_ = nullptr;
        handle_.reset();
    }

private:
    // Linux 5.17; by number, as the header may be older. Source: include/uapi/linux/io_uring.h of Linux 6.1.
    static constexpr unsigned feature_skip = 1U << 11;    // IORING_FEAT_CQE_SKIP
    static constexpr std::uint8_t skip_success = 1U << 6; // IOSQE_CQE_SKIP_SUCCESS

    // __atomic, because libc++ has std::atomic_ref only since LLVM 19.
    static std::uint32_t load(const std::uint32_t* word) noexcept { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
    static void store(std::uint32_t* word, std::uint32_t value) noexcept {
        __atomic_store_n(word, value, __ATOMIC_RELEASE);
    }

    /// io_uring_setup(2): ENOSYS, EINVAL for flags of later kernels, EPERM for kernel.io_uring_disabled and from the
    /// seccomp filters of container runtimes; EACCES from a security module.
    static io_error error_of_setup(int code) noexcept {
        const bool refused = code == ENOSYS || code == EINVAL || code == EPERM || code == EACCES;
        return refused ? io_error{io_failure::unsupported, code} : posix::from_errno(code);
    }

    /// A mapping keeps the ring alive, so a forked child must not have one. Otherwise the parent's polls and sockets
    /// would live until the child ends.
    io_error map(const ::io_uring_params& given) noexcept {
        static_assert(sizeof(std::uint32_t) == sizeof(__u32) && std::is_same_v<std::uint32_t, __u32>);
        TOFU_ASSERT(given.sq_entries == Submissions && given.cq_entries >= 4 * Submissions);
        const std::size_t submissions_end = given.sq_off.array + given.sq_entries * sizeof(std::uint32_t);
        const std::size_t completions_end = given.cq_off.cqes + given.cq_entries * sizeof(::io_uring_cqe);
        queues_size_ = (std::max)(submissions_end, completions_end);
        entries_size_ = given.sq_entries * sizeof(::io_uring_sqe);
        if (const io_error error = map(queues_size_, IORING_OFF_SQ_RING, queues_)) return error;
        void* entries = nullptr;
        if (const io_error error = map(entries_size_, IORING_OFF_SQES, entries)) return error;
        entries_ = static_cast<::io_uring_sqe*>(entries);

        submission_head_ = word_at(given.sq_off.head);
        submission_tail_ = word_at(given.sq_off.tail);
        flags_ = word_at(given.sq_off.flags);
        completion_head_ = word_at(given.cq_off.head);
        completion_tail_ = word_at(given.cq_off.tail);
        drops_ = word_at(given.cq_off.overflow);
        completion_mask_ = *word_at(given.cq_off.ring_mask);
        completions_ = static_cast<const ::io_uring_cqe*>(static_cast<void*>(byte_at(given.cq_off.cqes)));
        for (std::uint32_t i = 0; i < Submissions; ++i) word_at(given.sq_off.array)[i] = i; // place i is entry i
        return {};
    }

    io_error map(std::size_t size, off_t offset, void*& made) noexcept {
        void* const at =
            ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, handle_.get(), offset);
        if (at == MAP_FAILED) return posix::last_error();
        made = at;
        return ::madvise(at, size, MADV_DONTFORK) == 0 ? io_error{} : posix::last_error();
    }

    std::byte* byte_at(std::size_t offset) const noexcept { return static_cast<std::byte*>(queues_) + offset; }
    std::uint32_t* word_at(std::size_t offset) const noexcept {
        return static_cast<std::uint32_t*>(static_cast<void*>(byte_at(offset)));
    }

    ::io_uring_sqe& next_entry(std::uint8_t operation, std::uint64_t mark) noexcept {
        TOFU_ASSERT(has_room());
        ::io_uring_sqe& entry = entries_[tail_ & (Submissions - 1)];
        entry = {};
        entry.opcode = operation;
        entry.user_data = mark;
        store(submission_tail_, ++tail_);
        return entry;
    }

    io_error enter(unsigned awaited, unsigned flags, const ::__kernel_timespec* limit) noexcept {
        const auto submits = static_cast<unsigned>(unsubmitted());
        ::io_uring_getevents_arg more{};
        more.ts = reinterpret_cast<std::uintptr_t>(limit);
        const bool extended = limit != nullptr;
        const int taken = Calls::enter(handle_.get(), submits, awaited, flags | (extended ? IORING_ENTER_EXT_ARG : 0U),
                                       extended ? &more : nullptr, extended ? sizeof more : 0);
        TOFU_ASSERT(taken <= static_cast<int>(submits));
        return taken < 0 ? error_of_enter(errno) : io_error{};
    }

    /// ETIME: the time is over. EBUSY: completions wait in the kernel, which takes no submission before the queue has
    /// room for them; so take completions first. EAGAIN: no memory for an operation.
    static io_error error_of_enter(int code) noexcept {
        if (code == ETIME || code == EBUSY) return {};
        return code == EAGAIN ? io_error{io_failure::no_memory, code} : posix::from_errno(code);
    }

    posix::descriptor handle_;
    void* queues_ = nullptr;
    ::io_uring_sqe* entries_ = nullptr;
    std::size_t queues_size_ = 0;
    std::size_t entries_size_ = 0;
    std::uint32_t* submission_head_ = nullptr; ///< the kernel's
    std::uint32_t* submission_tail_ = nullptr; ///< ours; tail_ is its value
    std::uint32_t* flags_ = nullptr;           ///< the kernel's
    std::uint32_t* completion_head_ = nullptr; ///< ours
    std::uint32_t* completion_tail_ = nullptr; ///< the kernel's
    std::uint32_t* drops_ = nullptr;           ///< the kernel's: the number of completions that it has dropped
    const ::io_uring_cqe* completions_ = nullptr;
    std::uint32_t completion_mask_ = 0;
    std::uint32_t tail_ = 0;
    std::uint32_t known_drops_ = 0;
    std::uint8_t cancel_flags_ = 0;
};

} // namespace tofu::inline TOFU_ABI::linux_api

#endif // IORING_FEAT_RSRC_TAGS

#endif // TOFU_PLATFORM_LINUX_IO_URING_HPP
