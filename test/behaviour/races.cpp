// SPDX-License-Identifier: BSL-1.0
// Many threads use one engine that loses a peer, a group or itself. Every accepted message is sent or comes back.
#include "support/eight_threads.hpp"
#include "support/harness.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

namespace {

/// The ways in which a channel ends while eight threads post on it.
enum class ending { closes, resets, half_closes, says_bye, violates, we_abort, we_say_bye };
constexpr std::array all_endings{ending::closes,   ending::resets,   ending::half_closes, ending::says_bye,
                                 ending::violates, ending::we_abort, ending::we_say_bye};
constexpr std::array ending_names{"the peer closes",   "the peer resets",   "the peer half-closes",
                                  "the peer says bye", "the peer violates", "we abort",
                                  "we say bye"};

/// The threads' messages have ids of their own: thread + 1 in the upper half, a running number in the lower.
constexpr std::uint64_t id_of(std::uint64_t thread, std::uint64_t number) { return (thread + 1) << 32 | number; }

/// The fate of the threads' messages.
struct account {
    [[nodiscard]] std::uint64_t total() const {
        return std::accumulate(accepted.begin(), accepted.end(), std::uint64_t{0});
    }
    std::array<std::uint64_t, 8> accepted{}; ///< each written by its thread
    std::atomic<int> wrong{0};               ///< events that must never happen
    std::set<std::uint64_t> returned;        ///< by the receiving thread
    std::uint64_t byes_accepted = 0;         ///< by the receiving thread
    std::uint64_t byes_returned = 0;
    bool goodbye = false;
};

/// Posts until the channel refuses; every second thread waits for room.
void post_until_refused(any_group& group, std::uint16_t channel, const tofu::message& original, std::size_t thread,
                        account& books) {
    std::error_code error;
    tofu::message_ptr m;
    for (std::uint64_t number = 0;;) {
        if (!m) m = clone(const_cast<tofu::message&>(original), error);
        m->header().channel_number = channel;
        m->header().op = op_code::signal;
        m->header().message_id = id_of(thread, number);
        if (thread % 2 == 0)
            group.wait_post(std::move(m), patience, error);
        else
            group.post(std::move(m), error);
        if (!error) {
            if (m) ++books.wrong; // accepted, and still here
            ++number;
            books.accepted[thread] = number;
            continue;
        }
        if (!m || m->header().message_id != id_of(thread, number)) ++books.wrong; // refused, and gone or changed
        if (error == status::send_failed && thread % 2 == 1) {
            std::this_thread::yield();
            continue;
        }
        if (error != status::invalid_channel_number && error != status::not_allowed &&
            error != status::shutdown_started)
            ++books.wrong;
        return;
    }
}

/// Receives until the goodbye, answering a bye_request.
void receive_until_goodbye(any_group& group, std::uint16_t channel, account& books) {
    std::error_code error;
    while (tofu::message_ptr m = group.wait_receive(patience, error)) {
        if (!m->from_engine()) {
            if (m->op() != op_code::bye_request) continue;
            group.post(answer(std::move(m), op_code::bye_response), error);
            if (!error) ++books.byes_accepted;
            continue;
        }
        if (m->header().channel_number != channel) ++books.wrong;
        if (m->status() == status::channel_closed && m->header().message_id == 0) {
            books.goodbye = true;
            return;
        }
        if (m->status() == status::success) ++books.wrong; // it has to say why
        if (m->op() == op_code::bye_response || m->op() == op_code::bye_request)
            ++books.byes_returned;
        else if (!books.returned.insert(m->header().message_id).second)
            ++books.wrong; // came back twice
    }
}

/// The number of messages that the peer has got from each thread: in order, without a gap.
struct arrivals {
    bool take(const tofu::binary_header& h) {
        if (h.op != op_code::signal) return true;
        if (h.origin == tofu::origin::engine) return h.status() == status::pool_empty; // the receiver cannot keep up
        const auto thread = static_cast<std::size_t>((h.message_id >> 32) - 1);
        return next.at(thread)++ == (h.message_id & 0xFFFFFFFF);
    }
    [[nodiscard]] std::uint64_t total() const { return std::accumulate(next.begin(), next.end(), std::uint64_t{0}); }
    std::array<std::uint64_t, 8> next{};
};

/// The peer's part: reads a while, ends the conversation its way, and reads what still comes if it can.
void end_conversation(raw_socket& peer, ending how, any_group& group, std::uint16_t channel, tofu::message_ptr our_end,
                      arrivals& got, account& books) {
    std::error_code error;
    for (int i = 0; i < 200; ++i) {
        const auto m = peer.receive();
        BOOST_REQUIRE(m);
        BOOST_REQUIRE(got.take(m->header));
    }
    switch (how) {
    case ending::closes: peer.close(); return;
    case ending::resets: peer.reset(); return;
    case ending::half_closes: peer.shutdown_write(); break;
    case ending::says_bye: peer.send({.op = op_code::bye_request, .message_id = 1}); break;
    case ending::violates: peer.send({.op = op_code::welcome_request, .message_id = 1}); break;
    case ending::we_abort:
    case ending::we_say_bye:
        our_end->header().op = how == ending::we_abort ? op_code::bye_signal : op_code::bye_request;
        our_end->header().channel_number = channel;
        group.post(std::move(our_end), error);
        BOOST_REQUIRE(!error);
        if (how == ending::we_say_bye) ++books.byes_accepted;
    }
    peer.read_ahead();
    while (const auto m = peer.receive()) {
        BOOST_REQUIRE(got.take(m->header));
        if (m->header.op == op_code::bye_request) peer.send({.op = op_code::bye_response, .message_id = 1});
        if (m->header.op == op_code::bye_response || m->header.op == op_code::bye_request) peer.shutdown_write();
    }
}

/// True if the peer reads to the end, so that every message that it did not get came back.
bool reads_all(ending how) {
    return how == ending::half_closes || how == ending::says_bye || how == ending::we_say_bye;
}

void expect_balanced(const account& books, const arrivals& got, ending how, std::uint64_t sent_by_engine) {
    BOOST_TEST(books.wrong == 0);
    BOOST_TEST(books.goodbye);
    for (std::size_t thread = 0; thread < 8; ++thread) {
        // Of one thread's messages the first ones went out and the rest came back.
        const auto first = books.returned.lower_bound(id_of(thread, 0));
        const auto last = books.returned.lower_bound(id_of(thread + 1, 0));
        const auto returned = static_cast<std::uint64_t>(std::distance(first, last));
        BOOST_TEST(got.next[thread] <= books.accepted[thread] - returned);
        if (returned != 0) BOOST_TEST(*first == id_of(thread, books.accepted[thread] - returned));
        if (reads_all(how)) BOOST_TEST(got.next[thread] == books.accepted[thread] - returned);
    }
    // Handed to the kernel or returned: there is no third way. One more is the hello_response.
    BOOST_TEST(books.total() + books.byes_accepted + 1 == sent_by_engine + books.returned.size() + books.byes_returned);
}

void post_while_the_channel_ends(const setting& here, ending how) {
    dialogue talk(here, {.max_queued_messages = 300});
    raw_socket peer(talk.engine, talk.listen());
    peer.say_hello();
    const std::uint16_t channel = talk.accept();
    BOOST_REQUIRE(peer.receive()); // the hello_response
    std::array<tofu::message_ptr, 8> originals;
    for (tofu::message_ptr& m : originals) m = make(talk.engine, op_code::signal, channel, std::string(300, 'x'));
    account books;
    arrivals got;
    side_thread receiver([&] { receive_until_goodbye(talk.server, channel, books); });
    side_thread posters([&] {
        on_eight_threads(
            [&](std::size_t thread) { post_until_refused(talk.server, channel, *originals[thread], thread, books); });
    });
    end_conversation(peer, how, talk.server, channel, talk.engine.get(), got, books);
    posters.join();
    receiver.join();
    expect_balanced(books, got, how, talk.engine.stats().messages_sent);
}

/// Talks to itself through one group, conversation after conversation, until the engine is gone, and keeps the book of
/// channels: each that is announced says goodbye once.
class self_talk {
public:
    self_talk(const setting& here, any_reactor& engine)
        : here_(here), group_(engine.create_group()), blank_(engine.get()) {}

