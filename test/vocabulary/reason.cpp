// SPDX-License-Identifier: BSL-1.0
// Tests of the causes a channel ends with: their text, the text read back, and the status they imply.

#include <tofu/reason.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <climits>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>

using tofu::cause;
using tofu::channel_step;

namespace {

constexpr std::array all_steps{channel_step::connecting, channel_step::listening, channel_step::opened};

// The texts of the protocol that need no details, in the order of the enumeration.
constexpr std::array<std::string_view, 21> plain_texts{
    "bye",
    "aborted",
    "peer_aborted",
    "group_destroyed",
    "engine_stopped",
    "peer_disconnected",
    "peer_reset",
    "connect_refused",
    "connect_timeout",
    "hello_timeout",
    "message_timeout",
    "idle_timeout",
    "bye_timeout",
    "name_not_found",
    "address_in_use",
    "address_not_available",
    "permission_denied",
    "path_not_found",
    "no_base_handle",
    "out_of_channels",
    "out_of_memory",
};

std::string text_of(const cause& why) { return std::string(tofu::to_text(why).view()); }

bool implies(tofu::reason why, channel_step step, tofu::status expected) {
    return tofu::status_of(cause::of(why), step) == expected;
}

bool implies_everywhere(tofu::reason why, tofu::status expected) {
    for (const channel_step step : all_steps) {
        if (!implies(why, step, expected)) return false;
    }
    return true;
}

static_assert(tofu::status_of(cause::of(tofu::reason::bye), channel_step::opened) == tofu::status::channel_closed);
static_assert(tofu::to_string(tofu::reason::peer_reset) == "peer_reset");

} // namespace

BOOST_AUTO_TEST_SUITE(reason)

BOOST_AUTO_TEST_CASE(every_reason_without_details_has_the_text_of_the_protocol_and_is_read_back) {
    for (std::size_t index = 0; index < plain_texts.size(); ++index) {
        const cause why = cause::of(static_cast<tofu::reason>(index + 1));
        BOOST_TEST(text_of(why) == plain_texts[index]);
        BOOST_TEST(tofu::to_string(why.why) == plain_texts[index]);
        BOOST_TEST((tofu::parse_reason(plain_texts[index]) == std::optional(why)));
    }
    BOOST_TEST(plain_texts.size() + 3 == tofu::reason_count); // none, violation, os_error
}

BOOST_AUTO_TEST_CASE(the_names_are_those_of_the_enumerators) {
    BOOST_TEST(tofu::to_string(tofu::reason::none) == "none");
    BOOST_TEST(tofu::to_string(tofu::reason::bye) == "bye");
    BOOST_TEST(tofu::to_string(tofu::reason::peer_disconnected) == "peer_disconnected");
    BOOST_TEST(tofu::to_string(tofu::reason::message_timeout) == "message_timeout");
    BOOST_TEST(tofu::to_string(tofu::reason::address_not_available) == "address_not_available");
    BOOST_TEST(tofu::to_string(tofu::reason::out_of_memory) == "out_of_memory");
    BOOST_TEST(tofu::to_string(tofu::reason::violation) == "violation");
    BOOST_TEST(tofu::to_string(tofu::reason::os_error) == "os_error");
    BOOST_TEST(tofu::to_string(static_cast<tofu::reason>(200)) == "none");
}

BOOST_AUTO_TEST_CASE(every_reason_is_described_in_a_sentence_of_its_own) {
    std::set<std::string_view> all;
    for (std::size_t index = 0; index < tofu::reason_count; ++index) {
        const std::string_view text = tofu::describe(static_cast<tofu::reason>(index));
        BOOST_TEST(text.ends_with('.'), text);
        BOOST_TEST(all.insert(text).second, text);
    }
    BOOST_TEST(tofu::describe(static_cast<tofu::reason>(200)) == tofu::describe(tofu::reason::none));
    const std::string_view hidden = tofu::describe(tofu::reason::no_base_handle);
    BOOST_TEST(hidden.find("layered service provider") != hidden.npos);     // the cause
    BOOST_TEST(hidden.find("`netsh winsock show catalog`") != hidden.npos); // and what to do
}

BOOST_AUTO_TEST_CASE(a_violation_names_the_rule_and_every_rule_is_read_back) {
    BOOST_TEST(text_of(cause::violation(tofu::status::invalid_op_code)) == "violation:invalid_op_code");
    for (unsigned number = 1; number < tofu::status_count; ++number) {
        const cause why = cause::violation(static_cast<tofu::status>(number));
        BOOST_TEST(text_of(why) == "violation:" + std::string(tofu::to_string(why.code)));
        BOOST_TEST((tofu::parse_reason(text_of(why)) == std::optional(why)));
    }
}

BOOST_AUTO_TEST_CASE(an_os_error_carries_its_code_whatever_it_is) {
    BOOST_TEST(text_of(cause::os(110, tofu::status::connect_failed)) == "os_error:110");
    for (const int code : {0, 1, -1, 110, 10061, INT_MAX, INT_MIN}) {
        const cause why = cause::os(code, tofu::status::recv_failed);
        BOOST_TEST(text_of(why) == "os_error:" + std::to_string(code));
        BOOST_TEST((tofu::parse_reason(text_of(why)) == std::optional(cause::os(code, tofu::status::unknown_error))));
    }
}

BOOST_AUTO_TEST_CASE(a_copied_text_does_not_point_into_the_original) {
    std::optional<tofu::reason_text> original = tofu::to_text(cause::of(tofu::reason::idle_timeout));
    const tofu::reason_text copy = *original;
    original = tofu::to_text(cause::of(tofu::reason::bye));
    BOOST_TEST(copy.view() == "idle_timeout");
}

