// SPDX-License-Identifier: BSL-1.0
// A send queue becomes gathered writes: the exact bytes, wherever the kernel stops taking them.
#include <boost/test/unit_test.hpp>

#include <tofu/engine/protocol/frame_writer.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <random>
#include <string>
#include <vector>

using writer = tofu::engine::frame_writer;
using tofu::engine::gather_list;
using tofu::engine::message_of;

namespace {

/// Messages with their bytes on the wire, and the list they are gathered in.
struct outgoing {
    std::deque<tofu::message> messages;
    std::string wire;
    writer w;
    gather_list list;

    void add(std::size_t text, std::size_t body) {
        tofu::message& m = messages.emplace_back();
        const char mark = static_cast<char>('a' + messages.size() % 26);
        if (text != 0) BOOST_REQUIRE(m.headers().assign_wire(std::string(text, mark)));
        std::string content(body, mark);
        for (std::size_t i = 0; i < body; ++i) content[i] = static_cast<char>(mark + static_cast<char>(i % 5));
        BOOST_REQUIRE(m.body().append(content));
        m.header() = {.channel_number = 7,
                      .op = tofu::op_code::signal,
                      .message_id = messages.size(),
                      .text_headers_length = static_cast<std::uint16_t>(text),
                      .body_length = static_cast<std::uint16_t>(body)};
        std::array<std::byte, tofu::binary_header::wire_size> header{};
        tofu::encode(m.header(), header);
        for (const std::byte b : header) wire.push_back(static_cast<char>(b));
        wire.append(m.headers().wire());
        wire.append(content);
        w.push(m);
    }
    std::string gather(std::size_t enough = gather_list::byte_limit) {
        w.gather(list, enough);
        std::string result;
        for (const tofu::const_buffer& b : list.buffers()) result.append(reinterpret_cast<const char*>(b.data), b.size);
        BOOST_REQUIRE_EQUAL(result.size(), list.bytes());
        return result;
    }
    /// The messages that are out, which must be the oldest ones.
    std::size_t sent(std::size_t bytes) {
        std::size_t count = 0;
        w.sent(bytes, [&](tofu::message& m, std::size_t size) {
            BOOST_TEST(m.header().message_id == ++retired);
            BOOST_TEST(m.wire_size() == size);
            ++count;
        });
        return count;
    }
    std::size_t retired = 0;
};

/// The number of whole messages in the first `bytes` of the stream.
std::size_t whole_messages(const outgoing& out, std::size_t bytes) {
    std::size_t count = 0;
    for (const tofu::message& m : out.messages) {
        if (m.wire_size() > bytes) break;
        bytes -= m.wire_size();
        ++count;
    }
    return count;
}

void add_several(outgoing& out) {
    for (const auto& [text, body] : {std::pair<std::size_t, std::size_t>{0, 0},
                                     {3, 5},
                                     {0, 600}, // pointed at
                                     {700, 0},
                                     {1, 513},
                                     {0, 512},
                                     {0, 1}})
        out.add(text, body);
}

} // namespace

BOOST_AUTO_TEST_SUITE(frame_writer)

BOOST_AUTO_TEST_CASE(a_queue_of_messages_is_one_gathered_write) {
    outgoing out;
    BOOST_TEST(out.w.empty());
    add_several(out);
    BOOST_TEST(!out.w.empty());
    BOOST_TEST(out.gather() == out.wire);
    BOOST_TEST(out.sent(out.wire.size()) == out.messages.size());
    BOOST_TEST(out.w.empty());
    BOOST_TEST(out.gather().empty());
}

BOOST_AUTO_TEST_CASE(wherever_the_kernel_stops_the_rest_follows_exactly) {
    std::size_t size = 1;
    for (std::size_t cut = 0; cut <= size; ++cut) {
        outgoing out;
        add_several(out);
        size = out.wire.size();
        BOOST_REQUIRE_EQUAL(out.gather(), out.wire);
        BOOST_REQUIRE_EQUAL(out.sent(cut), whole_messages(out, cut));
        BOOST_REQUIRE_EQUAL(out.gather(), out.wire.substr(cut));
        static_cast<void>(out.sent(size - cut));
        BOOST_REQUIRE(out.w.empty());
    }
}

BOOST_AUTO_TEST_CASE(many_short_writes_give_the_exact_bytes) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        std::mt19937 random(seed);
        outgoing out;
        std::string written;
        for (int i = 0; i < 200; ++i) {
            if (i < 100) out.add(random() % 3 == 0 ? random() % 900 : 0, random() % 900);
            const std::string offered = out.gather();
            const std::size_t taken = offered.empty() ? 0 : random() % (offered.size() + 1);
            written.append(offered, 0, taken);
            static_cast<void>(out.sent(taken));
        }
        while (!out.w.empty()) {
            const std::string offered = out.gather();
            BOOST_REQUIRE(!offered.empty());
            written += offered;
            static_cast<void>(out.sent(offered.size()));
        }
        BOOST_REQUIRE(written == out.wire);
        BOOST_REQUIRE_EQUAL(out.retired, 100U);
    }
}

