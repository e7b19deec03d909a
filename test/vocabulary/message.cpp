// SPDX-License-Identifier: BSL-1.0
// Tests of a message by itself: the engine's notes on it, and the notes that are removed when it is posted again.
#include <boost/test/unit_test.hpp>

#include <tofu/engine/memory/message_pool.hpp>
#include <tofu/engine/protocol/notices.hpp>
#include <tofu/engine/protocol/post_checks.hpp>
#include <tofu/message.hpp>
#include <tofu/message_ptr.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

BOOST_AUTO_TEST_SUITE(message)

using tofu::cause;
using tofu::op_code;
using tofu::origin;
using tofu::reason;
using tofu::status;
using tofu::engine::route_of;
using tofu::engine::routing_access;

namespace {

const cause broken = cause::os(13, status::send_failed);

std::uint8_t byte_of(status what) { return static_cast<std::uint8_t>(what); }

/// A hello_request that came back from an engine.
void fail(tofu::message& m, status what = status::connect_failed, const cause& why = broken) {
    m.header().op = op_code::hello_request;
    tofu::engine::make_failed_answer(m, what, why);
}

tofu::message& with_headers(tofu::message& m, std::string_view wire) {
    BOOST_REQUIRE(m.headers().assign_wire(wire));
    return m;
}

} // namespace

BOOST_AUTO_TEST_CASE(it_lies_in_two_cache_lines) {
    BOOST_TEST(sizeof(tofu::message) == 2 * tofu::detail::cache_line_size);
}

BOOST_AUTO_TEST_CASE(a_route_keeps_its_parts_apart) {
    tofu::message m;
    tofu::engine::message_route& route = route_of(m);
    route.credited = 1;
    route.bind(0xFFFFFFFF, 65535, 0xFFFFF);
    route.engine_status = 31;
    route.explain(cause::os(-1, status::accept_failed));
    route.counted = 1;
    BOOST_TEST(route.engine == 0xFFFFFFFFU);
    BOOST_TEST(route.number == 65535U);
    BOOST_TEST((route.generation == 0xFFFFFU));
    BOOST_TEST((route.engine_status == 31U));
    BOOST_TEST((route.cause() == cause::os(-1, status::accept_failed)));
    BOOST_TEST((route.credited == 1U && route.counted == 1U && route.explained == 1U));
    route.bind(0, 0, 0x100000); // generations go round
    route.forget_marks();
    BOOST_TEST((route.generation == 0U));
    BOOST_TEST((route.credited == 1U && route.counted == 1U && !route.has_marks()));
}

BOOST_AUTO_TEST_CASE(why_is_what_the_engine_noted_and_never_the_text) {
    tofu::message m;
    BOOST_TEST(!m.why());
    with_headers(m, "~reason:bye\r\n"); // a peer's
    m.header().origin = origin::engine;
    m.header().status_byte = byte_of(status::channel_closed);
    BOOST_TEST(!m.why());
    m.reset();
    fail(m);
    BOOST_TEST((m.why() == std::optional(broken)));
    m.headers().clear(); // the text is for people
    BOOST_TEST((m.why() == std::optional(broken)));
    m.header().origin = origin::application; // as after update_receiver
    BOOST_TEST(!m.why());
    m.header().origin = origin::engine;
    m.reset();
    m.header().origin = origin::engine;
    BOOST_TEST(!m.why());
}

BOOST_AUTO_TEST_CASE(every_cause_is_read_back_whole) {
    for (unsigned kind = 1; kind < tofu::reason_count; ++kind)
        for (const int code : {0, 1, -1, 10061}) {
            const cause why{static_cast<reason>(kind), status::recv_failed, code};
            tofu::message m;
            fail(m, status::connect_failed, why);
            BOOST_TEST((m.why() == std::optional(why)));
        }
}