    /// `conversations`: the number to begin, one after the other.
    void run(int conversations) {
        conversations_ = conversations;
        tofu::message_ptr m = copy();
        static_cast<void>(m->listen_on(here_.new_address()));
        open(std::move(m));
        std::error_code error;
        while (!over_) {
            tofu::message_ptr received = group_.wait_receive(patience, error);
            if (!received) {
                if (error != status::shutdown_started || !channels_.empty()) ++wrong; // late, or a goodbye is missing
                return;
            }
            if (received->from_engine())
                notice(std::move(received));
            else
                converse(std::move(received));
        }
    }

    int wrong = 0;
    std::atomic<int> begun{0}; ///< conversations; any thread may look

private:
    tofu::message_ptr copy() {
        std::error_code error;
        return clone(*blank_, error);
    }
    void post(tofu::message_ptr m) {
        std::error_code error;
        group_.post(std::move(m), error);
        if (error && error != status::shutdown_started && error != status::invalid_channel_number &&
            error != status::not_allowed)
            ++wrong;
    }
    void open(tofu::message_ptr m) {
        std::error_code error;
        const tofu::binary_header sent = group_.post(std::move(m), error);
        if (!error && !channels_.insert(sent.channel_number).second) ++wrong; // a number that lives
        if (error && error != status::shutdown_started) ++wrong;
    }
    void say_hello() {
        if (conversations_-- == 0) {
            over_ = true; // with everything still open
            return;
        }
        ++begun;
        tofu::message_ptr m = copy();
        static_cast<void>(m->connect_to(address_));
        open(std::move(m));
    }
    void converse(tofu::message_ptr m) {
        switch (m->op()) {
        case op_code::hello_request:
            if (!channels_.insert(m->header().channel_number).second) ++wrong;
            post(answer(std::move(m), op_code::hello_response));
            break;
        case op_code::hello_response: post(answer(std::move(m), op_code::request)); break;
        case op_code::request: post(answer(std::move(m), op_code::response)); break;
        case op_code::response:
            post(answer(std::move(m), begun % 3 == 0 ? op_code::bye_signal : op_code::bye_request));
            say_hello();
            break;
        case op_code::bye_request: post(answer(std::move(m), op_code::bye_response)); break;
        default: break;
        }
    }
    void notice(tofu::message_ptr m) {
        if (m->op() == op_code::welcome_response && m->status() == status::success) {
            address_ = tofu::parse_address(m->headers().find(tofu::listen_on_header)).value;
            say_hello();
        } else if (m->headers().contains(tofu::reason_header)) {
            if (channels_.erase(m->header().channel_number) != 1) ++wrong; // a second goodbye, or a stranger's
        }
    }

