// SPDX-License-Identifier: BSL-1.0
// Conversations with Zig programs as bytes, replayed with tofu in the place of either side. See recordings/README.md.
#include "support/harness.hpp"
#include "support/recording.hpp"

#include <tofu/engine/protocol/frame_reader.hpp>
#include <tofu/engine/protocol/frame_writer.hpp>

#include <boost/test/tree/traverse.hpp>
#include <boost/test/tree/visitor.hpp>

#include <algorithm>
#include <memory>

BOOST_AUTO_TEST_SUITE(recordings)

using namespace tofu_test;
using tofu::op_code;
using line_kind = recorded_line::kind;

namespace {

/// The ways in which the bytes of the peer arrive.
enum class cut : std::uint8_t {
    messages,     ///< one segment for each message
    single_bytes, ///< the engine reads every byte alone
    one_segment   ///< as many messages as the peer may send ahead of an answer, in one segment
};

std::string_view name_of(cut how) {
    switch (how) {
    case cut::messages: return "message by message";
    case cut::single_bytes: return "byte by byte";
    case cut::one_segment: return "in one segment";
    }
    return "";
}

/// The bytes that tofu sends for this line: with its own channel number, and with internal bits of 0.
std::vector<std::byte> as_tofu_sends(const recorded_line& line, std::uint16_t channel) {
    std::vector<std::byte> wire = line.wire;
    wire[0] = static_cast<std::byte>(channel >> 8U);
    wire[1] = static_cast<std::byte>(channel & 0xFFU);
    wire[2] &= std::byte{0x3F};
    return wire;
}

/// Makes `m` the recorded message, with the channel number that the application knows.
void fill(tofu::message& m, const recorded_line& line, std::uint16_t channel) {
    m.header() = line.header;
    m.header().channel_number = channel;
    BOOST_REQUIRE(m.headers().assign_wire(line.text_headers));
    m.body().clear();
    BOOST_REQUIRE(m.body().append(line.body));
}

void check_received(const tofu::message& m, const recorded_line& line, std::uint16_t channel) {
    const tofu::binary_header& got = m.header();
    BOOST_TEST(to_string(got.op) == to_string(line.header.op));
    BOOST_TEST(got.channel_number == channel);
    BOOST_TEST(unsigned{got.status_byte} == unsigned{line.header.status_byte});
    BOOST_TEST(got.message_id == line.header.message_id);
    BOOST_TEST(got.more == line.header.more);
    BOOST_TEST(to_string(got.origin) == "application");
    BOOST_TEST(got.text_headers_length == line.text_headers.size());
    BOOST_TEST(got.body_length == line.body.size());
    BOOST_TEST(m.headers().wire() == line.text_headers);
    BOOST_TEST(body_of(m) == line.body);
    BOOST_TEST(!m.why()); // its status and text headers do not matter
}

/// Servers that do not answer hellos need the option. All others are replayed without it.
tofu::options options_for(const recording& what) {
    const auto first = std::find_if(what.lines.begin(), what.lines.end(), [](const recorded_line& line) {
        return line.is_message() && line.who == party::server;
    });
    tofu::options opts{.grace_time = 60s}; // single bytes take their time on a slow machine
    opts.implicit_hello = first != what.lines.end() && tofu::is_regular(first->header.op);
    return opts;
}

/// One recording, with an engine on one side and a peer of bytes on the other.
class replay {
public:
    replay(const setting& here, const recording& what, party ours, cut how)
        : lines_(what.lines)
        , ours_(ours)
        , how_(how)
        , talk_(here, play_, options_for(what))
        , group_(ours == party::client ? talk_.client : talk_.server)
        , listener_(talk_.engine, here.new_address()) {
        if (ours == party::server) peer_ = std::make_unique<raw_socket>(talk_.engine, talk_.listen());
    }

