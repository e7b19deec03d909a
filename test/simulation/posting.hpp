// SPDX-License-Identifier: BSL-1.0
// The posts of the applications in a simulated run, legal and illegal: the model says which outcome each must have.
#ifndef TOFU_TEST_SIMULATION_POSTING_HPP
#define TOFU_TEST_SIMULATION_POSTING_HPP

#include "engines.hpp"

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tofu_simulation {

template <class Set>
class poster {
public:
    using application = typename engines<Set>::application;
    using engine = typename engines<Set>::engine;

    explicit poster(stage& on) : s_(on) {}

    [[nodiscard]] tofu::message_ptr get(engine& e) {
        std::error_code error;
        tofu::message_ptr m = e.e->get(tofu::allocation::always, error);
        if (error && !s_.rules.memory_may_be_short) violated("post", "get: ", error.message());
        return m;
    }

    /// Any channel this group has or had; often one of its own that is alive.
    [[nodiscard]] const channel_model* some_channel(application& a) {
        std::vector<const channel_model*> mine;
        const bool any_at_all = s_.chance().chance(s_.kind.illegal);
        for (const channel_model& c : s_.rules.channels())
            if (any_at_all ? c.home == a.home->is
                           : c.group == a.is && !c.over && c.what != channel_model::role::listener)
                mine.push_back(&c);
        if (mine.empty()) return nullptr;
        return mine[s_.chance().size_below(mine.size())];
    }

    void post_data(application& a, std::uint64_t count) {
        const channel_model* const c = some_channel(a);
        if (c == nullptr) return;
        for (std::uint64_t i = 0; i < count; ++i) {
            posting p;
            p.op = static_cast<unsigned>(s_.chance().below(3));
            p.number = c->number;
            p.more = s_.chance().chance(100);
            p.id = s_.chance().chance(p.more ? 900 : 300) ? ++last_own_id_ : 0;
            if (s_.chance().chance(s_.kind.illegal)) spoil(p);
            if (tofu::message_ptr m = get(*a.home); m && fill(*m, p)) post(a, std::move(m), p);
        }
    }

    void post_on_some(application& a, unsigned op) {
        const channel_model* const c = some_channel(a);
        if (c == nullptr) return;
        post_one(a, *c, op == 5 && s_.chance().chance(300) ? 6 : op);
    }

    /// Sometimes more is posted on the new channel at once, before anything can have come of it.
    void say_hello(application& a) {
        const channel_model* const c = open(a, 3, tofu::connect_to_header);
        if (c == nullptr || !s_.chance().chance(300)) return;
        for (std::uint64_t i = s_.chance().below(4); i > 0; --i)
            post_one(a, *c, static_cast<unsigned>(s_.chance().below(3)));
        if (s_.chance().chance(300)) post_one(a, *c, s_.chance().chance(500) ? 5 : 7);
    }

    void say_hello_to_nobody(application& a) {
        posting p;
        p.op = 3;
        p.target = "uds|/nowhere";
        tofu::message_ptr m = get(*a.home);
        if (!m || m->headers().append(tofu::connect_to_header, p.target) != status::success) return;
        p.text = m->headers().wire();
        post(a, std::move(m), p);
    }

    void welcome(application& a) { static_cast<void>(open(a, 8, tofu::listen_on_header)); }

    void post_one(application& a, const channel_model& c, unsigned op) {
        posting p;
        p.op = op;
        p.number = c.number;
        if (tofu::message_ptr m = get(*a.home); m && fill(*m, p)) post(a, std::move(m), p);
    }

    /// The model says what must become of it.
    void post(application& a, tofu::message_ptr m, posting p) {
        m->header().status_byte = static_cast<std::uint8_t>(p.status_byte);
        hand_over(a, std::move(m), p);
    }

    /// A message of the engine, as it came back or said goodbye: the engine's additions do not travel.
    void post_again(application& a, tofu::message_ptr m) {
        const channel_model* const c = some_channel(a);
        const bool copied = s_.chance().chance(300);
        const bool connects = s_.chance().chance(500);
        const bool has_status = s_.chance().chance(200);
        if (c == nullptr) return;
        if (copied) {
            std::error_code error;
            tofu::message_ptr copy = clone(*m, error);
            if (!copy) return;
            m = std::move(copy);
        }
        posting p;
        p.text = m->headers().wire();
        if (m->why()) p.text.erase(p.text.rfind(tofu::reason_header));
        p.body = m->body().text();
        p.op = static_cast<unsigned>(m->op());
        const std::string before(m->headers().find(tofu::connect_to_header)); // a failed hello_request has it
        if (m->op() == op_code::hello_response && connects && !before.empty()) {
            p.target = draw_target();
            const auto address = tofu::parse_address(p.target);
            if (address.status != status::success || m->connect_to(address.value) != status::success) return;
            p.text.replace(p.text.find(before), before.size(), p.target);
            p.op = 3;
            m->header().message_id = 0;
        } else {
            if (p.op > 2) p.op = 2;
            p.number = c->number;
            p.id = m->header().message_id;
        }
        p.more = m->header().more && p.op < 3;
        if (has_status) m->header().status_byte = static_cast<std::uint8_t>(p.status_byte = 7);
        hand_over(a, std::move(m), p);
    }

    /// All but the status is as `p` says from here on.
    void hand_over(application& a, tofu::message_ptr m, posting& p) {
        p.user = reinterpret_cast<const void*>(++posted_); // nobody follows it
        m->user(const_cast<void*>(p.user));
        m->header().op = static_cast<op_code>(p.op);
        m->header().channel_number = static_cast<std::uint16_t>(p.number);
        m->header().more = p.more;
        m->header().message_id = p.id;
        const std::uint8_t status_before = m->header().status_byte;
        const std::string text_before(m->headers().wire());
        s_.rules.check_wires();
        if (s_.rules.is_lucky_guess(*a.is, p)) return;
        const allowed expected = s_.rules.may_post(*a.is, p);
        std::error_code error;
        const tofu::binary_header sent = a.g.post(std::move(m), error);
        const auto result = static_cast<status>(error.value());
        s_.log.line("    post op ", p.op, " on ", p.number, ", ", p.text.size() + p.body.size(), " bytes, id ",
                    s_.rules.id_text(error ? 0 : sent.message_id), p.target.empty() ? "" : " to ", p.target, ": ",
                    to_string(result));
        if (!expected.has(result))
            violated("post", "op ", p.op, " on number ", p.number, " gave ", to_string(result), ", and it should be ",
                     expected.text());
        if (static_cast<bool>(m) != static_cast<bool>(error))
            violated("post", error ? "a refused message did not stay with its caller" : "an accepted message stayed");
        if (error && (m->header().status_byte != status_before || m->headers().wire() != text_before))
            violated("post", "a refused message was changed");
        if (!error)
            s_.rules.posted(*a.is, p, sent);
        else
            s_.rules.post_refused(*a.is, p, result);
    }

private:
    void spoil(posting& p) {
        switch (s_.chance().below(5)) {
        case 0: p.op = static_cast<unsigned>(s_.chance().below(16)); break;
        case 1: p.number = static_cast<unsigned>(s_.chance().below(40)); break;
        case 2: p.more = true; break;
        case 3: p.number = s_.chance().chance(500) ? 0 : 65535; break;
        case 4: p.op = static_cast<unsigned>(s_.chance().between(3, 7)); break;
        }
    }

    /// False: memory is short.
    [[nodiscard]] bool fill(tofu::message& m, posting& p) {
        if (s_.chance().chance(300)) {
            const std::string value(s_.chance().size_below(40), 'v');
            if (m.headers().append("name", value) != status::success) return false;
        }
        std::size_t size = s_.chance().size_below(80);
        const std::uint64_t kind = s_.chance().below(100);
        if (kind < 6) size = s_.chance().size_below(9000);
        if (kind == 0) size = s_.chance().chance(100) ? 65536 : s_.chance().size_below(65536);
        p.body.resize(size);
        for (std::size_t i = 0; i < size; ++i) p.body[i] = static_cast<char>(i * 7 + size);
        if (!m.body().assign(std::as_bytes(std::span(p.body)))) return false;
        p.text = m.headers().wire();
        return true;
    }

    [[nodiscard]] std::string draw_target() {
        const std::uint64_t what = s_.chance().below(100);
        const std::string port = std::to_string(s_.chance().between(first_port, last_port));
        if (s_.kind.hostile != 0 && what < 35) return "tcp|127.0.0.1|" + std::to_string(raw_port);
        if (s_.kind.names && what < 60)
            return "tcp|" + std::string(host_names[s_.chance().size_below(host_names.size())]) + "|" + port;
        if (what < 95) return "tcp|127.0.0.1|" + port;
        return what < 97 ? "tcp|192.0.2.1|" + port : "uds|/nowhere";
    }

    /// The channel that was begun; null: none was.
    const channel_model* open(application& a, unsigned op, std::string_view header) {
        posting p;
        p.op = op;
        p.target = draw_target();
        p.bad_target = s_.chance().chance(s_.kind.illegal);
        if (p.bad_target) p.target = s_.chance().chance(500) ? "tcp|" : "nonsense";
        tofu::message_ptr m = get(*a.home);
        if (!m || m->headers().append(header, p.target) != status::success || !fill(*m, p)) return nullptr;
        const std::size_t before = s_.rules.channels().size();
        post(a, std::move(m), p);
        return s_.rules.channels().size() > before ? &s_.rules.channels().back() : nullptr;
    }

    stage& s_;
    std::uint64_t last_own_id_ = first_own_id;
    std::uintptr_t posted_ = 0;
};

} // namespace tofu_simulation

#endif
