// SPDX-License-Identifier: BSL-1.0
// Tests of the engine's options, and of the small sets and results the engine and its sockets share.

#include <tofu/config.hpp>
#include <tofu/contract/interest.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/options.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <limits>
#include <set>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

bool is_refused(const tofu::options& given, std::string_view member) {
    const tofu::options_check check = tofu::validate(given);
    return check.status == tofu::status::not_allowed && check.problem.starts_with(std::string(member) + " must ") &&
           check.problem.ends_with('.') && to_string(check.which) == check.problem;
}

bool is_accepted(const tofu::options& given) {
    const tofu::options_check check = tofu::validate(given);
    return check.status == tofu::status::success && check.problem.empty() && check.which == tofu::options_problem::none;
}

struct named_time {
    std::string_view name;
    milliseconds tofu::options::*member;
};

constexpr std::array all_times{
    named_time{"connect_time", &tofu::options::connect_time}, named_time{"hello_time", &tofu::options::hello_time},
    named_time{"message_time", &tofu::options::message_time}, named_time{"idle_time", &tofu::options::idle_time},
    named_time{"bye_time", &tofu::options::bye_time},         named_time{"grace_time", &tofu::options::grace_time},
    named_time{"retry_time", &tofu::options::retry_time},
};

struct named_size {
    std::string_view name;
    std::size_t tofu::options::*member;
    std::size_t smallest;
};

constexpr std::array all_sizes{
    named_size{"max_messages", &tofu::options::max_messages, 4},
    named_size{"max_queued_messages", &tofu::options::max_queued_messages, 1},
    named_size{"max_queued_bytes", &tofu::options::max_queued_bytes, 131'086},
    named_size{"max_awaiting_hello", &tofu::options::max_awaiting_hello, 1},
    named_size{"read_budget", &tofu::options::read_budget, 1},
    named_size{"write_budget", &tofu::options::write_budget, 1},
    named_size{"accept_budget", &tofu::options::accept_budget, 1},
};

static_assert(tofu::validate(tofu::options{}).status == tofu::status::success, "the defaults work");

} // namespace

BOOST_AUTO_TEST_SUITE(options)

