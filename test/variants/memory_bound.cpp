// SPDX-License-Identifier: BSL-1.0
// A program of its own: drives an engine to the bound of its memory that memory_bound.hpp computes, and measures what
// it has really allocated. The peers are bare sockets, whose memory is the kernel's.
#include "support/all_keys.hpp"
#include "support/counted_new.hpp"

#include <tofu/memory_bound.hpp>
#include <tofu/tofu.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <limits>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using tofu::op_code;
using tofu::status;

constexpr std::size_t slots = 8;
#if defined(_WIN32)
using poll = tofu::afd_iocp;
#else
using poll = tofu::posix_poll;
#endif
using engine_type =
    tofu::basic_reactor<poll, tofu::fixed_channel_pool<slots>, tofu::slot_index_key, tofu::wait_timeout>;

constexpr tofu::options small_limits{.initial_messages = 4,
                                     .max_messages = 16,
                                     .max_messages_alive = 48,
                                     .retained_capacity = 1024,
                                     .max_awaiting_hello = 2};
constexpr std::size_t strangers = small_limits.max_awaiting_hello;
constexpr std::size_t friends = slots - 1 - strangers; ///< the eighth is the listener
constexpr std::size_t of_its_own = small_limits.max_messages_alive - small_limits.max_messages;

constexpr tofu::memory_load busy{.channels = slots, .groups = 2};
constexpr tofu::memory_load quiet{.channels = 0, .groups = 2};

/// The same without the limit: the send queues bound the messages that the application posts.
constexpr tofu::options small_queues{.initial_messages = 4,
                                     .max_messages = 16,
                                     .retained_capacity = 1024,
                                     .max_queued_messages = 8,
                                     .max_queued_bytes = 6 * tofu::max_message_size,
                                     .max_awaiting_hello = 2};

//[budget
constexpr tofu::options frugal{.max_messages = 64, .max_messages_alive = 192, .retained_capacity = 4096};
constexpr tofu::memory_terms budget = tofu::memory_bound<tofu::reactor>(frugal, {.channels = 100, .groups = 2});
static_assert(budget.total() < 64 * 1024 * 1024);
//]

constexpr std::size_t no_bound = std::numeric_limits<std::size_t>::max();
static_assert(tofu::memory_bound<engine_type>({.retained_capacity = no_bound}, busy).total() == no_bound,
              "sums that are too large end at the largest number");
static_assert(tofu::memory_bound<engine_type>(small_limits, {.channels = 9, .groups = 2}).total() >
                  tofu::memory_bound<engine_type>(small_limits, busy).total(),
              "each channel takes something");
constexpr tofu::memory_load with_others{.channels = slots, .groups = 2, .passed_on = 1, .held = 2};
constexpr std::size_t largest_message = 128 * 1024 * 2;
static_assert(tofu::memory_bound<engine_type>(small_limits, with_others).application >
                  tofu::memory_bound<engine_type>(small_limits, busy).application + largest_message,
              "with the limit: messages that are passed on come on top of it");
static_assert(tofu::memory_bound<engine_type>(small_queues, with_others).application >
                  tofu::memory_bound<engine_type>(small_queues, busy).application + 2 * largest_message,
              "without the limit: messages that are held count as well");

[[noreturn]] void fail(const char* what, const char* file, int line) {
    std::printf("%s:%d: %s\n", file, line, what);
    std::exit(1);
}
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) fail(#condition, __FILE__, __LINE__);                                                        \
    } while (false)

/// A largest message on the wire.
std::vector<std::byte> largest(op_code op) {
    const tofu::binary_header header{
        .op = op, .message_id = 1, .text_headers_length = tofu::max_part_length, .body_length = tofu::max_part_length};
    std::vector<std::byte> wire(tofu::max_message_size, std::byte{'a'});
    tofu::encode(header, std::span<std::byte, tofu::binary_header::wire_size>(wire.data(), 16));
    return wire;
}

class scene {
public:
    using group = engine_type::group_type;
    using network = tofu::platform::network<>;

