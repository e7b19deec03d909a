// SPDX-License-Identifier: BSL-1.0
// The most memory that an engine can take, computed from its options and from a description of its load. doc/limits.md
// explains the terms; test/variants/memory_bound.cpp drives an engine to the bound and measures.
#ifndef TOFU_MEMORY_BOUND_HPP
#define TOFU_MEMORY_BOUND_HPP

#include <tofu/config.hpp>
#include <tofu/engine/channel/application_timer.hpp>
#include <tofu/engine/channel/channel.hpp>
#include <tofu/engine/channel/channel_directory.hpp>
#include <tofu/engine/channel/group_core.hpp>
#include <tofu/engine/channel/resolution.hpp>
#include <tofu/engine/engine_core.hpp>
#include <tofu/engine/memory/message_cache.hpp>
#include <tofu/message.hpp>
#include <tofu/options.hpp>
#include <tofu/policies/defaults.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>

namespace tofu::inline TOFU_ABI {

/// The load: the most objects of each kind that an application has at the same time.
struct memory_load {
    std::size_t channels = 0; ///< listeners and connections, also ended ones until their goodbye is released
    std::size_t groups = 1;   ///< groups that exist at the same time
    std::size_t timers = 0;  ///< pending update_receiver_after, and handles that are kept
    std::size_t names = 0;   ///< names that are being resolved, with up to 16 addresses each
    std::size_t threads = 1; ///< threads that fill or release messages
    std::size_t passed_on =
        0;                ///< with max_messages_alive: received messages that were posted again, and waiting updates
    std::size_t held = 0; ///< without max_messages_alive: messages of the application that are in no send queue
};

/// The parts of the bound, in bytes.
struct memory_terms {
    std::size_t fixed = 0;       ///< the engine itself, and all pages of channel numbers
    std::size_t channels = 0;    ///< slots, the poller's registrations, and what is set aside for each channel's end
    std::size_t groups = 0;      ///< groups, and what is set aside for their notices
    std::size_t extras = 0;      ///< timers, names, and buffers that are growing
    std::size_t received = 0;    ///< the receive credit, and incomplete hellos
    std::size_t free = 0;        ///< messages in the pool, and on their way there
    std::size_t application = 0; ///< messages of the application: its own, and those in send queues

    /// The sum. If the sum is too large for the type, the largest number.
    [[nodiscard]] constexpr std::size_t total() const noexcept;
};

namespace detail {

/// A number of bytes that does not overflow: it stays at the largest number, as options may have any value.
struct bytes {
    std::size_t count = 0;

    friend constexpr bytes operator+(bytes left, bytes right) noexcept {
        const std::size_t sum = left.count + right.count;
        return {sum < left.count ? most : sum};
    }
    friend constexpr bytes operator*(std::size_t times, bytes each) noexcept {
        if (times != 0 && each.count > most / times) return {most};
        return {times * each.count};
    }

