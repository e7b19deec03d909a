// SPDX-License-Identifier: BSL-1.0
// Tests of posting in each state of a channel, against a table written from the protocol.
#include <boost/test/unit_test.hpp>

#include <tofu/engine/channel/channel_word.hpp>

#include <string_view>
#include <vector>

namespace word = tofu::engine::channel_word;
using tofu::op_code;
using tofu::status;

namespace {

constexpr std::uint16_t group = 300;
constexpr std::uint32_t generation = 77;

std::uint64_t live_word(std::uint64_t flags) { return word::make(group, generation, flags | word::live, false); }

struct row {
    std::uint64_t flags;
    /// q request, r response, s signal, H hello_response, b and B the byes, S bye_signal; C is a bye_response that is
    /// consumed.
    std::string_view allowed;
};

const std::vector<row>& rows() {
    static constexpr auto answered = word::bye_posted | word::bye_answered; // our bye_response
    static constexpr auto claimed = word::accepting | word::hello_claimed;  // another thread is posting it just now
    static constexpr auto accepted = claimed | word::hello_posted;
    static constexpr auto implicit = word::accepting | word::implicit_hello;
    static const std::vector<row> all{
        {word::listener, "S"}, // anything but bye_signal on a listener
        // The connecting side: hello_response never.
        {0, "qrsbS"},
        {word::bye_asked, "qrsbBS"}, // after receiving a bye_request, everything is
        {word::bye_posted, "S"},     // after one's own bye only bye_signal
        {word::bye_asked | answered, "S"},
        // Two bye_requests have crossed: one bye_response is consumed.
        {word::bye_asked | word::bye_posted, "CS"},
        // The accepting side: before its hello_response nothing but that, bye_request and bye_signal.
        {word::accepting, "HbS"},
        {word::accepting | word::bye_asked, "HbS"},
        {word::accepting | word::bye_posted, "S"},
        {word::accepting | word::bye_posted | word::bye_asked, "CS"},
        {claimed, "bS"},
        {claimed | word::bye_asked, "bS"},
        {claimed | word::bye_posted, "S"},
        {accepted, "qrsbS"}, // not twice
        {accepted | word::bye_asked, "qrsbBS"},
        {accepted | word::bye_posted, "S"},
        {accepted | word::bye_asked | word::bye_posted, "CS"},
        {accepted | word::bye_asked | answered, "S"},
        // With implicit_hello a regular message accepts, too; the hello_response may still follow, once.
        {implicit, "qrsHbS"},
        {implicit | word::bye_asked, "qrsHbS"},
        {implicit | word::hello_posted, "qrsHbS"},
        {implicit | word::hello_posted | word::bye_asked, "qrsHbBS"},
        {implicit | claimed, "qrsbS"},
        {implicit | accepted, "qrsbS"},
        {implicit | word::hello_posted | word::bye_posted, "S"},
    };
    return all;
}

constexpr std::string_view letters = "qrs-HbBS"; // by op code

} // namespace

BOOST_AUTO_TEST_SUITE(channel_word)

BOOST_AUTO_TEST_CASE(its_parts_come_back_as_they_were_put_in) {
    for (const std::uint32_t g : {0U, 1U, 0xFFFFFU}) {
        const std::uint64_t w = word::make(65535, g, word::live | word::bye_posted, true);
        BOOST_TEST(word::posts(w) == 1U);
        BOOST_TEST(word::group(w) == 65535);
        BOOST_TEST(word::generation(w) == g);
        BOOST_TEST((w & word::live) != 0U);
        BOOST_TEST((w & word::closed) == 0U);
        BOOST_TEST(word::posts(w + 5 * word::one_post) == 6U);
        BOOST_TEST(word::group(w + 5 * word::one_post) == 65535);
    }
    BOOST_TEST(word::make(0, 0xFFFFF + 1, 0, false) == 0U); // generations go round and change nothing else
}

