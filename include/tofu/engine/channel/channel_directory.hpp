// SPDX-License-Identifier: BSL-1.0
// One atomic word per channel number, where posting and closing meet, and where numbers are given out.
#ifndef TOFU_ENGINE_CHANNEL_CHANNEL_DIRECTORY_HPP
#define TOFU_ENGINE_CHANNEL_CHANNEL_DIRECTORY_HPP

#include <tofu/binary_header.hpp>
#include <tofu/config.hpp>
#include <tofu/detail/integer_cast.hpp>
#include <tofu/detail/prefetch.hpp>
#include <tofu/engine/channel/channel_word.hpp>
#include <tofu/status.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

namespace tofu::inline TOFU_ABI::engine {

/// What posts change about a number.
struct directory_entry {
    std::atomic<std::uint64_t> word{0};
    /// Messages (high 24 bits) and bytes (low 40) accepted by post and neither sent nor given back yet.
    std::atomic<std::uint64_t> queued{0};
};

/// Consecutive numbers. What the loop looks at for each message lies apart from what each post writes: in one cache
/// line they would make both threads wait for each other.
struct alignas(detail::cache_line_size) directory_page {
    static constexpr std::size_t size = 256;

    directory_entry entries[size];
    void* channels[size] = {}; ///< the slots, I/O thread only
};

/// The channel numbers of one engine. They go round the whole range, and each outlives its channel: its word says
/// closed until the application has taken the goodbye. Pages are made when the round first reaches them.
class channel_directory {
public:
    channel_directory() noexcept = default;
    channel_directory(const channel_directory&) = delete;
    channel_directory& operator=(const channel_directory&) = delete;
    ~channel_directory() {
        for (auto& page : pages_) delete page.load(std::memory_order_relaxed);
    }

    /// A number given out, or 0 when there is none (or no memory for it).
    struct opened {
        std::uint16_t number = no_channel;
        std::uint32_t generation = 0;
    };

    /// Any thread. The next free number, in the state `flags`; with `posting`, one post is in flight from the start.
    [[nodiscard]] opened open(std::uint16_t group, std::uint64_t flags, bool posting) noexcept {
        for (std::uint32_t tried = 0; tried < last_channel; ++tried) {
            const std::uint32_t turn = cursor_.fetch_add(1, std::memory_order_relaxed);
            const auto number = static_cast<std::uint16_t>(turn % last_channel + 1);
            directory_entry* const entry = make_entry(number);
            if (entry == nullptr) return {};
            std::uint64_t word = entry->word.load(std::memory_order_acquire);
            if ((word & channel_word::live) != 0) continue;
            const std::uint32_t generation = (channel_word::generation(word) + 1) & channel_word::generation_mask;
            const std::uint64_t fresh = channel_word::make(group, generation, flags | channel_word::live, posting);
            // seq_cst: pairs with the engine's stop flag, see engine_core::enter_new.
            if (!entry->word.compare_exchange_strong(word, fresh, std::memory_order_seq_cst)) continue;
            return {number, generation};
        }
        return {};
    }

    /// Whether a message may be posted.
    struct admission {
        status result = status::success;
        bool consumed = false; ///< with success: the message is accepted and discarded, no post is in flight
    };

    /// Any thread. May a message with this operation be posted there now? On success, unless it is consumed, one post
    /// is in flight, which the caller ends with `exit`. `bound` is the generation a received message remembers, or
    /// any_generation.
    [[nodiscard]] admission enter(std::uint16_t number, std::uint16_t group, std::uint32_t bound, op_code op) noexcept {
        directory_entry* const entry = find(number);
        if (entry == nullptr) return {status::invalid_channel_number};
        std::uint64_t word = entry->word.load(std::memory_order_acquire);
        for (;;) {
            const channel_word::verdict may = channel_word::judge(word, group, bound, op);
            if (may.result != status::success) return {may.result};
            const std::uint64_t in_flight = may.consumed ? 0 : channel_word::one_post;
            if (entry->word.compare_exchange_weak(word, (word | may.set) + in_flight, std::memory_order_seq_cst,
                                                  std::memory_order_acquire))
                return {status::success, may.consumed};
        }
    }

    /// Any thread: the post that `enter` (or `open`) admitted is in the inbox, or was withdrawn. True when the loop
    /// waits for exactly this to finish the channel, so that the caller has to wake it.
    [[nodiscard]] bool exit(std::uint16_t number, op_code op) noexcept {
        std::atomic<std::uint64_t>& word = existing(number).word;
        if (op == op_code::hello_response) word.fetch_or(channel_word::hello_posted, std::memory_order_seq_cst);
        const std::uint64_t before = word.fetch_sub(channel_word::one_post, std::memory_order_seq_cst);
        return (before & channel_word::closed) != 0 && channel_word::posts(before) == 1;
    }

    /// Any thread, inside enter and exit. False when the channel's queue has no room (limits of one channel).
    [[nodiscard]] bool reserve(std::uint16_t number, std::size_t bytes, std::size_t max_messages,
                               std::size_t max_bytes) noexcept {
        std::atomic<std::uint64_t>& queued = existing(number).queued;
        std::uint64_t old = queued.load(std::memory_order_relaxed);
        do {
            if ((old >> bytes_bits) + 1 > max_messages || (old & bytes_mask) + bytes > max_bytes) return false;
        } while (!queued.compare_exchange_weak(old, old + one_message + bytes, std::memory_order_relaxed));
        return true;
    }

