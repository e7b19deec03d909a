// SPDX-License-Identifier: BSL-1.0
// The list of all combinations, how one body becomes several cases, and what the smoke cases share.
#include "smoke.hpp"

#include "lists.hpp"

#include <cstddef>
#include <string>
#include <utility>

namespace tofu_test {

const std::vector<combination>& combinations() {
    static const std::vector<combination> all = []<std::size_t... Part>(std::index_sequence<Part...>) {
        std::vector<combination> made;
        (add_part<Part>(made), ...);
        return made;
    }
    (std::make_index_sequence<product_parts>{});
    return all;
}

std::string smoke_setting::name() const {
    return policies.name + (where.over == transport::tcp ? ".tcp" : ".uds") +
           (where.has_thread() ? ".io_thread" : ".caller");
}

void smoke::pass() {
    if (policies.time != timekeeping::manual) return;
    turn_loop(); // operations that were posted begin before
    clock.advance(soon);
    turn_loop();
}

void smoke::talk_on(const link& which, std::uint64_t id) {
    client.post(make(engine, tofu::op_code::request, which.client, "question", id));
    tofu::message_ptr m = expect(server, tofu::op_code::request);
    BOOST_TEST(m->header().channel_number == which.server);
    BOOST_TEST(m->header().message_id == id);
    BOOST_TEST(body_of(*m) == "question");
    server.post(answer(std::move(m), tofu::op_code::response));
    m = expect(client, tofu::op_code::response);
    BOOST_TEST(m->header().channel_number == which.client);
    BOOST_TEST(m->header().message_id == id);
}

void smoke::end(const link& which) {
    client.post(make(engine, tofu::op_code::bye_request, which.client));
    server.post(answer(expect(server, tofu::op_code::bye_request), tofu::op_code::bye_response));
    expect(client, tofu::op_code::bye_response);
    expect_goodbye(client, which.client, "bye");
    expect_goodbye(server, which.server, "bye");
}

boost::unit_test::test_unit* smoke_cases::next() const {
    const auto& all = combinations();
    while (next_ < 2 * all.size() && wanted_ != nullptr && !wanted_(all[next_ / 2])) next_ += 2;
    if (next_ == 2 * all.size()) return nullptr;
    const smoke_setting at{
        all[next_ / 2],
        {.poll = default_poller,
         .over = over_,
         .who = next_ % 2 == 0 ? tofu::driven_by::caller : tofu::driven_by::io_thread}}; // .poll: it makes no engine
    ++next_;
    auto* const made = new boost::unit_test::test_case(std::string(name_) + '<' + at.name() + '>', file_, line_,
                                                       [body = body_, at] { body(at); });
    if (over_ == transport::uds) made->add_precondition(uds_there);
    return made;
}

} // namespace tofu_test