    void run() {
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            if (!lines_[i].crosses) {
                step(i);
                continue;
            }
            const bool ours_first = lines_[i].who == ours_; // the engine sends its line before it reads the other
            step(ours_first ? i : i + 1);
            step(ours_first ? i + 1 : i);
            ++i;
        }
        BOOST_TEST(hex(peer_->receive_bytes(1)) == ""); // nothing is sent that is not recorded
        talk_.turn_loop();
        BOOST_TEST(!group_.wait_receive(0ns)); // and nothing is told
    }

private:
    void step(std::size_t i) {
        const recorded_line& line = lines_[i];
        BOOST_TEST_CONTEXT(line.text) {
            const bool is_ours = line.who == ours_;
            switch (line.what) {
            case line_kind::message: is_ours ? say(line) : hear(i); break;
            case line_kind::half_close: // a program of tofu cannot do that, and its peer does not need it
                if (!is_ours && !half_closed_) half_close();
                break;
            case line_kind::end: is_ours ? expect_end() : peer_->shutdown_write(); break;
            case line_kind::goodbye:
                if (is_ours) talk_.expect_goodbye(group_, channel_, line.reason);
                break;
            case line_kind::not_opened:
                if (is_ours) talk_.expect_failed(group_, op_code::hello_response, hello_, line.status, line.reason);
                break;
            case line_kind::refused:
                if (is_ours) talk_.await([&] { return talk_.engine.stats().refused == 1; });
                break;
            }
        }
    }

    /// When this returns, the engine has read the end of the stream.
    void half_close() {
        half_closed_ = true;
        peer_->shutdown_write();
        talk_.turn_loop();
    }

    void expect_end() { BOOST_TEST(hex(peer_->receive_bytes(1)) == ""); }

    /// Posts the line's message, in the last received message if there is one. The peer compares the bytes.
    void say(const recorded_line& line) {
        tofu::message_ptr m = last_ ? std::move(last_) : talk_.engine.get();
        fill(*m, line, channel_);
        if (line.header.op == op_code::hello_request) {
            play_.diverted_from = tofu::parse_address(m->headers().find(tofu::connect_to_header)).value;
            play_.diverted_to = listener_.where();
            hello_ = group_.post(std::move(m));
            channel_ = hello_.channel_number;
            peer_.reset(new raw_socket(listener_.accept()));
        } else {
            group_.post(std::move(m));
        }
        if (!line.arrives) return; // bytes of it would be found at the end of the stream
        BOOST_TEST(hex(peer_->receive_bytes(line.wire.size())) == hex(as_tofu_sends(line, channel_)));
    }

    /// The peer sends it, the application receives it.
    void hear(std::size_t i) {
        const recorded_line& line = lines_[i];
        send(i);
        if (!line.arrives) return; // a message would be found in place of the goodbye
        last_ = talk_.next(group_);
        if (line.header.op == op_code::hello_request) channel_ = last_->header().channel_number;
        check_received(*last_, line, channel_);
    }

    void send(std::size_t i) {
        switch (how_) {
        case cut::messages: peer_->send(lines_[i].wire); break;
        case cut::single_bytes:
            for (const std::byte& one : lines_[i].wire) {
                const std::uint64_t before = talk_.engine.stats().bytes_received;
                peer_->send({&one, 1});
                talk_.await([&] { return talk_.engine.stats().bytes_received != before; });
            }
            break;
        case cut::one_segment:
            if (i < sent_until_) break;
            peer_->send(segment_from(i));
            if (is_half_close_of_peer(sent_until_)) half_close();
            break;
        }
    }

    [[nodiscard]] bool is_half_close_of_peer(std::size_t i) const {
        return i < lines_.size() && lines_[i].what == line_kind::half_close && lines_[i].who != ours_;
    }

    /// The bytes that the peer can send from this line on. Two kinds of messages wait for our side's messages before
    /// them: a bye_response, and a message that ends the conversation.
    std::vector<std::byte> segment_from(std::size_t i) {
        std::vector<std::byte> segment;
        bool overtakes = false;
        for (; i < lines_.size() && lines_[i].is_message(); ++i) {
            const recorded_line& line = lines_[i];
            const bool waits = line.header.op == op_code::bye_response || !line.arrives;
            if (line.who == ours_)
                overtakes = true;
            else if (overtakes && waits)
                break;
            else
                segment.insert(segment.end(), line.wire.begin(), line.wire.end());
        }
        sent_until_ = i;
        return segment;
    }