    /// Any thread. What reserve would say now; true also when the channel is gone, for a waiter must learn that.
    [[nodiscard]] bool has_room(std::uint16_t number, std::size_t bytes, std::size_t max_messages,
                                std::size_t max_bytes) const noexcept {
        const directory_entry* const entry = find(number);
        constexpr std::uint64_t over = channel_word::closed | channel_word::posting_over;
        if (entry == nullptr || (entry->word.load(std::memory_order_seq_cst) & over) != 0) return true;
        const std::uint64_t queued = entry->queued.load(std::memory_order_seq_cst);
        return (queued >> bytes_bits) + 1 <= max_messages && (queued & bytes_mask) + bytes <= max_bytes;
    }

    /// Any thread. Does the number still belong to this very channel, and is that one not closed?
    [[nodiscard]] bool is_live(std::uint16_t number, std::uint32_t generation) const noexcept {
        const directory_entry* const entry = find(number);
        if (entry == nullptr) return false;
        const std::uint64_t word = entry->word.load(std::memory_order_acquire);
        return (word & (channel_word::live | channel_word::closed)) == channel_word::live &&
               channel_word::generation(word) == generation;
    }

    /// I/O thread: so much is off the queue.
    void unreserve(std::uint16_t number, std::size_t messages, std::size_t bytes) noexcept {
        existing(number).queued.fetch_sub(messages * one_message + bytes, std::memory_order_seq_cst);
    }

    [[nodiscard]] std::size_t queued_messages(std::uint16_t number) const noexcept {
        const directory_entry* const entry = find(number);
        return entry == nullptr ? 0
                                : tofu::detail::integer_cast<std::size_t>(
                                      entry->queued.load(std::memory_order_relaxed) >> bytes_bits);
    }
    [[nodiscard]] std::size_t queued_bytes(std::uint16_t number) const noexcept {
        const directory_entry* const entry = find(number);
        return entry == nullptr ? 0
                                : tofu::detail::integer_cast<std::size_t>(
                                      entry->queued.load(std::memory_order_relaxed) & bytes_mask);
    }

    /// I/O thread: from now on `enter` refuses. What is in flight may still arrive.
    void close(std::uint16_t number) noexcept {
        existing(number).word.fetch_or(channel_word::closed, std::memory_order_seq_cst);
    }

    /// I/O thread: facts about the conversation that posting depends on.
    void mark(std::uint16_t number, std::uint64_t flag) noexcept {
        existing(number).word.fetch_or(flag, std::memory_order_seq_cst);
    }

    void unmark(std::uint16_t number, std::uint64_t flag) noexcept {
        existing(number).word.fetch_and(~flag, std::memory_order_seq_cst);
    }

    [[nodiscard]] bool posts_in_flight(std::uint16_t number) const noexcept {
        return channel_word::posts(existing(number).word.load(std::memory_order_seq_cst)) != 0;
    }

    /// Any thread: the goodbye was taken (or nobody ever knew the number). It may be given out again.
    void free(std::uint16_t number) noexcept {
        directory_entry& entry = existing(number);
        std::atomic<std::uint64_t>& word = entry.word;
        const std::uint64_t old = word.load(std::memory_order_relaxed);
        entry.queued.store(0, std::memory_order_relaxed); // before the next owner's first post can be admitted
        word.store(channel_word::make(0, channel_word::generation(old), 0, false), std::memory_order_release);
    }

    /// I/O thread.
    [[nodiscard]] void* channel(std::uint16_t number) const noexcept {
        const directory_page* const page = page_of(number);
        return page == nullptr ? nullptr : page->channels[number % directory_page::size];
    }
    void channel(std::uint16_t number, void* slot) noexcept {
        page_of(number)->channels[number % directory_page::size] = slot;
    }

    /// I/O thread, at the very end: refuses every later post, and says whether one is still in flight anywhere.
    [[nodiscard]] bool close_all() noexcept {
        bool in_flight = false;
        for (auto& slot : pages_) {
            directory_page* const page = slot.load(std::memory_order_seq_cst);
            if (page == nullptr) continue;
            for (directory_entry& entry : page->entries) {
                const std::uint64_t old = entry.word.fetch_or(channel_word::closed, std::memory_order_seq_cst);
                in_flight = in_flight || channel_word::posts(old) != 0;
            }
        }
        return in_flight;
    }

    static constexpr std::uint32_t any_generation = channel_word::any_generation;
    static constexpr std::size_t page_count = 256;

private:
    static constexpr unsigned bytes_bits = 40;
    static constexpr std::uint64_t one_message = std::uint64_t{1} << bytes_bits;
    static constexpr std::uint64_t bytes_mask = one_message - 1;

    [[nodiscard]] directory_page* page_of(std::uint16_t number) const noexcept {
        return pages_[number / directory_page::size].load(std::memory_order_acquire);
    }

    [[nodiscard]] directory_entry* find(std::uint16_t number) const noexcept {
        directory_page* const page = page_of(number);
        return page == nullptr ? nullptr : &page->entries[number % directory_page::size];
    }

    /// Of a number that was given out: its page is there.
    [[nodiscard]] directory_entry& existing(std::uint16_t number) const noexcept {
        return page_of(number)->entries[number % directory_page::size];
    }

    directory_entry* make_entry(std::uint16_t number) noexcept {
        if (directory_entry* const entry = find(number)) return entry;
        directory_page* const page = new (std::nothrow) directory_page;
        if (page == nullptr) return nullptr;
        directory_page* expected = nullptr;
        if (!pages_[number / directory_page::size].compare_exchange_strong(expected, page, std::memory_order_seq_cst))
            delete page;
        return find(number);
    }

    std::atomic<directory_page*> pages_[page_count]{};
    std::atomic<std::uint32_t> cursor_{0};
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