    explicit scene(const tofu::options& opts) {
        engine_.emplace(opts, tofu::driven_by::caller);
        server_ = engine_->create_group();
        client_ = engine_->create_group();
        tofu::message_ptr m = engine_->get();
        CHECK(m->listen_on(tofu::tcp_address{"127.0.0.1", 0}) == status::success);
        server_.post(std::move(m));
        m = expect(server_, op_code::welcome_response);
        network net;
        CHECK(!net.to_endpoint(tofu::parse_address(m->headers().find(tofu::listen_on_header)).value, false, where_));
    }

    /// Peers that have said hello, and some that have said all of it but the last byte.
    void connect_everybody() {
        const std::vector<std::byte> hello = largest(op_code::hello_request);
        for (std::size_t i = 0; i < friends + strangers; ++i) {
            tofu::io_error in_progress;
            peers_.push_back(network().connect(where_, {}, in_progress));
            send(peers_.back(), i < friends ? std::span(hello) : std::span(hello).first(hello.size() - 1));
            if (i >= friends) continue;
            tofu::message_ptr m = expect(server_, op_code::hello_request);
            numbers_.push_back(m->header().channel_number);
            m->reset();
            m->header().op = op_code::hello_response;
            m->header().channel_number = numbers_.back();
            server_.post(std::move(m));
        }
        turn_until([this] { return engine_->stats().channels == slots; });
    }

    /// There is no channel left, so all of these fail at once; and then every number was given out.
    void use_every_number() {
        for (std::uint32_t i = 0; i < tofu::last_channel; ++i) {
            tofu::message_ptr m = engine_->get();
            CHECK(m->connect_to(tofu::tcp_address{"127.0.0.1", 1}) == status::success);
            client_.post(std::move(m));
            CHECK(expect(client_, op_code::hello_response)->status() == status::allocation_failed);
        }
    }

    /// Largest messages until there is no credit: some of them held, and one incomplete from each peer.
    void use_up_credit() {
        const std::vector<std::byte> whole = largest(op_code::request);
        while (held_.size() < small_limits.max_messages - friends) {
            send(peers_[0], whole);
            held_.push_back(expect(server_, op_code::request));
        }
        for (std::size_t i = 0; i < friends; ++i) send(peers_[i], std::span(whole).first(whole.size() - 1));
        turn_until([this] { return engine_->stats().credit_used == small_limits.max_messages; });
    }

    /// Largest messages to a peer that does not read, until there is none to be had for a while.
    void use_up_messages() {
        std::error_code error;
        do {
            while (tofu::message_ptr m = engine_->get(tofu::allocation::always, error)) {
                make_largest(*m, op_code::signal, numbers_[0]);
                server_.post(std::move(m));
            }
            CHECK(error == status::allocation_failed);
        } while (engine_->drain(50ms) || engine_->stats().messages_counted < of_its_own);
    }

    /// Largest messages to all peers, none of which reads, until no queue takes any for a while; then a largest bye.
    void use_up_queues() {
        do {
            for (const std::uint16_t number : numbers_)
                while (post_largest(op_code::signal, number)) {
                }
        } while (engine_->drain(50ms));
        for (const std::uint16_t number : numbers_) {
            while (post_largest(op_code::signal, number)) {
            }
            CHECK(post_largest(op_code::bye_request, number));
        }
    }

    void release_everything() {
        held_.clear();
        peers_.clear();
        for (std::size_t ended = 0; ended < friends;) {
            const tofu::message_ptr m = next(server_);
            if (m->from_engine() && m->why()) ++ended;
        }
        turn_until([this] { return engine_->stats().channels == 1; });
        tofu::message_ptr m = engine_->get();
        m->header().op = op_code::bye_signal;
        m->header().channel_number = listener_;
        server_.post(std::move(m));
        expect(server_, op_code::signal);
    }

    [[nodiscard]] tofu::engine_stats stats() { return engine_->stats(); }

private:
    static void make_largest(tofu::message& m, op_code op, std::uint16_t number) {
        fill(m.headers().buffer());
        fill(m.body());
        m.header().op = op;
        m.header().channel_number = number;
    }
    bool post_largest(op_code op, std::uint16_t number) {
        tofu::message_ptr m = engine_->get();
        make_largest(*m, op, number);
        std::error_code error;
        server_.post(std::move(m), error);
        CHECK(!error || error == status::send_failed);
        return !error;
    }
    /// Grows it in the worst of steps.
    static void fill(tofu::byte_buffer& part) {
        const std::vector<std::byte> content(tofu::max_part_length, std::byte{'a'});
        CHECK(part.reserve(tofu::max_part_length - 1));
        CHECK(part.append(std::span(content)));
    }

