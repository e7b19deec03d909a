// SPDX-License-Identifier: BSL-1.0
// Tests of the handle that AFD is given when layered service providers are in the way; the providers are fakes here.

#include <boost/test/unit_test.hpp>

#include <tofu/platform/windows/base_handle.hpp>

#include <map>
#include <vector>

using namespace tofu;
using windows::handle_answer;

namespace {

constexpr handle_answer refusal(int code) { return {INVALID_SOCKET, code}; }

/// A stack of layers: each socket's answers to the two questions, and the sockets that were asked for their base.
struct layers {
    std::map<SOCKET, handle_answer> base;
    std::map<SOCKET, handle_answer> below;
    std::vector<SOCKET> asked;

    io_error find(SOCKET of, SOCKET& found) {
        return windows::find_base_handle(
            of,
            [this](SOCKET which) noexcept {
                asked.push_back(which);
                const auto answer = base.find(which);
                return answer != base.end() ? answer->second : refusal(WSAEOPNOTSUPP);
            },
            [this](SOCKET which) noexcept {
                const auto answer = below.find(which);
                return answer != below.end() ? answer->second : refusal(WSAEOPNOTSUPP);
            },
            found);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(base_handle)

BOOST_AUTO_TEST_CASE(without_a_layer_it_is_what_the_first_question_says) {
    layers all{.base = {{7, {7, 0}}}, .below = {}, .asked = {}};
    SOCKET found = 0;
    BOOST_TEST(!all.find(7, found));
    BOOST_TEST(found == 7U);
}

BOOST_AUTO_TEST_CASE(a_layer_that_lets_the_question_through_is_passed_at_once) {
    layers all{.base = {{7, {3, 0}}}, .below = {{7, {5, 0}}}, .asked = {}};
    SOCKET found = 0;
    BOOST_TEST(!all.find(7, found));
    BOOST_TEST(found == 3U);
}

BOOST_AUTO_TEST_CASE(a_layer_that_blocks_the_first_question_is_passed_with_the_second) {
    // Komodia's: SIO_BASE_HANDLE fails, SIO_BSP_HANDLE_POLL names the socket below.
    layers all{.base = {{7, refusal(WSAEINVAL)}, {5, {5, 0}}}, .below = {{7, {5, 0}}}, .asked = {}};
    SOCKET found = 0;
    BOOST_TEST(!all.find(7, found));
    BOOST_TEST(found == 5U);
    BOOST_TEST((all.asked == std::vector<SOCKET>{7, 5}));
}

BOOST_AUTO_TEST_CASE(several_layers_are_passed_one_by_one) {
    layers all{.base = {{4, {4, 0}}}, .below = {{7, {6, 0}}, {6, {5, 0}}, {5, {4, 0}}}, .asked = {}};
    SOCKET found = 0;
    BOOST_TEST(!all.find(7, found));
    BOOST_TEST(found == 4U);
}

BOOST_AUTO_TEST_CASE(a_layer_that_blocks_both_is_named_with_the_first_refusal) {
    layers all{.base = {{7, refusal(WSAEFAULT)}}, .below = {{7, refusal(WSAEINVAL)}}, .asked = {}};
    SOCKET found = 1;
    const io_error error = all.find(7, found);
    BOOST_CHECK(error.kind == io_failure::no_base_handle);
    BOOST_TEST(error.os_code == WSAEFAULT);
    BOOST_TEST(found == 1U); // untouched
}

BOOST_AUTO_TEST_CASE(a_layer_that_answers_with_itself_or_with_nothing_ends_the_search) {
    for (const SOCKET answer : {SOCKET{7}, SOCKET{INVALID_SOCKET}}) {
        layers all{.base = {}, .below = {{7, {answer, 0}}}, .asked = {}};
        SOCKET found = 1;
        BOOST_CHECK(all.find(7, found).kind == io_failure::no_base_handle);
        BOOST_TEST(all.asked.size() == 1U);
    }
}

BOOST_AUTO_TEST_CASE(layers_that_go_round_in_a_ring_are_given_up) {
    layers all{.base = {}, .below = {{7, {8, 0}}, {8, {7, 0}}}, .asked = {}};
    SOCKET found = 1;
    BOOST_CHECK(all.find(7, found).kind == io_failure::no_base_handle);
    BOOST_TEST(all.asked.size() == 16U);
}

BOOST_AUTO_TEST_CASE(what_is_no_socket_is_not_a_layer_s_fault) {
    layers all{.base = {{7, refusal(WSAENOTSOCK)}}, .below = {{7, {5, 0}}}, .asked = {}};
    SOCKET found = 1;
    const io_error error = all.find(7, found);
    BOOST_REQUIRE(error);
    BOOST_CHECK(error.kind != io_failure::no_base_handle);
    BOOST_TEST(error.os_code == WSAENOTSOCK);
    BOOST_TEST(all.asked.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