BOOST_AUTO_TEST_CASE(a_half_sent_message_comes_back_as_it_was_posted) {
    for (const std::size_t cut : {1U, 15U, 16U, 17U, 36U, 37U, 40U}) {
        outgoing out;
        out.add(20, 30);
        out.add(1, 2);
        const tofu::binary_header before = out.messages.front().header();
        const std::string body(out.messages.front().body().text());
        out.gather();
        BOOST_TEST(out.sent(cut) == 0U);
        tofu::detail::node_queue back = out.w.abandon();
        BOOST_TEST(out.w.empty());
        BOOST_TEST((&message_of(*back.pop_front()) == &out.messages[0]));
        BOOST_TEST((&message_of(*back.pop_front()) == &out.messages[1]));
        BOOST_TEST(back.empty());
        BOOST_TEST((out.messages.front().header() == before));
        BOOST_TEST(out.messages.front().body().text() == body);
        BOOST_TEST(out.messages.front().headers().size_bytes() == 20U);
    }
}

BOOST_AUTO_TEST_CASE(after_abandon_the_first_byte_is_a_messages_first) {
    outgoing out;
    out.add(0, 100);
    out.gather();
    static_cast<void>(out.sent(50));
    static_cast<void>(out.w.abandon());
    out.wire.clear();
    out.add(0, 10);
    BOOST_TEST(out.gather() == out.wire);
}

BOOST_AUTO_TEST_CASE(small_parts_are_copied_side_by_side_large_ones_pointed_at) {
    outgoing small;
    for (int i = 0; i < 20; ++i) small.add(100, gather_list::copy_limit);
    small.gather();
    BOOST_TEST(small.list.buffers().size() == 1U);

    outgoing large;
    large.add(gather_list::copy_limit + 1, gather_list::copy_limit + 1);
    large.gather();
    BOOST_REQUIRE(large.list.buffers().size() == 3U);
    BOOST_TEST((large.list.buffers()[1].data == large.messages[0].headers().buffer().data()));
    BOOST_TEST((large.list.buffers()[2].data == large.messages[0].body().data()));
}

BOOST_AUTO_TEST_CASE(the_short_rest_of_a_large_part_is_copied) {
    outgoing out;
    out.add(0, 2000);
    out.add(0, 10);
    out.gather();
    static_cast<void>(out.sent(16 + 2000 - gather_list::copy_limit));
    BOOST_TEST(out.gather() == out.wire.substr(16 + 2000 - gather_list::copy_limit));
    BOOST_TEST(out.list.buffers().size() == 1U);
}

BOOST_AUTO_TEST_CASE(one_write_has_no_more_buffers_than_the_system_takes) {
    outgoing out;
    for (int i = 0; i < 100; ++i) out.add(0, 600);
    std::string written;
    while (!out.w.empty()) {
        const std::string offered = out.gather();
        BOOST_REQUIRE(!offered.empty());
        BOOST_REQUIRE(out.list.buffers().size() <= gather_list::max_buffers);
        BOOST_REQUIRE(out.list.buffers().size() + 4 > gather_list::max_buffers ||
                      offered.size() + written.size() == out.wire.size());
        written += offered;
        static_cast<void>(out.sent(offered.size()));
    }
    BOOST_TEST((written == out.wire));
}

BOOST_AUTO_TEST_CASE(copies_stay_within_their_area) {
    outgoing out;
    for (int i = 0; i < 300; ++i) out.add(0, 400);
    const std::string first = out.gather();
    BOOST_TEST(first.size() <= gather_list::copy_area);
    BOOST_TEST(first.size() > gather_list::copy_area - 416);
    std::string written;
    while (!out.w.empty()) {
        const std::string offered = out.gather();
        BOOST_REQUIRE(!offered.empty());
        written += offered;
        static_cast<void>(out.sent(offered.size()));
    }
    BOOST_TEST((written == out.wire));
}

BOOST_AUTO_TEST_CASE(one_write_is_not_larger_than_a_socket_takes) {
    outgoing out;
    for (int i = 0; i < 20; ++i) out.add(0, 65535);
    const std::string offered = out.gather(10 * gather_list::byte_limit);
    BOOST_TEST(offered.size() >= gather_list::byte_limit);
    BOOST_TEST(offered.size() < gather_list::byte_limit + 131086);
}

BOOST_AUTO_TEST_CASE(what_is_gathered_is_enough_and_no_message_more) {
    outgoing out;
    for (int i = 0; i < 20; ++i) out.add(0, 84); // a message is 100 bytes
    BOOST_TEST(out.gather(1).size() == 100U);
    BOOST_TEST(out.gather(100).size() == 100U);
    BOOST_TEST(out.gather(101).size() == 200U);
    BOOST_TEST(out.gather(100'000).size() == 2000U);
}

BOOST_AUTO_TEST_SUITE_END()
