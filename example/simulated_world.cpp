// SPDX-License-Identifier: BSL-1.0
// Tests a program in a simulated world. A server answers over a slow network that cuts everything into pieces. The test
// needs no thread and no waiting, and every run is the same.
#include <tofu/policies.hpp>
#include <tofu/policies/poll/simulated_poll.hpp>
#include <tofu/policies/timer/manual_timer.hpp>
#include <tofu/tofu.hpp>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <span>
#include <string>
#include <utility>

namespace {

using namespace std::chrono_literals;
using tofu::op_code;

using engine = tofu::basic_reactor<tofu::simulated_poll, tofu::default_pool, tofu::default_key, tofu::manual_timer>;

/// The program under test: it answers every request with its text, reversed.
class server {
public:
    server(tofu::simulation::world& world, tofu::simulated_poll poll)
        : world_(world)
        , poll_(poll.number())
        , reactor_({}, tofu::driven_by::caller, std::move(poll), tofu::manual_timer(world.clock()))
        , group_(reactor_.create_group()) {}

    bool listen(const tofu::address& where) {
        tofu::message_ptr welcome = reactor_.get();
        if (welcome->listen_on(where) != tofu::status::success) return false;
        group_.post(std::move(welcome));
        return true;
    }

    //[turn
    /// Called while another engine waits. Does the work that there is, and says whether to look again or to let time
    /// pass.
    tofu::simulation::idle turn() {
        while (tofu::message_ptr m = group_.wait_receive(0ns)) serve(std::move(m));
        const auto next = reactor_.next_deadline();
        if (next <= world_.now() || world_.poller(poll_).has_news()) return tofu::simulation::idle::again;
        world_.stop_at(next);
        return tofu::simulation::idle::go_on;
    }
    //]

private:
    void serve(tofu::message_ptr m) {
        if (m->from_engine()) return;
        if (m->op() == op_code::hello_request) m->header().op = op_code::hello_response;
        if (m->op() == op_code::bye_request) m->header().op = op_code::bye_response;
        if (m->op() == op_code::request) {
            const std::string text(m->body().text().rbegin(), m->body().text().rend());
            m->header().op = op_code::response;
            if (!m->body().assign(std::as_bytes(std::span(text)))) return;
        }
        group_.post(std::move(m));
    }

    tofu::simulation::world& world_;
    unsigned poll_; ///< the number of its poller
    engine reactor_;
    engine::group_type group_;
};

tofu::message_ptr expect(engine::group_type& group, op_code op) {
    tofu::message_ptr m = group.wait_receive(10s); // of simulated time
    if (!m || m->op() != op) std::cerr << "expected " << to_string(op) << '\n';
    return m && m->op() == op ? std::move(m) : nullptr;
}

/// Runs a whole conversation in the world of this seed. False: something was wrong.
bool converse(std::uint64_t seed) {
    //[world
    const tofu::simulation::faults slow_and_in_pieces{
        .least_delay = 1ms, .most_delay = 200ms, .short_reads = 500, .short_writes = 500};
    tofu::simulation::world world(seed, slow_and_in_pieces);
    server tested(world, tofu::simulated_poll(world));
    engine reactor({}, tofu::driven_by::caller, tofu::simulated_poll(world), tofu::manual_timer(world.clock()));
    auto client = reactor.create_group();
    world.while_waiting({[](void* context, unsigned, tofu::simulation::duration) noexcept {
                             return static_cast<server*>(context)->turn();
                         },
                         &tested});
    //]
    const tofu::address where = tofu::tcp_address{"127.0.0.1", 7099};
    if (!tested.listen(where) || tested.turn() == tofu::simulation::idle::interrupt) return false;

    tofu::message_ptr hello = reactor.get();
    if (hello->connect_to(where) != tofu::status::success) return false;
    const std::uint16_t channel = client.post(std::move(hello)).channel_number;
    if (!expect(client, op_code::hello_response)) return false;

    tofu::message_ptr question = reactor.get();
    question->header().channel_number = channel;
    if (!question->body().append("simulated")) return false;
    client.post(std::move(question));
    const tofu::message_ptr answer = expect(client, op_code::response);
    if (!answer || answer->body().text() != "detalumis") return false;

    tofu::message_ptr bye = reactor.get();
    bye->header().op = op_code::bye_request;
    bye->header().channel_number = channel;
    client.post(std::move(bye));
    return expect(client, op_code::bye_response) && expect(client, op_code::signal) && world.complaint().empty();
}

} // namespace

int main() {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        if (converse(seed)) continue;
        std::cerr << "wrong in the world of seed " << seed << '\n';
        return 1;
    }
    std::cout << "200 worlds, all right\n";
}
