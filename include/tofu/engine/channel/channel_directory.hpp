// SPDX-License-Identifier: BSL-1.0
// The channel numbers of an engine. Each number has one atomic word, in which posting and closing meet.
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

/// The state of one number. Posting threads and the loop change it.
struct directory_entry {
    std::atomic<std::uint64_t> word{0};
    /// The messages (high 24 bits) and bytes (low 40 bits) in the send queue of the channel.
    std::atomic<std::uint64_t> queued{0};
};

/// Consecutive numbers. The loop reads a pointer for each message; each post writes an entry. The pointers lie apart
/// from the entries: in one cache line, the loop and the posting threads would delay each other.
struct alignas(detail::cache_line_size) directory_page {
    static constexpr std::size_t size = 256;

    directory_entry entries[size];
    void* channels[size] = {}; ///< pointers to the slots, I/O thread only
};

/// Numbers are given out one after the other, so that a number is not used again soon. A number outlives its channel:
/// its word says closed until the goodbye was received, or was dropped with its group. A page is allocated when its
/// first number is given out.
class channel_directory {
public:
    channel_directory() noexcept = default;
    channel_directory(const channel_directory&) = delete;
    channel_directory& operator=(const channel_directory&) = delete;
    ~channel_directory() {
        for (auto& page : pages_) delete page.load(std::memory_order_relaxed);
    }

    /// A number that was given out. 0: no number is free, or memory is short.
    struct opened {
        std::uint16_t number = no_channel;
        std::uint32_t generation = 0;
    };

    /// Any thread. Gives out the next free number, with these flags in its word. With `posting`, one post is in flight
    /// from the start.
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
            // seq_cst: pairs with the engine's stop flag, see admission::open.
            if (!entry->word.compare_exchange_strong(word, fresh, std::memory_order_seq_cst)) continue;
            return {number, generation};
        }
        return {};
    }

    /// The result of `enter`.
    struct admission {
        status result = status::success;
        bool consumed = false; ///< with success: the message is accepted and discarded; no post is in flight
    };

    /// Any thread. Lets a post with this operation enter. On success, unless the message is consumed, one post is in
    /// flight, and the caller ends it with `exit`. `bound` is the generation that a received message remembers, or
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

    /// Any thread. Ends a post that `enter` or `open` has admitted: its message is in the inbox, or was withdrawn.
    /// True: the loop waits only for this post before it ends the channel, so the caller has to wake the loop.
    [[nodiscard]] bool exit(std::uint16_t number, op_code op) noexcept {
        std::atomic<std::uint64_t>& word = existing(number).word;
        if (op == op_code::hello_response) word.fetch_or(channel_word::hello_posted, std::memory_order_seq_cst);
        const std::uint64_t before = word.fetch_sub(channel_word::one_post, std::memory_order_seq_cst);
        TOFU_ASSERT(channel_word::posts(before) != 0);
        return (before & channel_word::closed) != 0 && channel_word::posts(before) == 1;
    }

    /// Any thread, between enter and exit. Takes room in the channel's send queue. False: there is none.
    [[nodiscard]] bool reserve(std::uint16_t number, std::size_t bytes, std::size_t max_messages,
                               std::size_t max_bytes) noexcept {
        std::atomic<std::uint64_t>& queued = existing(number).queued;
        std::uint64_t old = queued.load(std::memory_order_relaxed);
        do {
            if ((old >> bytes_bits) + 1 > max_messages || (old & bytes_mask) + bytes > max_bytes) return false;
        } while (!queued.compare_exchange_weak(old, old + one_message + bytes, std::memory_order_relaxed));
        return true;
    }

    /// Any thread. True: `reserve` would find room now, or posting to the channel is over. A waiting thread then posts
    /// again, and gets the result.
    [[nodiscard]] bool has_room(std::uint16_t number, std::size_t bytes, std::size_t max_messages,
                                std::size_t max_bytes) const noexcept {
        const directory_entry* const entry = find(number);
        constexpr std::uint64_t over = channel_word::closed | channel_word::posting_over;
        if (entry == nullptr || (entry->word.load(std::memory_order_seq_cst) & over) != 0) return true;
        const std::uint64_t queued = entry->queued.load(std::memory_order_seq_cst);
        return (queued >> bytes_bits) + 1 <= max_messages && (queued & bytes_mask) + bytes <= max_bytes;
    }

    /// Any thread. True: the number still belongs to this channel, and the channel is not closed.
    [[nodiscard]] bool is_live(std::uint16_t number, std::uint32_t generation) const noexcept {
        const directory_entry* const entry = find(number);
        if (entry == nullptr) return false;
        const std::uint64_t word = entry->word.load(std::memory_order_acquire);
        return (word & (channel_word::live | channel_word::closed)) == channel_word::live &&
               channel_word::generation(word) == generation;
    }

    /// I/O thread. Frees the room that sent messages took in the send queue.
    void unreserve(std::uint16_t number, std::size_t messages, std::size_t bytes) noexcept {
        const std::uint64_t before =
            existing(number).queued.fetch_sub(messages * one_message + bytes, std::memory_order_seq_cst);
        TOFU_ASSERT((before >> bytes_bits) >= messages && (before & bytes_mask) >= bytes);
        static_cast<void>(before);
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

    /// I/O thread. From now on `enter` lets no post begin; it may still consume a bye_response. Posts that are in
    /// flight may still arrive.
    void close(std::uint16_t number) noexcept {
        existing(number).word.fetch_or(channel_word::closed, std::memory_order_seq_cst);
    }

    /// I/O thread. Sets a flag of channel_word.
    void mark(std::uint16_t number, std::uint64_t flag) noexcept {
        existing(number).word.fetch_or(flag, std::memory_order_seq_cst);
    }

    /// I/O thread. Clears a flag of channel_word.
    void unmark(std::uint16_t number, std::uint64_t flag) noexcept {
        existing(number).word.fetch_and(~flag, std::memory_order_seq_cst);
    }

    [[nodiscard]] bool posts_in_flight(std::uint16_t number) const noexcept {
        return channel_word::posts(existing(number).word.load(std::memory_order_seq_cst)) != 0;
    }

    /// Any thread. Frees the number: its goodbye was received or dropped, or the application never knew the number.
    void free(std::uint16_t number) noexcept {
        directory_entry& entry = existing(number);
        std::atomic<std::uint64_t>& word = entry.word;
        const std::uint64_t old = word.load(std::memory_order_relaxed);
        TOFU_ASSERT(channel_word::posts(old) == 0);
        entry.queued.store(0, std::memory_order_relaxed); // before the next owner's first post can be admitted
        word.store(channel_word::make(0, channel_word::generation(old), 0, false), std::memory_order_release);
    }

    /// I/O thread. The slot of the channel. Null: none.
    [[nodiscard]] void* channel(std::uint16_t number) const noexcept {
        const directory_page* const page = page_of(number);
        return page == nullptr ? nullptr : page->channels[number % directory_page::size];
    }
    void channel(std::uint16_t number, void* slot) noexcept {
        void*& place = page_of(number)->channels[number % directory_page::size];
        TOFU_ASSERT((place == nullptr) != (slot == nullptr));
        place = slot;
    }

    /// I/O thread, at the end of the engine. Closes every number, so `enter` lets no post begin. `open` still gives out
    /// numbers; admission::open withdraws them. True: a post is still in flight somewhere.
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

    /// The entry of a number that was given out.
    [[nodiscard]] directory_entry& existing(std::uint16_t number) const noexcept {
        TOFU_ASSERT(page_of(number) != nullptr);
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