BOOST_AUTO_TEST_CASE(a_failed_answer_keeps_everything_but_operation_origin_and_status) {
    int user = 0;
    tofu::message m;
    m.header() = {.op = op_code::welcome_request, .status_byte = 77, .message_id = 42};
    with_headers(m, "~listen_on:tcp||1\r\n~reason:mine\r\nlast line without its end");
    BOOST_REQUIRE(m.body().append("body"));
    m.user(&user);
    tofu::engine::make_failed_answer(m, status::listen_failed, cause::of(reason::address_in_use));
    BOOST_TEST((m.op() == op_code::welcome_response));
    BOOST_TEST(m.from_engine());
    BOOST_TEST((m.status() == status::listen_failed));
    BOOST_TEST(m.header().message_id == 42U);
    BOOST_TEST(m.headers().wire() ==
               "~listen_on:tcp||1\r\n~reason:mine\r\nlast line without its end\r\n~reason:address_in_use\r\n");
    BOOST_TEST(m.header().text_headers_length == m.headers().size_bytes());
    BOOST_TEST(m.body().text() == "body");
    BOOST_TEST(m.user() == &user);
}

BOOST_AUTO_TEST_CASE(the_longest_reason_has_room_behind_the_longest_headers) {
    std::size_t longest = 0;
    for (unsigned code = 1; code < tofu::status_count; ++code)
        longest = std::max(longest, to_text(cause::violation(static_cast<status>(code))).view().size());
    longest = std::max(longest, to_text(cause::os(-2147483647 - 1, status::recv_failed)).view().size());
    // A line end that a peer has left out, the name, the colon, the text, the line end.
    BOOST_TEST(2 + tofu::reason_header.size() + 1 + longest + 2 <= tofu::engine::reason_room);
}

// The marks of an engine.

BOOST_AUTO_TEST_CASE(the_engines_status_is_taken_off_unless_it_was_replaced) {
    tofu::message m;
    tofu::engine::put_status(m, status::peer_disconnected);
    BOOST_TEST((m.status() == status::peer_disconnected));
    static_cast<void>(routing_access::take_marks(m));
    BOOST_TEST(m.header().status_byte == 0U);
    tofu::engine::put_status(m, status::peer_disconnected);
    m.header().status_byte = 99; // the application's
    static_cast<void>(routing_access::take_marks(m));
    BOOST_TEST(m.header().status_byte == 99U);
    BOOST_TEST(!route_of(m).has_marks());
    static_cast<void>(routing_access::take_marks(m)); // the application's status stays
    BOOST_TEST(m.header().status_byte == 99U);
}

BOOST_AUTO_TEST_CASE(the_engines_reason_is_taken_off_and_no_other) {
    struct row {
        std::string_view before, changed, after; ///< `changed` by the application, after the engine: empty is not
    };
    const row rows[] = {
        {"", "", ""},
        {"a:b\r\n", "", "a:b\r\n"},
        {"~reason:mine\r\n", "", "~reason:mine\r\n"},
        {"~reason:os_error:13\r\n", "", "~reason:os_error:13\r\n"}, // as if the application had known
        {"a:b\r\n", "~reason:os_error:13\r\na:b\r\nc:d\r\n", "a:b\r\nc:d\r\n"},
        {"a:b\r\n", "a:b\r\n", "a:b\r\n"},                                   // it has removed it itself
        {"a:b\r\n", "a:b\r\n~reason:other\r\n", "a:b\r\n~reason:other\r\n"}, // or replaced it
        {"a:b\r\n", "a:b\r\n~reason:os_error:13", "a:b\r\n"},                // without its end
        {"a:b\r\n", "~reason:os_error:133\r\n", "~reason:os_error:133\r\n"}, // only alike
    };
    for (const row& r : rows) {
        BOOST_TEST_CONTEXT(r.before << " changed to " << r.changed) {
            tofu::message m;
            fail(with_headers(m, r.before));
            if (!r.changed.empty()) with_headers(m, r.changed);
            static_cast<void>(routing_access::take_marks(m));
            BOOST_TEST(m.headers().wire() == r.after);
            BOOST_TEST(!m.why());
        }
    }
}