BOOST_AUTO_TEST_CASE(every_operation_is_accepted_or_not_allowed_in_every_state) {
    for (std::size_t i = 0; i < rows().size(); ++i) {
        for (std::size_t op = 0; op < letters.size(); ++op) {
            if (letters[op] == '-') continue; // a hello_request names no channel
            BOOST_TEST_CONTEXT("row " << i << ", " << to_string(static_cast<op_code>(op))) {
                const auto verdict =
                    word::judge(live_word(rows()[i].flags), group, word::any_generation, static_cast<op_code>(op));
                const bool consumed = letters[op] == 'B' && rows()[i].allowed.find('C') != std::string_view::npos;
                const bool allowed = consumed || rows()[i].allowed.find(letters[op]) != std::string_view::npos;
                BOOST_TEST((verdict.result == (allowed ? status::success : status::not_allowed)));
                BOOST_TEST(verdict.consumed == consumed);
                const bool regular = std::string_view("qrs").find(letters[op]) != std::string_view::npos;
                constexpr std::uint64_t waits = word::accepting | word::hello_posted;
                const bool accepts = regular && (rows()[i].flags & waits) == word::accepting;
                std::uint64_t set = 0;
                if (allowed && letters[op] == 'H') set = word::hello_claimed;
                if (allowed && accepts) set = word::hello_posted;
                if (allowed && letters[op] == 'b') set = word::bye_posted;
                if (allowed && letters[op] == 'B') set = word::bye_posted | word::bye_answered;
                if (consumed) set = word::bye_answered;
                BOOST_TEST(verdict.set == set);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_closed_or_unused_number_is_refused_whatever_is_posted) {
    for (const row& r : rows()) {
        for (unsigned op = 0; op < 10; ++op) {
            const std::uint64_t dead = word::make(group, generation, r.flags, false);
            for (const std::uint64_t w : {dead, live_word(r.flags | word::closed)}) {
                if (op == 6 && w != dead && r.allowed.find('C') != std::string_view::npos) continue; // see below
                const auto verdict = word::judge(w, group, generation, static_cast<op_code>(op));
                BOOST_TEST((verdict.result == status::invalid_channel_number));
            }
        }
    }
}

// The application answers a bye_request that it received after posting its own.
BOOST_AUTO_TEST_CASE(a_bye_response_to_a_crossed_bye_is_consumed_once_whether_the_channel_is_closed_or_not) {
    const std::uint64_t crossed = live_word(word::bye_asked | word::bye_posted);
    for (const std::uint64_t more : {std::uint64_t{0}, word::closed, word::posting_over, word::accepting}) {
        const auto ask = [&](std::uint64_t w, std::uint16_t by = group, std::uint32_t bound = generation) {
            return word::judge(w | more, by, bound, op_code::bye_response);
        };
        BOOST_TEST((ask(crossed).result == status::success));
        BOOST_TEST(ask(crossed).consumed);
        BOOST_TEST((ask(crossed | ask(crossed).set).result != status::success));
        // Refused: another group's, an earlier owner's, and one for a free or unannounced number.
        BOOST_TEST((ask(crossed, group + 1).result != status::success));
        BOOST_TEST((ask(crossed, group, generation - 1).result == status::invalid_channel_number));
        BOOST_TEST((ask(crossed & ~word::live).result == status::invalid_channel_number));
        BOOST_TEST((ask(crossed | word::unannounced).result == status::invalid_channel_number));
    }
}

BOOST_AUTO_TEST_CASE(another_groups_channel_is_refused) {
    const auto verdict = word::judge(live_word(0), group + 1, word::any_generation, op_code::bye_signal);
    BOOST_TEST((verdict.result == status::invalid_channel_group));
}

BOOST_AUTO_TEST_CASE(a_message_of_an_earlier_owner_of_the_number_is_refused) {
    const auto result = [](std::uint32_t bound) {
        return word::judge(live_word(0), group, bound, op_code::response).result;
    };
    BOOST_TEST((result(generation) == status::success));
    BOOST_TEST((result(word::any_generation) == status::success));
    BOOST_TEST((result(generation - 1) == status::invalid_channel_number));
    BOOST_TEST((result(generation + 1) == status::invalid_channel_number));
}

BOOST_AUTO_TEST_CASE(behind_a_half_closed_peers_end_only_bye_signal_is_posted) {
    for (const row& r : rows()) {
        for (std::size_t op = 0; op < letters.size(); ++op) {
            if (letters[op] == '-') continue;
            if (letters[op] == 'B' && r.allowed.find('C') != std::string_view::npos) continue; // consumed
            const auto verdict = word::judge(live_word(r.flags | word::posting_over), group, word::any_generation,
                                             static_cast<op_code>(op));
            BOOST_TEST((verdict.result == (letters[op] == 'S' ? status::success : status::invalid_channel_number)));
            BOOST_TEST(verdict.set == 0U);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_count_of_posts_cannot_run_over_into_the_group) {
    const std::uint64_t full = live_word(0) + 0xFFFF * word::one_post;
    BOOST_TEST((word::judge(full, group, generation, op_code::signal).result != status::success));
    BOOST_TEST((word::judge(full - 1, group, generation, op_code::signal).result == status::success));
}

BOOST_AUTO_TEST_SUITE_END()