    const std::vector<recorded_line>& lines_;
    party ours_;
    cut how_;
    script play_;
    scripted_dialogue talk_;
    any_group& group_;
    raw_listener listener_;
    std::unique_ptr<raw_socket> peer_;
    std::uint16_t channel_ = tofu::no_channel; ///< ours
    tofu::binary_header hello_;                ///< as it was posted
    tofu::message_ptr last_;                   ///< received, not posted
    bool half_closed_ = false;                 ///< the peer has ended its direction early
    std::size_t sent_until_ = 0;               ///< lines before this one are sent, in one segment
};

/// Plays the recording on each side it is complete for, with each way to cut the bytes.
void play(const setting& here, std::string_view name) {
    const recording what = recording_named(name);
    for (const party ours : {party::server, party::client}) {
        if (!what.ends_for(ours)) continue;
        for (const cut how : {cut::messages, cut::single_bytes, cut::one_segment})
            BOOST_TEST_CONTEXT("tofu is the " << (ours == party::server ? "server" : "client") << ", "
                                              << name_of(how)) {
                replay(here, what, ours, how).run();
            }
    }
}

} // namespace

// Without sockets.

BOOST_AUTO_TEST_CASE(the_frame_writer_writes_the_recorded_bytes) {
    for (const recording_file& file : recording_files()) {
        const recording what = recording_named(file.name);
        for (const recorded_line& line : what.lines) {
            if (!line.is_message()) continue;
            tofu::engine::frame_writer writer;
            tofu::message m;
            fill(m, line, line.header.channel_number);
            writer.push(m);
            tofu::engine::gather_list list;
            writer.gather(list, list.byte_limit);
            std::vector<std::byte> written;
            for (const tofu::const_buffer& part : list.buffers())
                written.insert(written.end(), part.data, part.data + part.size);
            BOOST_TEST(hex(written) == hex(as_tofu_sends(line, line.header.channel_number)), line.text);
            static_cast<void>(writer.abandon());
        }
    }
}

/// The messages of one side, cut out of its stream in pieces of this size.
void check_reading(const recording& what, party who, std::size_t piece) {
    const std::vector<std::byte> stream = what.stream_of(who);
    const auto is_next = [&](const recorded_line& line) { return line.is_message() && line.who == who; };
    auto expected = std::find_if(what.lines.begin(), what.lines.end(), is_next);
    tofu::engine::frame_reader reader;
    tofu::message storage;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
        auto input = std::span(stream).subspan(at, (std::min)(piece, stream.size() - at));
        for (;;) {
            const auto step = reader.consume(input);
            if (step == tofu::engine::frame_reader::step::need_bytes) break;
            if (step == tofu::engine::frame_reader::step::header) {
                BOOST_REQUIRE(reader.store_in(storage) == tofu::status::success);
                continue;
            }
            BOOST_REQUIRE((expected != what.lines.end()));
            const tofu::message& m = *reader.take();
            BOOST_REQUIRE((m.header() == expected->header));
            BOOST_REQUIRE(m.headers().wire() == expected->text_headers);
            BOOST_REQUIRE(body_of(m) == expected->body);
            expected = std::find_if(expected + 1, what.lines.end(), is_next);
        }
    }
    BOOST_TEST(!reader.in_progress());
    BOOST_TEST((expected == what.lines.end()));
}

BOOST_AUTO_TEST_CASE(the_frame_reader_reads_the_recorded_bytes_however_they_are_cut) {
    for (const recording_file& file : recording_files()) {
        const recording what = recording_named(file.name);
        for (const party who : {party::client, party::server})
            for (std::size_t piece = 1; piece <= what.stream_of(who).size(); ++piece)
                BOOST_TEST_CONTEXT(file.name << " in pieces of " << piece) { check_reading(what, who, piece); }
    }
}