BOOST_AUTO_TEST_CASE(what_was_taken_off_is_put_back) {
    tofu::message m;
    fail(with_headers(m, "a:b\r\n"));
    const auto marks = routing_access::take_marks(m);
    routing_access::put_marks(m, marks);
    BOOST_TEST((m.status() == status::connect_failed));
    BOOST_TEST(m.headers().wire() == "a:b\r\n~reason:os_error:13\r\n");
    BOOST_TEST((m.why() == std::optional(broken)));
    m.headers().clear(); // without the text there is none to put back
    routing_access::put_marks(m, routing_access::take_marks(m));
    BOOST_TEST(m.headers().wire() == "");
    BOOST_TEST((m.why() == std::optional(broken)));
}

BOOST_AUTO_TEST_CASE(a_copy_knows_what_the_engine_added) {
    auto* const pool = tofu::engine::message_pool::create({});
    BOOST_REQUIRE(pool != nullptr);
    {
        const tofu::message_ptr original = tofu::engine::owned(pool->acquire());
        fail(with_headers(*original, "a:b\r\n"));
        std::error_code error;
        const tofu::message_ptr copy = tofu::clone(*original, error);
        BOOST_REQUIRE(copy);
        tofu::message assigned;
        tofu::engine::put_status(assigned, status::pool_empty);
        BOOST_REQUIRE(assigned.assign(*original));
        for (tofu::message* const m : {copy.get(), &assigned}) {
            BOOST_TEST((m->why() == std::optional(broken)));
            static_cast<void>(routing_access::take_marks(*m));
            BOOST_TEST(m->header().status_byte == 0U);
            BOOST_TEST(m->headers().wire() == "a:b\r\n");
        }
        tofu::message plain;
        plain.header().status_byte = byte_of(status::connect_failed); // the application's
        BOOST_REQUIRE(assigned.assign(plain));
        static_cast<void>(routing_access::take_marks(assigned));
        BOOST_TEST(assigned.header().status_byte == byte_of(status::connect_failed));
    }
    pool->close();
}

BOOST_AUTO_TEST_CASE(connect_to_makes_a_clean_hello_of_what_came_back) {
    int user = 0;
    tofu::message m;
    m.header().message_id = 42;
    m.header().channel_number = 5;
    with_headers(m, "~connect_to:tcp|127.0.0.1|1\r\nname:value\r\n");
    BOOST_REQUIRE(m.body().append("body"));
    m.user(&user);
    fail(m);
    BOOST_REQUIRE(m.connect_to(tofu::tcp_address{"127.0.0.1", 2}) == status::success);
    BOOST_TEST((m.op() == op_code::hello_request));
    BOOST_TEST(!m.from_engine());
    BOOST_TEST(m.header().status_byte == 0U);
    BOOST_TEST(m.header().channel_number == tofu::no_channel);
    BOOST_TEST(m.header().message_id == 42U);
    BOOST_TEST(m.headers().wire() == "~connect_to:tcp|127.0.0.1|2\r\nname:value\r\n");
    BOOST_TEST(m.body().text() == "body");
    BOOST_TEST(m.user() == &user);
    BOOST_TEST(!m.why());
    BOOST_TEST(!route_of(m).has_marks());

    fail(m);
    BOOST_REQUIRE(m.connect_to(tofu::tcp_address{"", 2}) == status::wrong_address); // and nothing has changed
    BOOST_TEST((m.op() == op_code::hello_response));
    BOOST_TEST((m.why() == std::optional(broken)));
    BOOST_TEST(m.headers().find(tofu::reason_header) == "os_error:13");
    BOOST_REQUIRE(m.listen_on(tofu::tcp_address{"", 2}) == status::success);
    BOOST_TEST(!m.headers().contains(tofu::reason_header));
    BOOST_TEST(m.header().status_byte == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