BOOST_AUTO_TEST_CASE(the_defaults_are_the_documented_ones_and_valid) {
    const tofu::options defaults;
    BOOST_TEST(is_accepted(defaults));
    BOOST_TEST(defaults.initial_messages == 64u);
    BOOST_TEST(defaults.max_messages == 1024u);
    BOOST_TEST(defaults.max_messages_alive == 0u);
    BOOST_TEST(defaults.retained_capacity == 8192u);
    BOOST_TEST(defaults.max_queued_messages == 1024u);
    BOOST_TEST(defaults.max_queued_bytes == 8'388'608u);
    BOOST_TEST(defaults.max_text_headers == 65'535u);
    BOOST_TEST(defaults.max_body == 65'535u);
    BOOST_TEST(defaults.max_awaiting_hello == 128u);
    BOOST_TEST(defaults.read_budget == 262'144u);
    BOOST_TEST(defaults.write_budget == 1'048'576u);
    BOOST_TEST(defaults.accept_budget == 64u);
    BOOST_TEST((defaults.connect_time == 30s));
    BOOST_TEST((defaults.hello_time == 10s));
    BOOST_TEST((defaults.message_time == 30s));
    BOOST_TEST((defaults.idle_time == 0s));
    BOOST_TEST((defaults.bye_time == 10s));
    BOOST_TEST((defaults.grace_time == 1s));
    BOOST_TEST((defaults.retry_time == 100ms));
    BOOST_TEST(!defaults.keep_alive);
    BOOST_TEST(defaults.close_when_full);
    BOOST_TEST(defaults.backlog == 1024);
}

BOOST_AUTO_TEST_CASE(options_are_written_by_name) {
    const tofu::options given{.initial_messages = 8, .max_messages = 16, .idle_time = 5s, .keep_alive = true};
    BOOST_TEST(is_accepted(given));
    BOOST_TEST(given.max_messages == 16u);
    BOOST_TEST((given.idle_time == 5s));
    BOOST_TEST(given.keep_alive);
}

BOOST_AUTO_TEST_CASE(every_size_is_accepted_from_its_smallest_value_on) {
    for (const named_size& size : all_sizes) {
        tofu::options given;
        given.*size.member = size.smallest;
        BOOST_TEST(is_accepted(given), size.name);
        given.*size.member = std::numeric_limits<std::size_t>::max();
        BOOST_TEST(is_accepted(given), size.name);
        given.*size.member = size.smallest - 1;
        BOOST_TEST(is_refused(given, size.name), size.name);
        given.*size.member = 0;
        BOOST_TEST(is_refused(given, size.name), size.name);
    }
}

BOOST_AUTO_TEST_CASE(every_time_may_be_off_but_the_retry_time) {
    for (const named_time& time : all_times) {
        tofu::options given;
        given.*time.member = 0ms;
        BOOST_TEST((time.name == "retry_time" ? is_refused(given, time.name) : is_accepted(given)), time.name);
        given.*time.member = 1ms;
        BOOST_TEST(is_accepted(given), time.name);
    }
}

BOOST_AUTO_TEST_CASE(negative_and_absurd_times_are_refused) {
    for (const named_time& time : all_times) {
        tofu::options given;
        for (const milliseconds wrong :
             {-1ms, milliseconds::min(), milliseconds::max(), milliseconds(366 * 24h) + 1ms}) {
            given.*time.member = wrong;
            BOOST_TEST(is_refused(given, time.name), time.name);
        }
        given.*time.member = 366 * 24h;
        BOOST_TEST(is_accepted(given), time.name);
    }
}

BOOST_AUTO_TEST_CASE(a_backlog_is_at_least_one) {
    BOOST_TEST(is_accepted({.backlog = 1}));
    BOOST_TEST(is_refused({.backlog = 0}, "backlog"));
    BOOST_TEST(is_refused({.backlog = -1}, "backlog"));
}

BOOST_AUTO_TEST_CASE(the_limit_of_messages_alive_is_above_the_credit_or_off) {
    BOOST_TEST(is_accepted({.max_messages = 8, .max_messages_alive = 9}));
    BOOST_TEST(is_accepted({.max_messages_alive = std::numeric_limits<std::size_t>::max()}));
    BOOST_TEST(is_accepted({.max_messages = std::numeric_limits<std::size_t>::max(), .max_messages_alive = 0}));
    BOOST_TEST(is_refused({.max_messages = 8, .max_messages_alive = 8}, "max_messages_alive"));
    BOOST_TEST(is_refused({.max_messages_alive = 1}, "max_messages_alive"));
    const std::size_t most = std::numeric_limits<std::size_t>::max();
    BOOST_TEST(is_refused({.max_messages = most, .max_messages_alive = most}, "max_messages_alive"));
}

BOOST_AUTO_TEST_CASE(what_may_be_zero_or_exceed_the_credit_is_accepted) {
    BOOST_TEST(is_accepted({.initial_messages = 0}));
    BOOST_TEST(is_accepted({.initial_messages = 64, .max_messages = 4}));
    BOOST_TEST(is_accepted({.retained_capacity = 0}));
    BOOST_TEST(is_accepted({.max_text_headers = 0, .max_body = 0}));
}

BOOST_AUTO_TEST_CASE(every_problem_is_an_error_code_with_its_own_sentence_that_means_not_allowed) {
    std::set<std::string> sentences{tofu::make_error_code(tofu::status::not_allowed).message()};
    for (std::size_t i = 1; i < tofu::options_problem_count; ++i) {
        const auto which = static_cast<tofu::options_problem>(i);
        const std::error_code code = which;
        BOOST_TEST(!!code);
        BOOST_TEST(code.message() == to_string(which));
        BOOST_TEST((code == tofu::status::not_allowed));
        BOOST_TEST((code != tofu::status::success));
        BOOST_TEST((code == which));
        BOOST_TEST((code != tofu::make_error_code(tofu::status::not_allowed)));
        BOOST_TEST((code.category() == tofu::status_category()));
        BOOST_TEST(sentences.insert(code.message()).second);
    }
    BOOST_TEST(!tofu::make_error_code(tofu::options_problem::none));
    const auto beyond = static_cast<tofu::options_problem>(tofu::options_problem_count);
    BOOST_TEST(to_string(beyond).empty());
    const int number = tofu::make_error_code(tofu::options_problem::max_messages).value();
    for (const int wrong : {number + 1, number - 1, -number})
        BOOST_TEST(tofu::status_category().message(wrong) ==
                   tofu::make_error_code(tofu::status::unknown_error).message());
}

BOOST_AUTO_TEST_CASE(the_version_is_one_number_made_of_three) {
    BOOST_TEST(TOFU_VERSION == TOFU_VERSION_MAJOR * 10000 + TOFU_VERSION_MINOR * 100 + TOFU_VERSION_PATCH);
    BOOST_TEST(TOFU_VERSION == 100);
    BOOST_TEST(tofu::exceptions_enabled == (TOFU_HAS_EXCEPTIONS != 0));
}

BOOST_AUTO_TEST_CASE(interest_and_readiness_are_sets) {
    using tofu::interest;
    using tofu::readiness;
    const interest both = interest::read | interest::write;
    BOOST_TEST(tofu::any(both & interest::read));
    BOOST_TEST(tofu::any(both & interest::write));
    BOOST_TEST(!tofu::any(interest::read & interest::write));
    BOOST_TEST(!tofu::any(interest::none));
    interest wanted = interest::none;
    wanted |= interest::write;
    BOOST_TEST((wanted == interest::write));
    readiness found = readiness::none;
    found |= readiness::readable;
    found |= readiness::failed;
    BOOST_TEST((found == (readiness::readable | readiness::failed)));
    BOOST_TEST(!tofu::any(found & readiness::writable));
    BOOST_TEST(static_cast<int>(readiness::readable | readiness::writable | readiness::failed) == 7);
}

BOOST_AUTO_TEST_CASE(an_io_error_is_true_when_it_is_a_failure) {
    BOOST_TEST(!tofu::io_error{});
    BOOST_TEST(!!(tofu::io_error{tofu::io_failure::would_block, 11}));
    BOOST_TEST(!tofu::io_result{}.error);
    BOOST_TEST((tofu::io_error{tofu::io_failure::reset, 104} != tofu::io_error{tofu::io_failure::reset, 0}));
}

BOOST_AUTO_TEST_SUITE_END()