    static constexpr std::size_t most = (std::numeric_limits<std::size_t>::max)();
};

/// The size of one allocation with the overhead of a common allocator: 16 bytes, and whole pages from 128 KiB on
/// (glibc: mallopt(3), M_MMAP_THRESHOLD).
constexpr bytes block(std::size_t size) noexcept {
    const std::size_t unit = size < 128 * 1024 - 16 ? 16 : 4096;
    const bytes whole = bytes{size} + bytes{16 + unit - 1};
    return {whole.count / unit * unit};
}

/// The same for an aligned allocation, which may waste up to its alignment.
constexpr bytes aligned_block(std::size_t size, std::size_t alignment) noexcept {
    return block(size) + block(alignment);
}

constexpr bytes empty_message() noexcept { return aligned_block(sizeof(message), alignof(message)); }

constexpr bytes buffer(std::size_t capacity) noexcept {
    return capacity <= byte_buffer::most_capacity(0, 0) ? aligned_block(capacity, detail::cache_line_size)
                                                        : block(capacity);
}

/// A message whose text headers and body have these capacities.
constexpr bytes message_with(std::size_t text_headers, std::size_t body) noexcept {
    return empty_message() + buffer(text_headers) + buffer(body);
}

constexpr bytes message_with(std::size_t each) noexcept { return message_with(each, each); }

/// The largest message that `post` accepts, if its buffers have grown in the worst steps.
constexpr bytes own_message(const options& o) noexcept {
    const std::size_t before = (std::max)(o.retained_capacity, max_part_length - 1);
    return message_with(byte_buffer::most_capacity(max_part_length, before));
}

/// The largest message that is received. Its buffers are allocated in the right size, unless they grow from a size that
/// they kept in the pool.
constexpr bytes received_message(const options& o) noexcept {
    return message_with(byte_buffer::most_capacity(o.max_text_headers, o.retained_capacity),
                        byte_buffer::most_capacity(o.max_body, o.retained_capacity));
}

/// The send queue of one channel, and the two messages that open and end a conversation, which need no room there.
constexpr bytes queued(const options& o) noexcept {
    const std::size_t shortest = (std::max)(o.retained_capacity, byte_buffer::most_capacity(0, 0));
    const bytes content = 2 * bytes{o.max_queued_bytes} + bytes{o.max_queued_bytes / 16}; // grown, in whole pages
    return o.max_queued_messages * message_with(shortest) + content + 2 * own_message(o);
}

/// The memory in change by one thread: the old block of a growing buffer, or a message that is being released.
constexpr bytes in_change(const options& o) noexcept {
    return block(max_part_length + header_line_end.size()) + message_with(o.retained_capacity);
}

/// The memory that a socket allocates: none, unless its type says so.
template <class Socket>
constexpr bytes of_socket() noexcept {
    if constexpr (requires { Socket::most_bytes; })
        return block(Socket::most_bytes);
    else
        return {};
}

/// The memory that a key policy allocates for these channels, or for all slots that the pool reserves: none, unless its
/// type says so.
template <class Key, class Storage>
constexpr bytes of_keys([[maybe_unused]] std::size_t channels) noexcept {
    if constexpr (requires { Storage::reserved(); }) channels = (std::max)(channels, std::size_t{Storage::reserved()});
    if constexpr (requires { Key::most_bytes(channels); })
        return block(Key::most_bytes(channels));
    else
        return {};
}

constexpr bytes application_part(const options& o, const memory_load& load) noexcept {
    if (o.max_messages_alive == 0) return load.channels * queued(o) + load.held * own_message(o);
    return (o.max_messages_alive - o.max_messages) * own_message(o) + load.passed_on * own_message(o);
}

constexpr bytes free_part(const options& o) noexcept {
    constexpr std::size_t in_hand = engine::message_cache::batch; // taken, and to be returned
    const bytes kept = message_with(o.retained_capacity);
    return engine::message_pool::most_retained(o.max_messages) * kept +
           ((std::min)(in_hand, o.max_messages) + in_hand) * kept;
}

} // namespace detail

constexpr std::size_t memory_terms::total() const noexcept {
    using detail::bytes;
    return (bytes{fixed} + bytes{channels} + bytes{groups} + bytes{extras} + bytes{received} + bytes{free} +
            bytes{application})
        .count;
}

/// The most user-space memory that an engine of this type allocates, with these valid options and this load. Not
/// included: the kernel's socket buffers, the stack of the I/O thread, the memory of resolvers, the reactor and group
/// objects, and memory that the application adds to messages beyond what `post` accepts.
template <class Reactor>
[[nodiscard]] constexpr memory_terms memory_bound(const options& opts, const memory_load& load) noexcept {
    using policies = typename Reactor::policies;
    using channel = engine::channel<policies>;
    using storage = typename policies::pool::template storage<channel>;
    using question = engine::resolution<typename channel::endpoint>;
    using detail::block;
    using detail::bytes;
    static_assert(
        requires { policies::poll::most_bytes(std::size_t{1}); },
        "tofu::memory_bound: this PollPolicy does not say what it allocates; it needs `static constexpr "
        "std::size_t most_bytes(std::size_t sockets) noexcept;`");
    static_assert(
        requires { storage::most_bytes(std::size_t{1}); },
        "tofu::memory_bound: this PoolPolicy does not say what it allocates; its storage needs `static "
        "constexpr std::size_t most_bytes(std::size_t channels) noexcept;`");

    constexpr bytes page = detail::aligned_block(sizeof(engine::directory_page), alignof(engine::directory_page));
    constexpr bytes notice = detail::empty_message();
    constexpr bytes goodbye = notice + detail::buffer(engine::reason_room);
    constexpr bytes trail = block(engine::trail::most_bytes); // of the inbox, and of each group's mailbox
    constexpr bytes name = block(sizeof(question)) + block(decltype(question::found)::most_bytes(16));
    const std::size_t before_hello = (std::min)(opts.max_awaiting_hello, load.channels);

    memory_terms terms;
    using engine::message_pool;
    terms.fixed = (block(sizeof(engine::engine_core<policies>)) + trail + block(sizeof(message_pool)) +
                   2 * block(engine::message_store::half_bytes(message_pool::most_retained(opts.max_messages))) +
                   engine::channel_directory::page_count * page)
                      .count;
    terms.channels = (block(storage::most_bytes(load.channels)) + block(policies::poll::most_bytes(load.channels)) +
                      detail::of_keys<typename policies::key, storage>(load.channels) +
                      load.channels * (goodbye + detail::of_socket<typename policies::poll::network_type::socket>() +
                                       notice)) // the other: the mark behind a half-closed peer's last message
                         .count;
    constexpr bytes group = detail::aligned_block(sizeof(engine::group_core), alignof(engine::group_core));
    terms.groups = (load.groups * (group + trail + 2 * notice)).count;
    terms.extras = (load.timers * block(sizeof(engine::application_timer<typename policies::timer>)) +
                    load.names * name + load.threads * detail::in_change(opts) + block(opts.retained_capacity))
                       .count;
    const bytes receiving = bytes{opts.max_messages} + bytes{before_hello};
    terms.received = (receiving.count * detail::received_message(opts)).count;
    terms.free = detail::free_part(opts).count;
    terms.application = detail::application_part(opts, load).count;
    return terms;
}

} // namespace tofu::inline TOFU_ABI

#endif