    tofu::message_ptr next(group& from) {
        tofu::message_ptr m = from.wait_receive(20s);
        CHECK(m);
        return m;
    }
    tofu::message_ptr expect(group& from, op_code op) {
        tofu::message_ptr m = next(from);
        CHECK(m->op() == op);
        if (op == op_code::welcome_response) listener_ = m->header().channel_number;
        return m;
    }

    template <class Ready>
    void turn_until(Ready ready) {
        for (int i = 0; !ready(); ++i) {
            CHECK(i < 20'000);
            engine_->run_once(1ms);
        }
    }

    void send(network::socket& to, std::span<const std::byte> bytes) {
        const auto until = std::chrono::steady_clock::now() + 20s;
        while (!bytes.empty()) {
            const tofu::const_buffer part{bytes.data(), bytes.size()};
            const tofu::io_result sent = to.write({&part, 1});
            bytes = bytes.subspan(sent.bytes);
            CHECK(std::chrono::steady_clock::now() < until);
            engine_->run_once(sent.bytes == 0 ? 1ms : 0ms);
        }
    }

    std::optional<engine_type> engine_;
    group server_;
    group client_;
    network::endpoint where_;
    std::uint16_t listener_ = 0;
    std::deque<network::socket> peers_;
    std::vector<std::uint16_t> numbers_;
    std::vector<tofu::message_ptr> held_;
};

void print(const char* what, std::size_t bytes) { std::printf("  %-36s %12zu bytes\n", what, bytes); }

std::size_t print(const tofu::memory_terms& bound) {
    print("fixed", bound.fixed);
    print("channels", bound.channels);
    print("groups", bound.groups);
    print("extras", bound.extras);
    print("received", bound.received);
    print("free", bound.free);
    print("application", bound.application);
    print("the bound", bound.total());
    return bound.total();
}

/// Everything is used up: not more than the bound was ever taken, and at least so much of it is.
void judge(std::size_t bound, std::size_t least_percent) {
    const std::size_t full = tofu_test::bytes_alive;
    const std::size_t peak = tofu_test::most_bytes_alive.exchange(0);
    print("measured, everything used up", full);
    print("measured at most", peak);
    std::printf("  %.1f %% of the bound\n", 100.0 * static_cast<double>(full) / static_cast<double>(bound));
    CHECK(peak <= bound);
    CHECK(full >= bound / 100 * least_percent);
}

void judge_rest(scene& s, const tofu::options& opts) {
    const tofu::memory_terms at_rest = tofu::memory_bound<engine_type>(opts, quiet);
    const std::size_t allowed = at_rest.fixed + at_rest.channels + at_rest.groups + at_rest.free;
    const std::size_t left = tofu_test::bytes_alive;
    print("the bound, everything released", allowed);
    print("measured, everything released", left);
    CHECK(left <= allowed);
    CHECK(s.stats().credit_used == 0);
    CHECK(s.stats().messages_counted == 0);
    CHECK(s.stats().messages_free <= tofu::engine::message_pool::most_retained(opts.max_messages));
}

void drive_to_the_limit() {
    std::puts("with a limit of messages alive:");
    const std::size_t bound = print(tofu::memory_bound<engine_type>(small_limits, busy));
    scene s(small_limits);
    s.connect_everybody();
    s.use_every_number();
    s.use_up_credit();
    s.use_up_messages();
    judge(bound, 85);
    s.release_everything();
    judge_rest(s, small_limits);
}

/// The bound is further away here: two of the peers and the listener have nothing in their queues.
void fill_the_queues() {
    std::puts("without it, and all queues full:");
    const std::size_t bound = print(tofu::memory_bound<engine_type>(small_queues, busy));
    scene s(small_queues);
    s.connect_everybody();
    s.use_every_number();
    s.use_up_credit();
    s.use_up_queues();
    judge(bound, 50);
    s.release_everything();
    judge_rest(s, small_queues);
}

/// An occupant of a slot may have any size here; the test only counts the allocations.
struct occupant {
    explicit occupant(tofu::slot_identity who) noexcept : identity_(who) {}
    [[nodiscard]] tofu::slot_identity identity() const noexcept { return identity_; }
    [[nodiscard]] int native_handle() const noexcept { return static_cast<int>(identity_.index) + 3; }

