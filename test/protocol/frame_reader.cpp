// SPDX-License-Identifier: BSL-1.0
// A byte stream becomes messages, however it is cut into pieces.
#include <boost/test/unit_test.hpp>

#include <tofu/engine/protocol/frame_reader.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <vector>

using reader = tofu::engine::frame_reader;
using step = reader::step;
using tofu::op_code;

namespace {

using bytes = std::vector<std::byte>;

struct sample {
    tofu::binary_header header;
    std::string text;
    std::string body;
    bool operator==(const sample&) const = default;
};

std::ostream& operator<<(std::ostream& out, const sample& s) {
    return out << to_string(s.header.op) << ' ' << s.header.message_id << " (" << s.text.size() << '+' << s.body.size()
               << ')';
}

std::string pattern(std::size_t size, unsigned start) {
    std::string result(size, '\0');
    for (std::size_t i = 0; i < size; ++i) result[i] = static_cast<char>('!' + (start + i * 7) % 90);
    return result;
}

sample make_sample(std::uint64_t id, std::size_t text, std::size_t body, op_code op = op_code::request) {
    sample s{{.op = op, .message_id = id}, pattern(text, static_cast<unsigned>(id)), pattern(body, 3)};
    s.header.text_headers_length = static_cast<std::uint16_t>(text);
    s.header.body_length = static_cast<std::uint16_t>(body);
    return s;
}

void append(bytes& stream, const sample& s) {
    std::array<std::byte, tofu::binary_header::wire_size> wire{};
    tofu::encode(s.header, wire);
    stream.insert(stream.end(), wire.begin(), wire.end());
    for (const std::string* part : {&s.text, &s.body})
        for (const char c : *part) stream.push_back(static_cast<std::byte>(c));
}

bytes stream_of(const std::vector<sample>& all) {
    bytes stream;
    for (const sample& s : all) append(stream, s);
    return stream;
}

const std::vector<sample>& several() {
    static const std::vector<sample> all{make_sample(1, 5, 11), make_sample(2, 0, 0), make_sample(3, 0, 9),
                                         make_sample(4, 8, 0),  make_sample(5, 1, 1), make_sample(6, 0, 0)};
    return all;
}

/// Takes what a reader gives, storing every message, or skipping those with an even id.
struct taker {
    reader r;
    tofu::message store;
    std::vector<sample> got;
    bool skips_even = false;