BOOST_AUTO_TEST_CASE(a_text_that_is_no_reason_is_not_read) {
    for (const std::string_view text : {"",
                                        "none",
                                        "Bye",
                                        "bye ",
                                        " bye",
                                        "bye:",
                                        "bye:1",
                                        "violation",
                                        "violation:",
                                        "violation:success",
                                        "violation:no_such_rule",
                                        "violation:invalid_op_code ",
                                        "os_error",
                                        "os_error:",
                                        "os_error:x",
                                        "os_error:1x",
                                        "os_error: 1",
                                        "os_error:+1",
                                        "os_error:007",
                                        "os_error:-0",
                                        "os_error:2147483648",
                                        "os_error:1:2",
                                        ":",
                                        ":bye",
                                        "peer_reset\r\n"}) {
        BOOST_TEST(!tofu::parse_reason(text).has_value(), "read: \"" << text << '"');
    }
    BOOST_TEST(!tofu::parse_reason(std::string_view()).has_value());
    BOOST_TEST(!tofu::parse_reason(std::string_view("bye\0", 4)).has_value());
}

BOOST_AUTO_TEST_CASE(causes_that_do_not_depend_on_the_step_imply_the_status_of_the_protocol) {
    BOOST_TEST(implies_everywhere(tofu::reason::none, tofu::status::success));
    BOOST_TEST(implies_everywhere(tofu::reason::bye, tofu::status::channel_closed));
    BOOST_TEST(implies_everywhere(tofu::reason::aborted, tofu::status::channel_closed));
    BOOST_TEST(implies_everywhere(tofu::reason::group_destroyed, tofu::status::channel_closed));
    BOOST_TEST(implies_everywhere(tofu::reason::engine_stopped, tofu::status::shutdown_started));
    BOOST_TEST(implies_everywhere(tofu::reason::peer_disconnected, tofu::status::peer_disconnected));
    BOOST_TEST(implies_everywhere(tofu::reason::peer_reset, tofu::status::peer_disconnected));
    BOOST_TEST(implies_everywhere(tofu::reason::connect_refused, tofu::status::connect_failed));
    BOOST_TEST(implies_everywhere(tofu::reason::connect_timeout, tofu::status::connect_failed));
    BOOST_TEST(implies_everywhere(tofu::reason::hello_timeout, tofu::status::communication_failed));
    BOOST_TEST(implies_everywhere(tofu::reason::message_timeout, tofu::status::communication_failed));
    BOOST_TEST(implies_everywhere(tofu::reason::idle_timeout, tofu::status::communication_failed));
    BOOST_TEST(implies_everywhere(tofu::reason::bye_timeout, tofu::status::communication_failed));
    BOOST_TEST(implies_everywhere(tofu::reason::path_not_found, tofu::status::uds_path_not_found));
    BOOST_TEST(implies_everywhere(tofu::reason::out_of_channels, tofu::status::allocation_failed));
    BOOST_TEST(implies_everywhere(tofu::reason::out_of_memory, tofu::status::allocation_failed));
}

BOOST_AUTO_TEST_CASE(address_troubles_imply_the_failure_of_the_step) {
    for (const tofu::reason why : {tofu::reason::name_not_found, tofu::reason::address_in_use,
                                   tofu::reason::address_not_available, tofu::reason::permission_denied}) {
        BOOST_TEST(implies(why, channel_step::connecting, tofu::status::connect_failed));
        BOOST_TEST(implies(why, channel_step::listening, tofu::status::listen_failed));
        BOOST_TEST(implies(why, channel_step::opened, tofu::status::communication_failed));
    }
}

BOOST_AUTO_TEST_CASE(a_violation_and_an_os_error_imply_the_status_they_carry) {
    for (const channel_step step : all_steps) {
        for (unsigned number = 1; number < tofu::status_count; ++number) {
            const auto code = static_cast<tofu::status>(number);
            BOOST_TEST((tofu::status_of(cause::violation(code), step) == code));
            BOOST_TEST((tofu::status_of(cause::os(5, code), step) == code));
            BOOST_TEST((tofu::status_of(cause{tofu::reason::no_base_handle, code, 0}, step) == code));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_cause_that_lost_its_status_never_implies_success) {
    for (const channel_step step : all_steps) {
        for (unsigned index = 1; index < tofu::reason_count; ++index) {
            const cause why = cause::of(static_cast<tofu::reason>(index));
            BOOST_TEST((tofu::status_of(why, step) != tofu::status::success), tofu::to_string(why.why));
        }
    }
    BOOST_TEST(implies(tofu::reason::no_base_handle, channel_step::connecting, tofu::status::connect_failed));
    BOOST_TEST(implies(tofu::reason::os_error, channel_step::listening, tofu::status::listen_failed));
}

BOOST_AUTO_TEST_CASE(equal_causes_are_equal_in_every_part) {
    BOOST_TEST((cause::os(1, tofu::status::recv_failed) == cause::os(1, tofu::status::recv_failed)));
    BOOST_TEST((cause::os(1, tofu::status::recv_failed) != cause::os(2, tofu::status::recv_failed)));
    BOOST_TEST((cause::os(1, tofu::status::recv_failed) != cause::os(1, tofu::status::send_failed)));
    BOOST_TEST((cause::of(tofu::reason::bye) != cause::of(tofu::reason::aborted)));
    BOOST_TEST((cause{} == cause::of(tofu::reason::none)));
}

BOOST_AUTO_TEST_CASE(the_engines_header_names_are_those_of_the_protocol) {
    BOOST_TEST(tofu::reason_header == "~reason");
    BOOST_TEST(tofu::connect_to_header == "~connect_to");
    BOOST_TEST(tofu::listen_on_header == "~listen_on");
}

BOOST_AUTO_TEST_SUITE_END()
