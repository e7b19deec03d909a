// SPDX-License-Identifier: BSL-1.0
// The happy path first: a whole conversation, in every setting.
#include "support/harness.hpp"

using namespace tofu_test;
using tofu::op_code;

BOOST_AUTO_TEST_SUITE(round_trips)

TOFU_TEST_CASE(a_whole_conversation_goes_as_the_protocol_says, here) {
    dialogue talk(here);
    const tofu::address where = talk.listen();
    const tofu::binary_header hello = talk.hello(where, "may I?");
    BOOST_TEST(hello.channel_number != 0);
    BOOST_TEST(hello.message_id != 0U);

    tofu::message_ptr m = talk.expect(talk.server, op_code::hello_request);
    BOOST_TEST(!m->from_engine());
    BOOST_TEST(body_of(*m) == "may I?");
    BOOST_TEST(m->header().message_id == hello.message_id);
    const std::uint16_t server = m->header().channel_number;
    talk.server.post(answer(std::move(m), op_code::hello_response));
    m = talk.expect(talk.client, op_code::hello_response);
    BOOST_TEST(!m->from_engine());
    BOOST_TEST(m->header().channel_number == hello.channel_number);

    talk.client.post(make(talk.engine, op_code::request, hello.channel_number, "question"));
    m = talk.expect(talk.server, op_code::request);
    BOOST_TEST(body_of(*m) == "question");
    BOOST_TEST(m->header().channel_number == server);
    talk.server.post(answer(std::move(m), op_code::response));
    m = talk.expect(talk.client, op_code::response);
    BOOST_TEST(body_of(*m) == "question");

    talk.client.post(make(talk.engine, op_code::bye_request, hello.channel_number));
    m = talk.expect(talk.server, op_code::bye_request);
    talk.server.post(answer(std::move(m), op_code::bye_response));
    talk.expect(talk.client, op_code::bye_response);
    talk.expect_goodbye(talk.client, hello.channel_number, "bye");
    talk.expect_goodbye(talk.server, server, "bye");
}

TOFU_TEST_CASE(every_socket_is_asked_for_as_the_options_say, here) {
    for (const tofu::options& opts :
         {tofu::options{}, tofu::options{.keep_alive = true, .uds_permissions = 0640, .backlog = 7}}) {
        script play;
        scripted_dialogue talk(here, play, opts);
        talk.connect();
        const std::vector<asked_socket> asked = play.sockets.all();
        BOOST_REQUIRE(asked.size() == 3U);
        BOOST_TEST((asked[0].made == asked_socket::how::listens));
        BOOST_TEST(asked[0].options.file_permissions == opts.uds_permissions);
        BOOST_TEST(asked[0].backlog == opts.backlog);
        BOOST_TEST((asked[1].made == asked_socket::how::connects));
        BOOST_TEST((asked[2].made == asked_socket::how::accepted));
        for (const asked_socket& one : asked) BOOST_TEST(one.options.keep_alive == opts.keep_alive);
    }
}

TOFU_TEST_CASE(a_raw_peer_can_say_hello, here) {
    dialogue talk(here);
    raw_socket peer(talk.engine, talk.listen());
    peer.say_hello();
    talk.accept();
    const auto hello = peer.receive();
    BOOST_REQUIRE(hello);
    BOOST_TEST((hello->header.op == op_code::hello_response));
}

// Ids are the application's: the meaning of an id depends on the channel and the direction.
TOFU_TEST_CASE(the_same_id_may_be_in_use_on_two_channels_and_in_both_directions, here) {
    constexpr std::uint64_t id = 7;
    dialogue talk(here);
    const tofu::address where = talk.listen();
    const auto first = talk.connect(where);
    const auto second = talk.connect(where);
    for (const auto& link : {first, second}) {
        talk.client.post(make(talk.engine, op_code::request, link.client, std::to_string(link.client), id));
        talk.server.post(make(talk.engine, op_code::request, link.server, std::to_string(link.server), id));
    }
    std::vector<std::pair<any_group*, tofu::message_ptr>> asked;
    for (any_group* const group : {&talk.server, &talk.client})
        for (int i = 0; i < 2; ++i) asked.emplace_back(group, talk.expect(*group, op_code::request));
    for (auto& [group, request] : asked) group->post(answer(std::move(request), op_code::response));
    for (any_group* const group : {&talk.server, &talk.client})
        for (int i = 0; i < 2; ++i) {
            const tofu::message_ptr m = talk.expect(*group, op_code::response);
            BOOST_TEST(m->header().message_id == id);
            BOOST_TEST(body_of(*m) == std::to_string(m->header().channel_number)); // as it was asked there
        }
}

TOFU_TEST_CASE(an_id_with_the_engines_bit_is_taken_as_it_is, here) {
    dialogue talk(here);
    const auto link = talk.connect();
    constexpr std::uint64_t id = tofu::engine_id_bit | 3;
    talk.client.post(make(talk.engine, op_code::request, link.client, "mine", id));
    BOOST_TEST(talk.expect(talk.server, op_code::request)->header().message_id == id);
}

BOOST_AUTO_TEST_SUITE_END()
