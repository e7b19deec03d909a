// SPDX-License-Identifier: BSL-1.0
// The happy path first: a whole conversation, in every setting.
#include "harness.hpp"

using namespace tofu_test;
using tofu::op_code;

BOOST_AUTO_TEST_SUITE(conversation)

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

TOFU_TEST_CASE(a_raw_peer_can_say_hello, here) {
    dialogue talk(here);
    raw_socket peer(talk.engine, talk.listen());
    peer.say_hello();
    talk.accept();
    const auto hello = peer.receive();
    BOOST_REQUIRE(hello);
    BOOST_TEST((hello->header.op == op_code::hello_response));
}

BOOST_AUTO_TEST_SUITE_END()