// Whole engines. The names are those of the files.

TOFU_TEST_CASE(zig_conversation, here) { play(here, "zig_conversation"); }

TOFU_TEST_CASE(hello_without_answer_request, here) { play(here, "hello_without_answer_request"); }
TOFU_TEST_CASE(hello_without_answer_signal, here) { play(here, "hello_without_answer_signal"); }
TOFU_TEST_CASE(hello_answered_late, here) { play(here, "hello_answered_late"); }
TOFU_TEST_CASE(hello_answered_twice, here) { play(here, "hello_answered_twice"); }
TOFU_TEST_CASE(failed_hello, here) { play(here, "failed_hello"); }
TOFU_TEST_CASE(bye_request_as_the_answer_to_the_hello, here) { play(here, "bye_request_as_the_answer_to_the_hello"); }

TOFU_TEST_CASE(bye_signal_of_the_client, here) { play(here, "bye_signal_of_the_client"); }
TOFU_TEST_CASE(bye_signal_of_the_server, here) { play(here, "bye_signal_of_the_server"); }
TOFU_TEST_CASE(bye_signal_as_the_first_message, here) { play(here, "bye_signal_as_the_first_message"); }
TOFU_TEST_CASE(bye_signal_as_the_answer_to_the_hello, here) { play(here, "bye_signal_as_the_answer_to_the_hello"); }
TOFU_TEST_CASE(bye_signal_as_the_answer_to_a_request, here) { play(here, "bye_signal_as_the_answer_to_a_request"); }
TOFU_TEST_CASE(bye_signal_as_the_answer_to_a_bye_request, here) {
    play(here, "bye_signal_as_the_answer_to_a_bye_request");
}

TOFU_TEST_CASE(stale_statuses, here) { play(here, "stale_statuses"); }
TOFU_TEST_CASE(internal_bits, here) { play(here, "internal_bits"); }
TOFU_TEST_CASE(origin_of_the_engine_from_the_client, here) { play(here, "origin_of_the_engine_from_the_client"); }
TOFU_TEST_CASE(origin_of_the_engine_from_the_server, here) { play(here, "origin_of_the_engine_from_the_server"); }
TOFU_TEST_CASE(parts_with_one_id, here) { play(here, "parts_with_one_id"); }

TOFU_TEST_CASE(messages_before_the_bye_response, here) { play(here, "messages_before_the_bye_response"); }
TOFU_TEST_CASE(byes_that_cross, here) { play(here, "byes_that_cross"); }
// Without timers a channel that is done closes at once, so a late bye_response finds a closed socket.
TOFU_TEST_CASE(byes_that_cross_and_are_answered, here, with_timers) { play(here, "byes_that_cross_and_are_answered"); }
TOFU_TEST_CASE(half_close_of_the_client, here) { play(here, "half_close_of_the_client"); }
TOFU_TEST_CASE(half_close_of_the_server, here) { play(here, "half_close_of_the_server"); }

namespace {

/// Collects the names of cases without their settings.
struct names_of_cases : boost::unit_test::test_tree_visitor {
    void visit(const boost::unit_test::test_case& one) override {
        const std::string& name = one.p_name.get();
        names.push_back(name.substr(0, name.find('<')));
    }
    std::vector<std::string> names;
};

} // namespace

BOOST_AUTO_TEST_CASE(every_recording_is_played) {
    names_of_cases found;
    const auto suite = boost::unit_test::framework::current_test_unit().p_parent_id;
    boost::unit_test::traverse_test_tree(suite, found, true);
    BOOST_TEST(recording_files().size() != 0U);
    for (const recording_file& file : recording_files())
        BOOST_TEST(std::count(found.names.begin(), found.names.end(), std::string(file.name)) != 0, file.name);
}

BOOST_AUTO_TEST_SUITE_END()
