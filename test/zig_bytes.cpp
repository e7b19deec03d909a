// SPDX-License-Identifier: BSL-1.0
// A recorded conversation of two programs of the Zig implementation, with one of the two replaced by ours: byte for
// byte the same. Channel numbers go round from 1, so using up the numbers before makes ours the recorded ones, too.
#include "harness.hpp"
#include "zig_conversation.hpp"

#include <tofu/engine/frame_reader.hpp>
#include <tofu/engine/frame_writer.hpp>

using namespace tofu_test;
using tofu::op_code;
using zig_conversation::line;
using zig_conversation::lines;

BOOST_AUTO_TEST_SUITE(zig_bytes)

std::string hex(std::span<const std::byte> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::byte one : bytes) {
        text.push_back(digits[std::to_integer<std::size_t>(one >> 4)]);
        text.push_back(digits[std::to_integer<std::size_t>(one & std::byte{15})]);
    }
    return text;
}

std::string hex_of(const line& captured) {
    return std::string(captured.header) + std::string(captured.text_headers) + std::string(captured.body);
}

/// Fills in everything the recorded message says but the channel number.
void fill(tofu::message& m, const line& captured, std::uint16_t channel) {
    m.header() = captured.meaning;
    m.header().channel_number = channel;
    BOOST_REQUIRE(m.headers().assign_wire(zig_conversation::text_of(captured.text_headers)));
    m.body().clear();
    BOOST_REQUIRE(m.body().append(zig_conversation::text_of(captured.body)));
}

void check_same(const tofu::message& m, const line& captured, std::uint16_t channel) {
    tofu::binary_header expected = captured.meaning;
    expected.channel_number = channel;
    BOOST_TEST((m.header() == expected));
    BOOST_TEST(m.headers().wire() == zig_conversation::text_of(captured.text_headers));
    BOOST_TEST(body_of(m) == zig_conversation::text_of(captured.body));
}

BOOST_AUTO_TEST_CASE(the_frame_writer_writes_the_recorded_bytes) {
    for (const bool from_client : {true, false}) {
        tofu::engine::frame_writer writer;
        std::array<tofu::message, lines.size()> messages;
        std::size_t count = 0;
        for (const line& captured : lines) {
            if (captured.from_client != from_client) continue;
            fill(messages[count], captured, captured.meaning.channel_number);
            writer.push(messages[count++]);
        }
        tofu::engine::gather_list list;
        writer.gather(list, list.byte_limit);
        std::vector<std::byte> written;
        for (const tofu::const_buffer& part : list.buffers())
            written.insert(written.end(), part.data, part.data + part.size);
        BOOST_TEST(hex(written) == hex(zig_conversation::stream_of(from_client)));
        static_cast<void>(writer.abandon());
    }
}

BOOST_AUTO_TEST_CASE(the_frame_reader_reads_the_recorded_bytes_however_they_are_cut) {
    for (const bool from_client : {true, false}) {
        const std::vector<std::byte> stream = zig_conversation::stream_of(from_client);
        for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
            tofu::engine::frame_reader reader;
            tofu::message storage;
            auto expected = lines.begin();
            for (std::size_t at = 0; at < stream.size(); at += piece) {
                auto input = std::span(stream).subspan(at, std::min(piece, stream.size() - at));
                while (!input.empty() || reader.awaits_storage() || reader.message_complete()) {
                    const auto step = reader.consume(input);
                    if (step == tofu::engine::frame_reader::step::need_bytes) break;
                    if (step == tofu::engine::frame_reader::step::header) {
                        BOOST_REQUIRE(reader.store_in(storage) == tofu::status::success);
                        continue;
                    }
                    while (expected->from_client != from_client) ++expected;
                    check_same(*reader.take(), *expected, expected->meaning.channel_number);
                    ++expected;
                }
            }
            BOOST_TEST(!reader.in_progress());
            while (expected != lines.end() && expected->from_client != from_client) ++expected;
            BOOST_TEST((expected == lines.end()));
        }
    }
}

// These two use up tens of thousands of numbers, of which neither poll policies nor transports know, and the
// conversation was recorded on TCP: one poll policy and TCP only.
TOFU_TEST_CASE(our_client_says_what_the_recorded_one_said, here, defaults_only& tcp_only) {
    script play;
    scripted_dialogue talk(here, play);
    raw_listener listener(talk.engine, here.new_address());
    play.diverted_from = tofu::parse_address(zig_conversation::address).value;
    play.diverted_to = listener.where();
    talk.use_up_numbers(zig_conversation::client_channel - 1);

    tofu::message_ptr m = hello_request(talk.engine, play.diverted_from);
    m->header().message_id = 1;
    BOOST_TEST(talk.client.post(std::move(m)).channel_number == zig_conversation::client_channel);
    raw_socket server = listener.accept();
    for (const line& captured : lines) {
        if (!captured.from_client) {
            server.send(zig_conversation::wire_of(captured));
            check_same(*talk.next(talk.client), captured, zig_conversation::client_channel);
            continue;
        }
        if (captured.meaning.op != op_code::hello_request) {
            m = talk.engine.get();
            fill(*m, captured, zig_conversation::client_channel);
            talk.client.post(std::move(m));
        }
        BOOST_TEST(hex(server.receive_bytes(hex_of(captured).size() / 2)) == hex_of(captured));
    }
    server.close();
    talk.expect_goodbye(talk.client, zig_conversation::client_channel, "bye");
}

TOFU_TEST_CASE(our_server_answers_as_the_recorded_one_did, here, defaults_only& tcp_only) {
    dialogue talk(here);
    talk.use_up_numbers(zig_conversation::server_channel - 2); // the listener has one, too
    raw_socket client(talk.engine, talk.listen());
    tofu::message_ptr question;
    for (const line& captured : lines) {
        if (captured.from_client) {
            client.send(zig_conversation::wire_of(captured));
            question = talk.next(talk.server);
            check_same(*question, captured, zig_conversation::server_channel);
            continue;
        }
        // What a server does: the message that came goes back with another operation.
        talk.server.post(answer(std::move(question), captured.meaning.op));
        BOOST_TEST(hex(client.receive_bytes(hex_of(captured).size() / 2)) == hex_of(captured));
    }
    BOOST_TEST(client.reads_until_end());
    client.close();
    talk.expect_goodbye(talk.server, zig_conversation::server_channel, "bye");
}

TOFU_TEST_CASE(our_server_understands_the_recorded_stream_in_one_piece, here) {
    dialogue talk(here);
    raw_socket client(talk.engine, talk.listen());
    const std::vector<std::byte> hello = zig_conversation::wire_of(lines[0]);
    std::vector<std::byte> rest = zig_conversation::stream_of(true);
    rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(hello.size()));
    client.send(hello);
    const std::uint16_t number = talk.accept();
    client.send(rest);
    for (const line& captured : lines)
        if (captured.from_client && captured.meaning.op != op_code::hello_request)
            check_same(*talk.next(talk.server), captured, number);
}

BOOST_AUTO_TEST_SUITE_END()