    void decide() {
        if (skips_even && r.header().message_id % 2 == 0)
            r.skip();
        else
            BOOST_REQUIRE(r.store_in(store) == tofu::status::success);
    }
    void take() {
        BOOST_REQUIRE(r.message_complete());
        tofu::message* const m = r.take();
        BOOST_REQUIRE(m == &store);
        got.push_back({m->header(), std::string(m->headers().wire()), std::string(m->body().text())});
    }
    void feed(std::span<const std::byte> input) {
        for (;;) {
            switch (r.consume(input)) {
            case step::need_bytes: BOOST_REQUIRE(input.empty()); return;
            case step::header: decide(); break;
            case step::message: take(); break;
            }
        }
    }
    /// Fills the places as a vectored read would; the number of bytes that found a place.
    std::size_t fill_places(std::span<const std::byte> input) {
        std::size_t filled = 0;
        for (const tofu::mutable_buffer& place : r.places()) {
            const std::size_t n = std::min(place.size, input.size());
            if (n != 0) std::memcpy(place.data, input.data(), n);
            input = input.subspan(n);
            filled += n;
        }
        if (filled != 0) r.advance(filled);
        return filled;
    }
    /// Places first, the rest by consume.
    void feed_in_place(std::span<const std::byte> input) {
        while (!input.empty()) {
            input = input.subspan(fill_places(input));
            feed({}); // takes the steps that are due now
        }
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(frame_reader)

BOOST_AUTO_TEST_CASE(a_stream_of_messages_comes_out_as_it_went_in) {
    taker t;
    t.feed(stream_of(several()));
    BOOST_TEST(t.got == several(), boost::test_tools::per_element());
    BOOST_TEST(!t.r.in_progress());
}

BOOST_AUTO_TEST_CASE(every_split_of_a_stream_gives_the_same_messages) {
    const bytes stream = stream_of(several());
    for (std::size_t first = 0; first <= stream.size(); ++first) {
        for (std::size_t second = first; second <= stream.size(); ++second) {
            taker t;
            t.feed(std::span(stream).first(first));
            t.feed(std::span(stream).subspan(first, second - first));
            t.feed(std::span(stream).subspan(second));
            BOOST_REQUIRE((t.got == several()));
        }
    }
}

BOOST_AUTO_TEST_CASE(bytes_read_straight_into_the_places_give_the_same_messages) {
    const bytes stream = stream_of(several());
    for (std::size_t chunk = 1; chunk <= stream.size(); ++chunk) {
        taker t;
        for (std::size_t at = 0; at < stream.size(); at += chunk)
            t.feed_in_place(std::span(stream).subspan(at, std::min(chunk, stream.size() - at)));
        BOOST_REQUIRE((t.got == several()));
    }
}

BOOST_AUTO_TEST_CASE(places_are_the_rest_of_the_header_and_then_of_both_parts) {
    taker t;
    const bytes stream = stream_of({make_sample(1, 10, 20)});
    BOOST_TEST(t.r.places()[0].size == 16U);
    BOOST_TEST(t.fill_places(std::span(stream).first(5)) == 5U);
    BOOST_TEST(t.r.places()[0].size == 11U);
    BOOST_TEST(t.r.places()[1].size == 0U);
    t.fill_places(std::span(stream).subspan(5, 11));
    BOOST_TEST(t.r.awaits_storage());
    BOOST_TEST(t.r.places()[0].size == 0U); // a decision is due
    t.decide();
    BOOST_TEST(t.r.places()[0].size == 10U);
    BOOST_TEST(t.r.places()[1].size == 20U);
    t.fill_places(std::span(stream).subspan(16, 12));
    BOOST_TEST(t.r.places()[0].size + t.r.places()[1].size == 18U);
    t.fill_places(std::span(stream).subspan(28));
    BOOST_TEST(t.r.message_complete());
    t.take();
    BOOST_TEST(t.got.front() == make_sample(1, 10, 20));
}

BOOST_AUTO_TEST_CASE(a_header_waits_for_its_decision_and_nothing_behind_it_is_consumed) {
    reader r;
    const bytes stream = stream_of({make_sample(9, 3, 4)});
    std::span<const std::byte> input(stream);
    for (int again = 0; again < 3; ++again) {
        BOOST_TEST((r.consume(input) == step::header));
        BOOST_TEST(input.size() == 7U);
        BOOST_TEST(r.awaits_storage());
        BOOST_TEST(!r.holds_message());
    }
    BOOST_TEST(r.header().message_id == 9U);
    BOOST_TEST(r.total() == 7U);
}

BOOST_AUTO_TEST_CASE(an_incomplete_header_holds_no_message) {
    taker t;
    const bytes stream = stream_of({make_sample(1, 1, 1)});
    for (std::size_t i = 0; i < 15; ++i) {
        t.feed(std::span(stream).subspan(i, 1));
        BOOST_TEST(t.r.in_progress());
        BOOST_TEST(!t.r.holds_message());
    }
    t.feed(std::span(stream).subspan(15, 1));
    BOOST_TEST(t.r.holds_message());
}

BOOST_AUTO_TEST_CASE(a_message_without_parts_is_complete_with_its_header) {
    taker t;
    const bytes stream = stream_of({make_sample(1, 0, 0)});
    t.feed(std::span(stream).first(15));
    BOOST_TEST(t.got.empty());
    t.feed(std::span(stream).subspan(15));
    BOOST_TEST(t.got.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_message_buffer_used_before_takes_nothing_over) {
    taker t;
    t.feed(stream_of({make_sample(1, 100, 200), make_sample(2, 3, 0), make_sample(3, 0, 0)}));
    BOOST_TEST(t.got[1] == make_sample(2, 3, 0));
    BOOST_TEST(t.got[2] == make_sample(3, 0, 0));
}

BOOST_AUTO_TEST_CASE(skipped_messages_leave_the_others_whole_at_every_split) {
    const bytes stream = stream_of(several());
    std::vector<sample> odd;
    for (const sample& s : several())
        if (s.header.message_id % 2 == 1) odd.push_back(s);
    for (std::size_t split = 0; split <= stream.size(); ++split) {
        taker t;
        t.skips_even = true;
        t.feed(std::span(stream).first(split));
        t.feed(std::span(stream).subspan(split));
        BOOST_REQUIRE((t.got == odd));
        BOOST_REQUIRE(!t.r.in_progress());
    }
}

BOOST_AUTO_TEST_CASE(an_abandoned_reader_gives_its_incomplete_message_back_once) {
    const bytes stream = stream_of({make_sample(1, 4, 4)});
    for (std::size_t split = 0; split < stream.size(); ++split) {
        taker t;
        t.feed(std::span(stream).first(split));
        BOOST_TEST((t.r.abandon() == (split < 16 ? nullptr : &t.store)));
        BOOST_TEST((t.r.abandon() == nullptr));
    }
}

BOOST_AUTO_TEST_CASE(the_largest_message_comes_through) {
    const sample largest = make_sample(1, 65535, 65535);
    taker whole;
    whole.feed(stream_of({largest}));
    BOOST_TEST((whole.got.front() == largest));
    taker in_place;
    in_place.feed_in_place(stream_of({largest}));
    BOOST_TEST((in_place.got.front() == largest));
}

BOOST_AUTO_TEST_CASE(random_streams_in_random_pieces_come_out_whole) {
    for (unsigned seed = 1; seed <= 200; ++seed) {
        std::mt19937 random(seed);
        const auto below = [&random](std::size_t limit) { return random() % limit; };
        std::vector<sample> all;
        for (std::uint64_t id = 1; id <= 30; ++id) {
            const std::size_t limit = below(5) == 0 ? 3000 : 30;
            all.push_back(make_sample(id, below(3) == 0 ? 0 : below(limit), below(3) == 0 ? 0 : below(limit)));
        }
        taker t;
        t.skips_even = seed % 2 == 0;
        const bytes stream = stream_of(all);
        for (std::span<const std::byte> rest(stream); !rest.empty();) {
            const auto piece = rest.first(std::min(rest.size(), 1 + below(below(4) == 0 ? 2000 : 20)));
            rest = rest.subspan(piece.size());
            const std::size_t in_place = below(2) == 0 ? t.fill_places(piece) : 0;
            t.feed(piece.subspan(in_place));
        }
        if (t.skips_even) std::erase_if(all, [](const sample& s) { return s.header.message_id % 2 == 0; });
        BOOST_REQUIRE((t.got == all));
    }
}

BOOST_AUTO_TEST_SUITE_END()