    setting here_;
    any_group group_;
    tofu::message_ptr blank_;
    tofu::address address_;
    std::set<std::uint16_t> channels_;
    int conversations_ = 0;
    bool over_ = false;
};

/// Receives what a peer of another engine sends until it is gone.
void receive_from_threads(any_group& group, arrivals& got, account& books) {
    std::error_code error;
    while (const tofu::message_ptr m = group.wait_receive(patience, error)) {
        if (m->from_engine() && m->status() == status::pool_empty) continue; // it cannot keep up
        if (m->from_engine()) {
            books.goodbye = reason_of(*m) == "peer_disconnected";
            return;
        }
        if (!got.take(m->header())) ++books.wrong;
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(races)

TOFU_TEST_CASE(every_accepted_post_goes_out_or_comes_back_before_the_goodbye, here) {
    for (std::size_t i = 0; i < all_endings.size(); ++i) BOOST_TEST_CONTEXT(ending_names[i]) {
            post_while_the_channel_ends(here, all_endings[i]);
        }
}

TOFU_TEST_CASE(every_accepted_post_goes_out_or_comes_back_when_the_engine_stops, here) {
    for (int round = 0; round < 3; ++round) {
        dialogue other(here);
        std::optional<any_reactor> engine(std::in_place, here, tofu::options{.max_queued_messages = 100});
        auto group = engine->create_group();
        tofu::message_ptr hello = engine->get();
        BOOST_REQUIRE(hello->connect_to(other.listen()) == status::success);
        const std::uint16_t channel = group.post(std::move(hello)).channel_number;
        engine->drain(patience);
        other.accept();
        BOOST_REQUIRE(group.wait_receive(patience));
        std::array<tofu::message_ptr, 8> originals;
        for (tofu::message_ptr& m : originals) m = make(*engine, op_code::signal, channel, std::string(300, 'x'));

        account books;
        account other_books;
        arrivals got;
        std::atomic<bool> flows{false};
        side_thread other_receiver([&] { receive_from_threads(other.server, got, other_books); });
        side_thread receiver([&] { receive_until_goodbye(group, channel, books); });
        side_thread posters([&] {
            on_eight_threads([&](std::size_t thread) {
                flows = true;
                post_until_refused(group, channel, *originals[thread], thread, books);
            });
        });
        while (!flows || engine->stats().messages_sent < 500) std::this_thread::yield();
        engine.reset();
        posters.join();
        receiver.join();
        other_receiver.join();
        BOOST_TEST(books.wrong + other_books.wrong == 0);
        BOOST_TEST(books.goodbye);
        BOOST_TEST(other_books.goodbye);
        BOOST_TEST(books.total() == got.total() + books.returned.size());
        std::error_code error;
        BOOST_TEST((group.wait_receive(patience, error) == nullptr)); // nothing after the goodbye
        BOOST_TEST((error == status::shutdown_started));
    }
}

TOFU_TEST_CASE(groups_and_channels_come_and_go_on_eight_threads, here) {
    any_reactor engine(here);
    std::atomic<int> wrong{0};
    on_eight_threads([&](std::size_t thread) {
        for (int i = 0; i < 8; ++i) {
            self_talk talk(here, engine);
            talk.run((i + static_cast<int>(thread)) % 5);
            wrong += talk.wrong;
        }
    });
    BOOST_TEST(wrong == 0);
    await_channels(engine, 0);
    BOOST_TEST(engine.stats().credit_used == 0U);
}

TOFU_TEST_CASE(an_engine_that_ends_in_the_middle_ends_every_channel_of_eight_threads_once, here) {
    for (int round = 0; round < 5; ++round) {
        std::optional<any_reactor> engine(std::in_place, here);
        std::array<std::unique_ptr<self_talk>, 8> talks;
        for (auto& talk : talks) talk = std::make_unique<self_talk>(here, *engine);
        side_thread threads([&] { on_eight_threads([&](std::size_t thread) { talks[thread]->run(1'000'000); }); });
        const auto all_begun = [&] {
            return std::all_of(talks.begin(), talks.end(), [round](auto& talk) { return talk->begun >= round; });
        };
        while (!all_begun()) std::this_thread::yield();
        engine.reset();
        threads.join();
        for (const auto& talk : talks) BOOST_TEST(talk->wrong == 0);
    }
}

TOFU_TEST_CASE(groups_are_destroyed_on_eight_threads_while_the_engine_ends, here) {
    for (int round = 0; round < 5; ++round) {
        std::optional<any_reactor> engine(std::in_place, here);
        std::array<std::unique_ptr<self_talk>, 8> talks;
        for (auto& talk : talks) talk = std::make_unique<self_talk>(here, *engine);
        std::atomic<int> wrong{0};
        std::atomic<int> finished{0};
        side_thread threads([&] {
            on_eight_threads([&](std::size_t thread) {
                talks[thread]->run(static_cast<int>(thread));
                wrong += talks[thread]->wrong;
                ++finished;
                talks[thread].reset();
            });
        });
        while (finished <= round) std::this_thread::yield();
        engine.reset();
        threads.join();
        BOOST_TEST(wrong == 0);
    }
}

// TCP only: nothing travels.
TOFU_TEST_CASE(receivers_that_wait_for_ever_learn_that_the_engine_is_gone, here, tcp_only) {
    for (int round = 0; round < 20; ++round) {
        std::optional<any_reactor> engine(std::in_place, here);
        std::array<any_group, 8> groups;
        for (auto& group : groups) group = engine->create_group();
        std::atomic<int> wrong{0};
        std::atomic<int> begun{0};
        side_thread threads([&] {
            on_eight_threads([&](std::size_t thread) {
                ++begun;
                std::error_code error;
                const tofu::message_ptr m = groups[thread].wait_receive(error);
                if (m || error != status::shutdown_started) ++wrong;
            });
        });
        while (begun < 8) std::this_thread::yield();
        for (int i = 0; i < round * 20; ++i) std::this_thread::yield(); // now sooner, now later
        engine.reset();
        threads.join();
        BOOST_TEST(wrong == 0);
    }
}

TOFU_TEST_CASE(eight_threads_that_wait_for_room_all_get_through, here) {
    dialogue talk(here, {.max_queued_messages = 3});
    const auto link = talk.connect();
    std::array<tofu::message_ptr, 8> originals;
    for (tofu::message_ptr& m : originals) m = make(talk.engine, op_code::signal, link.client, std::string(2000, 'x'));
    constexpr std::uint64_t each = 150;
    std::atomic<int> wrong{0};
    side_thread posters([&] {
        on_eight_threads([&](std::size_t thread) {
            std::error_code error;
            for (std::uint64_t number = 0; number < each; ++number) {
                tofu::message_ptr m = clone(*originals[thread], error);
                m->header().message_id = id_of(thread, number);
                talk.client.wait_post(std::move(m), patience, error);
                if (error || m) ++wrong;
            }
        });
    });
    arrivals got;
    while (got.total() < 8 * each) BOOST_REQUIRE(got.take(talk.next(talk.server)->header()));
    posters.join();
    BOOST_TEST(wrong == 0);
    for (const std::uint64_t count : got.next) BOOST_TEST(count == each);
}

TOFU_TEST_CASE(messages_released_on_other_threads_wake_a_starved_engine, here) {
    dialogue talk(here, {.max_messages = 16});
    const auto link = talk.connect();
    const tofu::message_ptr original = make(talk.engine, op_code::signal, link.client, "x");
    constexpr std::uint64_t all = 400;
    std::atomic<int> wrong{0};
    side_thread poster([&] {
        std::error_code error;
        for (std::uint64_t number = 0; number < all; ++number) {
            tofu::message_ptr m = clone(*original, error);
            m->header().message_id = id_of(0, number);
            talk.client.wait_post(std::move(m), patience, error);
            if (error) ++wrong;
        }
    });
    arrivals got;
    std::vector<tofu::message_ptr> held;
    std::optional<side_thread> releaser;
    int notices = 0;
    while (got.next[0] < all) {
        tofu::message_ptr m = talk.next(talk.server);
        if (!m->from_engine()) {
            BOOST_REQUIRE(got.take(m->header()));
            held.push_back(std::move(m));
            continue;
        }
        BOOST_REQUIRE((m->status() == status::pool_empty));
        ++notices;
        releaser.emplace([held = std::move(held)]() mutable { held.clear(); }); // while we wait for more
        held.clear();
    }
    releaser.reset();
    poster.join();
    BOOST_TEST(wrong == 0);
    BOOST_TEST(notices >= 10); // 400 messages, 16 at a time
}

// TCP only: nothing travels.
TOFU_TEST_CASE(a_receiver_gets_the_updates_of_eight_threads_each_in_its_order, here, tcp_only) {
    any_reactor engine(here);
    auto group = engine.create_group();
    constexpr std::uint64_t each = 1000;
    std::atomic<int> wrong{0};
    side_thread threads([&] {
        on_eight_threads([&](std::size_t thread) {
            std::error_code error;
            for (std::uint64_t number = 0; number < each; ++number) {
                tofu::message_ptr m = engine.get(tofu::allocation::always, error);
                m->header().op = op_code::signal;
                m->header().message_id = id_of(thread, number);
                group.update_receiver(std::move(m), error);
                if (error || m) ++wrong;
            }
        });
    });
    arrivals got;
    for (std::uint64_t i = 0; i < 8 * each; ++i) {
        const tofu::message_ptr m = group.wait_receive(patience);
        BOOST_REQUIRE(m);
        BOOST_REQUIRE((m->status() == status::receiver_update));
        BOOST_REQUIRE(got.take(m->header()));
    }
    threads.join();
    BOOST_TEST(wrong == 0);
    BOOST_TEST((group.wait_receive(0ms) == nullptr));
}

BOOST_AUTO_TEST_SUITE_END()
