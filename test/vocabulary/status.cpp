// SPDX-License-Identifier: BSL-1.0
// Tests of the status codes: their fixed numbers, names, sentences and error codes.

#include <tofu/status.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <system_error>

namespace {

// Written out once more on purpose: the position is the number on the wire.
constexpr std::array<std::string_view, 32> protocol_names{
    "success",
    "not_implemented_yet",
    "wrong_address",
    "not_allowed",
    "null_message",
    "invalid_message",
    "invalid_op_code",
    "invalid_headers_len",
    "invalid_body_len",
    "invalid_more_usage",
    "invalid_channel_number",
    "invalid_channel_group",
    "invalid_message_id",
    "invalid_address",
    "uds_path_not_found",
    "notification_disabled",
    "notification_failed",
    "peer_disconnected",
    "communication_failed",
    "pool_empty",
    "allocation_failed",
    "receiver_update",
    "channel_closed",
    "shutdown_started",
    "connect_failed",
    "listen_failed",
    "accept_failed",
    "send_failed",
    "recv_failed",
    "setsockopt_failed",
    "processing_failed",
    "unknown_error",
};

static_assert(static_cast<int>(tofu::status::success) == 0);
static_assert(static_cast<int>(tofu::status::invalid_op_code) == 6);
static_assert(static_cast<int>(tofu::status::pool_empty) == 19);
static_assert(static_cast<int>(tofu::status::channel_closed) == 22);
static_assert(static_cast<int>(tofu::status::unknown_error) == 31);
static_assert(sizeof(tofu::status) == 1);
static_assert(tofu::to_string(tofu::status::connect_failed) == "connect_failed");

std::error_code from_enumerator() { return tofu::status::listen_failed; }

} // namespace

BOOST_AUTO_TEST_SUITE(status)

BOOST_AUTO_TEST_CASE(all_32_codes_have_the_number_and_the_name_of_the_protocol) {
    BOOST_TEST(tofu::status_count == protocol_names.size());
    for (std::size_t number = 0; number < protocol_names.size(); ++number) {
        const auto code = tofu::status_from_byte(static_cast<std::uint8_t>(number));
        BOOST_TEST(static_cast<std::size_t>(code) == number);
        BOOST_TEST(tofu::to_string(code) == protocol_names[number]);
    }
}

BOOST_AUTO_TEST_CASE(each_enumerator_has_its_own_name) {
#define TOFU_TEST_NAMED(name) BOOST_TEST(tofu::to_string(tofu::status::name) == #name)
    TOFU_TEST_NAMED(success);
    TOFU_TEST_NAMED(not_implemented_yet);
    TOFU_TEST_NAMED(wrong_address);
    TOFU_TEST_NAMED(not_allowed);
    TOFU_TEST_NAMED(null_message);
    TOFU_TEST_NAMED(invalid_message);
    TOFU_TEST_NAMED(invalid_op_code);
    TOFU_TEST_NAMED(invalid_headers_len);
    TOFU_TEST_NAMED(invalid_body_len);
    TOFU_TEST_NAMED(invalid_more_usage);
    TOFU_TEST_NAMED(invalid_channel_number);
    TOFU_TEST_NAMED(invalid_channel_group);
    TOFU_TEST_NAMED(invalid_message_id);
    TOFU_TEST_NAMED(invalid_address);
    TOFU_TEST_NAMED(uds_path_not_found);
    TOFU_TEST_NAMED(notification_disabled);
    TOFU_TEST_NAMED(notification_failed);
    TOFU_TEST_NAMED(peer_disconnected);
    TOFU_TEST_NAMED(communication_failed);
    TOFU_TEST_NAMED(pool_empty);
    TOFU_TEST_NAMED(allocation_failed);
    TOFU_TEST_NAMED(receiver_update);
    TOFU_TEST_NAMED(channel_closed);
    TOFU_TEST_NAMED(shutdown_started);
    TOFU_TEST_NAMED(connect_failed);
    TOFU_TEST_NAMED(listen_failed);
    TOFU_TEST_NAMED(accept_failed);
    TOFU_TEST_NAMED(send_failed);
    TOFU_TEST_NAMED(recv_failed);
    TOFU_TEST_NAMED(setsockopt_failed);
    TOFU_TEST_NAMED(processing_failed);
    TOFU_TEST_NAMED(unknown_error);
#undef TOFU_TEST_NAMED
}

BOOST_AUTO_TEST_CASE(a_byte_above_31_reads_as_unknown_error) {
    for (unsigned byte = 32; byte < 256; ++byte) {
        BOOST_TEST((tofu::status_from_byte(static_cast<std::uint8_t>(byte)) == tofu::status::unknown_error));
        BOOST_TEST(tofu::to_string(static_cast<tofu::status>(byte)) == "unknown_error");
    }
}

BOOST_AUTO_TEST_CASE(every_status_has_one_sentence_of_its_own) {
    std::set<std::string> sentences;
    for (int number = 0; number < 32; ++number) {
        const std::string sentence = tofu::status_category().message(number);
        BOOST_TEST(sentence.size() > 10u);
        BOOST_TEST(sentence.back() == '.');
        sentences.insert(sentence);
    }
    BOOST_TEST(sentences.size() == 32u);
}

BOOST_AUTO_TEST_CASE(a_value_that_is_no_status_has_the_sentence_of_unknown_error) {
    const std::string unknown = tofu::status_category().message(31);
    for (const int value : {-1, 32, 255, 256, 1'000'000}) BOOST_TEST(tofu::status_category().message(value) == unknown);
}

BOOST_AUTO_TEST_CASE(a_status_becomes_an_error_code_of_the_category_tofu) {
    const std::error_code code = from_enumerator();
    BOOST_TEST((code.category() == tofu::status_category()));
    BOOST_TEST(std::string_view(code.category().name()) == "tofu");
    BOOST_TEST(code.value() == 25);
    BOOST_TEST((code == tofu::status::listen_failed));
    BOOST_TEST((code != tofu::status::connect_failed));
    BOOST_TEST((code != std::error_code(25, std::generic_category())));
    BOOST_TEST(code.message() == "Listening on the address failed.");
}

BOOST_AUTO_TEST_CASE(only_success_is_a_false_error_code) {
    BOOST_TEST(!tofu::make_error_code(tofu::status::success));
    for (unsigned number = 1; number < 32; ++number) {
        BOOST_TEST(!!tofu::make_error_code(static_cast<tofu::status>(number)));
    }
}

BOOST_AUTO_TEST_CASE(throw_status_throws_a_system_error_that_names_the_call_and_the_status) {
    const auto tells_all = [](const std::system_error& error) {
        const std::string_view what = error.what();
        return error.code() == tofu::status::not_allowed && what.find("post") != what.npos &&
               what.find("not allowed") != what.npos;
    };
    BOOST_CHECK_EXCEPTION(tofu::throw_status(tofu::status::not_allowed, "post"), std::system_error, tells_all);
}

BOOST_AUTO_TEST_SUITE_END()