    tofu::slot_identity identity_;
    std::byte rest[500]{};
};

/// Acquires and releases all slots again and again. The number of allocations since pool and keys were opened.
template <class Pool, class Key>
std::size_t allocations_of_channels(std::size_t count) {
    Pool pool;
    Key keys;
    typename Pool::template storage<occupant> channels;
    CHECK(channels.open(pool) && keys.open(channels.reserved()));
    const std::size_t before = tofu_test::allocations;
    for (int round = 0; round < 10; ++round) {
        for (std::size_t i = 0; i < count; ++i) {
            const occupant* const one = channels.acquire();
            CHECK(one != nullptr && keys.make(*one, *one) != 0);
        }
        channels.for_each([&](occupant& one) {
            keys.forget(keys.make(one, one));
            channels.release(one);
        });
    }
    return tofu_test::allocations - before;
}

/// With any key, a fixed pool allocates when it is opened and never again; a growing pool allocates once per chunk.
void count_allocations_of_channels() {
    using fixed = tofu::fixed_channel_pool<1000>;
    using growing = tofu::growing_channel_pool<100>;
    const std::size_t counts[] = {allocations_of_channels<fixed, tofu::slot_index_key>(1000),
                                  allocations_of_channels<fixed, tofu_test::pointer_key_or_index>(1000),
                                  allocations_of_channels<fixed, tofu::handle_key>(1000)};
    for (const std::size_t count : counts) CHECK(count == 0);
    const std::size_t grown = allocations_of_channels<growing, tofu::slot_index_key>(1000);
    CHECK(grown == 10 + 1); // ten chunks, and the table of them
    std::printf("allocations for 10 times 1000 channels: fixed pool %zu, growing pool %zu\n", counts[0], grown);
}

constexpr std::size_t trail_size = tofu::engine::trail::most_bytes;

/// Bytes of one of many groups.
std::size_t bytes_of_group(tofu::reactor& engine, std::vector<tofu::channel_group>& groups) {
    constexpr std::size_t count = 1000;
    groups.clear();
    groups.reserve(count);
    const std::size_t before = tofu_test::bytes_alive;
    for (std::size_t i = 0; i < count; ++i) groups.push_back(engine.create_group());
    return (tofu_test::bytes_alive - before) / count;
}

/// Gives each group a chain of messages that is worth a trail, if an I/O thread serves the group.
void flood(std::vector<tofu::channel_group>& groups) {
    for (tofu::channel_group& group : groups) {
        for (int i = 0; i < 40; ++i) group.update_receiver();
        for (int i = 0; i < 40; ++i) CHECK(group.wait_receive(0ms));
    }
}

/// A group allocates its trail only for a long chain, and works without that memory.
void measure_groups() {
    for (const tofu::driven_by who : {tofu::driven_by::io_thread, tofu::driven_by::caller}) {
        tofu::reactor engine({}, who);
        std::vector<tofu::channel_group> groups;
        const std::size_t each = bytes_of_group(engine, groups);
        std::printf("a group takes %zu bytes\n", each);
        CHECK(each <= 1024);
        groups.resize(10);
        const auto grown = [&] {
            const std::size_t before = tofu_test::bytes_alive - engine.stats().messages_free * sizeof(tofu::message);
            flood(groups);
            return tofu_test::bytes_alive - engine.stats().messages_free * sizeof(tofu::message) - before;
        };
        flood(groups); // the pool has its messages now
        groups = std::vector<tofu::channel_group>();
        groups.push_back(engine.create_group());
        tofu_test::refused_size = trail_size;
        CHECK(grown() < trail_size);
        tofu_test::refused_size = 0;
        const bool crosses = who == tofu::driven_by::io_thread;
        CHECK((grown() >= trail_size) == crosses);
        CHECK(grown() < trail_size); // once
    }
}

} // namespace

int main() {
    measure_groups();
    drive_to_the_limit();
    fill_the_queues();
    count_allocations_of_channels();
    CHECK(tofu_test::bytes_alive == 0);
    std::puts("everything given back");
}
