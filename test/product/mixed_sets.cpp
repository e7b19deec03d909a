// SPDX-License-Identifier: BSL-1.0
// Engines with different policies live in one program and talk to each other, all at the same time.
#include "smoke.hpp"

#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace tofu_test;
using tofu::op_code;
using tofu::status;

BOOST_AUTO_TEST_SUITE(mixed_sets)

namespace {

constexpr std::size_t count = 5; ///< of engines
constexpr unsigned questions = 20;

/// An engine with a thread of its own, and an application on another thread. The application connects to the members
/// before it, asks, says bye, and answers the members that have connected to it, until all have said bye.
struct member {
    explicit member(const combination& of)
        : engine(of.make({}, tofu::driven_by::io_thread, clock)), group(engine.create_group()) {}

    void listen(const tofu::address& at) {
        group.post(welcome_request(engine, at));
        const tofu::message_ptr ready = group.wait_receive(patience);
        BOOST_REQUIRE(ready);
        BOOST_REQUIRE_MESSAGE(ready->status() == status::success, ready->headers().wire());
        listener = ready->header().channel_number;
        where = tofu::parse_address(ready->headers().find(tofu::listen_on_header)).value;
    }

    /// The failure in words, or nothing. (Not every thread may use Boost.Test.)
    std::string run(const std::deque<member>& all) {
        for (const member& other : all) {
            if (&other == this) break;
            tofu::message_ptr hello = engine.get();
            if (hello->connect_to(other.where) != status::success) return "no address to connect to";
            group.post(std::move(hello));
        }
        while (ends < count - 1) {
            tofu::message_ptr m = group.wait_receive(patience);
            if (!m) return "waited in vain";
            if (!digest(std::move(m))) return "something unexpected came";
        }
        return answers == asked * questions ? "" : "not all questions were answered";
    }

    bool digest(tofu::message_ptr m) {
        const std::uint16_t channel = m->header().channel_number;
        switch (m->op()) {
        case op_code::hello_request: group.post(answer(std::move(m), op_code::hello_response)); return true;
        case op_code::hello_response: ++asked; return m->status() == status::success && ask(channel, 1);
        case op_code::request: group.post(answer(std::move(m), op_code::response)); return true;
        case op_code::response: {
            ++answers;
            const std::uint64_t id = m->header().message_id;
            if (body_of(*m) != std::to_string(id)) return false;
            return id < questions ? ask(channel, id + 1) : say_bye(channel);
        }
        case op_code::bye_request: group.post(answer(std::move(m), op_code::bye_response)); return true;
        case op_code::bye_response: return true;
        case op_code::signal: ++ends; return m->from_engine() && reason_of(*m) == "bye";
        default: return false;
        }
    }

    bool ask(std::uint16_t channel, std::uint64_t id) {
        return post(op_code::request, channel, std::to_string(id), id);
    }
    bool say_bye(std::uint16_t channel) { return post(op_code::bye_request, channel, "", 0); }
    bool post(op_code op, std::uint16_t channel, std::string_view body, std::uint64_t id) {
        tofu::message_ptr m = engine.get();
        m->header().op = op;
        m->header().channel_number = channel;
        m->header().message_id = id;
        if (!m->body().append(body)) return false;
        group.post(std::move(m));
        return true;
    }

    tofu::manual_clock clock;
    any_reactor engine;
    any_group group;
    tofu::address where;
    std::uint16_t listener = 0;
    std::size_t ends = 0;    ///< goodbyes
    std::size_t asked = 0;   ///< peers
    std::size_t answers = 0; ///< from all of them
};

/// Sets that differ in as much as possible.
std::vector<const combination*> some_sets() {
    const auto& all = combinations();
    std::vector<const combination*> some;
    for (std::size_t i = 0; i < count; ++i) some.push_back(&all[i * all.size() / count]);
    return some;
}

void talk_among_each_other(const setting& here) {
    std::deque<member> members;
    for (const combination* const one : some_sets()) members.emplace_back(*one).listen(here.new_address());
    std::set<std::string_view> sets;
    for (const member& one : members) sets.insert(one.engine.stats().policies);
    BOOST_TEST(sets.size() == count);

    std::deque<std::string> wrong(count);
    {
        std::deque<std::thread> threads;
        for (std::size_t i = 0; i < count; ++i) threads.emplace_back([&, i] { wrong[i] = members[i].run(members); });
        for (std::thread& one : threads) one.join();
    }
    for (std::size_t i = 0; i < count; ++i) {
        BOOST_TEST_CONTEXT(members[i].engine.stats().policies) {
            BOOST_TEST(wrong[i] == "");
            await_channels(members[i].engine, 1);
        }
    }
}

} // namespace

BOOST_AUTO_TEST_CASE(engines_of_different_sets_talk_over_tcp) {
    talk_among_each_other({.poll = default_poller, .over = transport::tcp, .who = tofu::driven_by::io_thread});
}

BOOST_AUTO_TEST_CASE(engines_of_different_sets_talk_over_socket_files, *needs_uds()) {
    talk_among_each_other({.poll = default_poller, .over = transport::uds, .who = tofu::driven_by::io_thread});
}

// A message that one engine has received may be sent by another engine: a message belongs to no set of policies.
BOOST_AUTO_TEST_CASE(a_message_goes_from_engine_to_engine) {
    const auto sets = some_sets();
    std::deque<member> members;
    for (const combination* const one : sets) members.emplace_back(*one);
    tofu::message_ptr m = filled(members.front().engine.get(), op_code::signal, 0, "round", 0);
    for (member& one : members) {
        one.group.update_receiver(std::move(m));
        m = one.group.wait_receive(patience);
        BOOST_REQUIRE(m);
        BOOST_TEST(body_of(*m) == "round");
    }
}

BOOST_AUTO_TEST_SUITE_END()
