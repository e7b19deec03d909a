// SPDX-License-Identifier: BSL-1.0
// The model's rules about the wires, the end of a channel, and the end of everything.
#include "model.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <optional>

namespace tofu_simulation {

namespace {

using role = channel_model::role;

/// The status that a cause gives to messages that come back and to failed hello_ and welcome_responses.
[[nodiscard]] allowed status_for(std::string_view reason, role what, bool opened) {
    const status failed_step = what == role::listener ? status::listen_failed : status::connect_failed;
    constexpr std::array<std::pair<std::string_view, status>, 16> table{{
        {"bye", status::channel_closed},
        {"aborted", status::channel_closed},
        {"peer_aborted", status::channel_closed},
        {"group_destroyed", status::channel_closed},
        {"engine_stopped", status::shutdown_started},
        {"peer_disconnected", status::peer_disconnected},
        {"peer_reset", status::peer_disconnected},
        {"connect_refused", status::connect_failed},
        {"connect_timeout", status::connect_failed},
        {"hello_timeout", status::communication_failed},
        {"message_timeout", status::communication_failed},
        {"idle_timeout", status::communication_failed},
        {"bye_timeout", status::communication_failed},
        {"path_not_found", status::uds_path_not_found},
        {"out_of_channels", status::allocation_failed},
        {"out_of_memory", status::allocation_failed},
    }};
    for (const auto& [name, value] : table)
        if (reason == name) return value;
    for (const std::string_view name :
         {"name_not_found", "address_in_use", "address_not_available", "permission_denied"})
        if (reason == name && !opened) return failed_step;
    if (reason.starts_with("violation:"))
        for (unsigned i = 1; i < 32; ++i)
            if (to_string(static_cast<status>(i)) == reason.substr(10)) return static_cast<status>(i);
    allowed any;
    if (reason.starts_with("os_error:"))
        for (const status s : {status::connect_failed, status::listen_failed, status::accept_failed,
                               status::processing_failed, status::communication_failed, status::send_failed})
            any.add(s);
    return any;
}

/// The limit of an open channel that this reason names; nothing when it names none.
[[nodiscard]] std::optional<std::chrono::milliseconds> time_limit(std::string_view reason, const tofu::options& all) {
    if (reason == "hello_timeout") return all.hello_time;
    if (reason == "message_timeout") return all.message_time;
    if (reason == "idle_timeout") return all.idle_time;
    if (reason == "bye_timeout") return all.bye_time;
    return std::nullopt;
}

} // namespace

const std::vector<incoming>& model::frames_of(socket_id receiver) {
    if (frames_.size() < world_.socket_count()) frames_.resize(world_.socket_count());
    std::vector<incoming>& known = frames_[receiver - 1];
    const bytes& stream = world_.socket(receiver).in.bytes;
    std::size_t begin = known.empty() ? 0 : known.back().begin + known.back().header.size();
    while (stream.size() >= begin + header_size) {
        known.push_back({begin, get_header(std::span(stream).subspan(begin))});
        begin += known.back().header.size();
    }
    return known;
}

socket_id model::find_accepted_end(const engine_model& home, std::uint64_t hello) {
    linked_.resize(world_.socket_count());
    for (socket_id id = 1; id <= world_.socket_count(); ++id) {
        const auto& s = world_.socket(id);
        if (!s.accepted || s.holder != home.poll || linked_[id - 1] != nullptr) continue;
        const auto& frames = frames_of(id);
        if (!frames.empty() && frames[0].header.id == hello) return id;
    }
    return 0;
}

/// A raw peer may answer before our hello has left: then its answer tells which connection it is.
void model::link_by_answer(channel_model& c, std::uint64_t answer) {
    linked_.resize(world_.socket_count());
    for (socket_id id = 1; id <= world_.socket_count(); ++id) {
        const auto& s = world_.socket(id);
        if (s.accepted || s.other == 0 || s.holder != c.home->poll || linked_[id - 1] != nullptr) continue;
        const auto& frames = frames_of(id);
        if (frames.empty() || frames[0].header.id != answer) continue;
        c.link = id;
        linked_[id - 1] = &c;
        return;
    }
}

/// The verdict of section 3 on this frame: success, or the statuses of the rules that the frame breaks. Both, if it
/// depends on whether our bye_request had left before the frame was read. channel_closed: the frame is a bye_signal,
/// the peer's abort.
allowed model::judge(const channel_model& c, const frame_header& h, std::size_t index) {
    allowed broken;
    bool legal = true;
    const auto breaks = [&](bool condition, status rule) {
        if (!condition) return;
        broken.add(rule);
        legal = false;
    };
    breaks(h.op > 9 || h.op == 8 || h.op == 9, status::invalid_op_code);
    breaks(h.engine, status::invalid_message);
    breaks(h.more && h.op > 2, status::invalid_more_usage);
    breaks(h.text > c.home->opts.max_text_headers, status::invalid_headers_len);
    breaks(h.body > c.home->opts.max_body, status::invalid_body_len);
    if (h.op == 7) {
        if (legal) broken.add(status::channel_closed);
        return broken;
    }
    bool hello = false;
    unsigned bye = 0;
    const auto& frames = frames_of(c.link);
    for (std::size_t i = 0; i < index; ++i) {
        if (frames[i].header.op == 3 || frames[i].header.op == 4) hello = true;
        if (frames[i].header.op == 5 || frames[i].header.op == 6) bye = frames[i].header.op;
    }
    bool asked = false; // our bye_request is out
    for (std::size_t i = 0; i < c.whole; ++i) asked = asked || c.out[i].op == op_code::bye_request;
    bool sequence = true;
    bool depends = false;
    if (bye != 0) {
        sequence = false; // after both byes, tolerated messages are dropped, never delivered
        if (bye == 5 && h.op == 6 && asked) depends = true;
    } else if (h.op == 6) {
        sequence = asked && (hello || c.what == role::connecting);
        depends = sequence;
    } else if (c.what == role::accepting) {
        sequence = (h.op == 3) != hello && h.op != 4;
    } else { // a hello_response may come once, at any time: messages before it have accepted the connection as well
        sequence = h.op != 3 && !(h.op == 4 && hello);
    }
    breaks(!sequence, status::invalid_op_code);
    if (depends) broken.add(status::invalid_op_code);
    if (legal) broken.add(status::success);
    return broken;
}

// The wires.

void model::check_wires() {
    linked_.resize(world_.socket_count());
    for (socket_id id = 1; id <= world_.socket_count(); ++id) {
        const auto& s = world_.socket(id);
        if (s.other == 0 || s.holder == 0) continue;
        const bytes& stream = world_.socket(s.other).in.bytes;
        if (linked_[id - 1] == nullptr) {
            if (stream.empty()) continue;
            if (s.accepted) violated("wire", "an engine writes before anybody has answered a hello");
            if (stream.size() < header_size) continue;
            const auto found = by_hello_.find(get_header(stream).id);
            if (found == by_hello_.end() || found->second->home->poll != s.holder)
                violated("wire", "an engine writes what nobody has posted");
            found->second->link = id;
            linked_[id - 1] = found->second;
        }
        check_stream(*linked_[id - 1]);
    }
}

void model::check_stream(channel_model& c) {
    const bytes& stream = world_.socket(world_.socket(c.link).other).in.bytes;
    while (c.checked < stream.size()) {
        if (c.whole == c.out.size()) violated("wire", "on ", name_of(c), " more was sent than was posted");
        outgoing& o = c.out[c.whole];
        const std::size_t begin = o.end - o.frame.size();
        const std::size_t part = std::min(stream.size(), o.end) - c.checked;
        if (std::memcmp(stream.data() + c.checked, o.frame.data() + (c.checked - begin), part) != 0)
            violated("wire", "on ", name_of(c), " the bytes of id ", id_text(o.id), " (", to_string(o.op),
                     ") are not those that were posted");
        c.checked += part;
        if (c.checked != o.end) break;
        if (o.returned)
            violated("nothing_vanishes", "on ", name_of(c), " id ", id_text(o.id), " came back and was sent");
        ++c.whole;
        if (o.op == op_code::request || o.op == op_code::response || o.op == op_code::signal) {
            --c.queued_messages;
            c.queued_bytes -= o.frame.size();
        }
    }
}

void model::check_figures(engine_model& which, const tofu::engine_stats& now) {
    which.episodes = now.starvation_episodes;
    if (now.credit_used > which.opts.max_messages)
        violated("limits", "engine ", which.serial, " has ", now.credit_used, " received messages outside, ",
                 which.opts.max_messages, " are the limit");
    if (now.messages_counted + now.credit_used > now.messages_alive)
        violated("limits", "engine ", which.serial, " counts ", now.messages_counted, " messages beside ",
                 now.credit_used, " received ones, of ", now.messages_alive);
    if (now.channels > which.slots) violated("limits", "engine ", which.serial, " has ", now.channels, " channels");
    const std::size_t unannounced = before_hello(which);
    if (unannounced > which.opts.max_awaiting_hello)
        violated("limits", "engine ", which.serial, " has ", unannounced, " connections before hello");
}

std::size_t model::before_hello(const engine_model& which) {
    linked_.resize(world_.socket_count());
    std::size_t count = 0;
    for (socket_id id = 1; id <= world_.socket_count(); ++id) {
        const auto& s = world_.socket(id);
        if (!s.accepted || !s.watched || s.holder != which.poll || linked_[id - 1] != nullptr) continue;
        const auto& frames = frames_of(id); // a complete one no longer counts
        if (frames.empty() || frames[0].begin + frames[0].header.size() > s.in.read) ++count;
    }
    return count;
}

bool model::has_unreceived_hello(const engine_model& which) {
    linked_.resize(world_.socket_count());
    for (socket_id id = 1; id <= world_.socket_count(); ++id) {
        const auto& s = world_.socket(id);
        if (!s.accepted || s.holder != which.poll || linked_[id - 1] != nullptr) continue;
        const auto& frames = frames_of(id);
        if (!frames.empty() && frames[0].begin + frames[0].header.size() <= s.in.read) return true;
    }
    return false;
}

void model::check_contract() const {
    if (!world_.complaint().empty()) violated("contract", world_.complaint());
}

// The end of a channel.

void model::goodbye(channel_model& c, const tofu::message& m) {
    check_wires();
    const std::string_view reason = m.headers().find(tofu::reason_header);
    if (c.over) violated("goodbye", "a second goodbye for ", name_of(c));
    if (!c.opened && !status_for(reason, c.what, false).has(m.status()))
        violated("goodbye", name_of(c), " failed with ", to_string(m.status()), " for the reason ", reason);
    check_fates(c, reason);
    check_all_delivered(c, reason);
    check_read_before(c, reason);
    check_cause(c, reason);
    leave(c);
}

void model::check_fates(const channel_model& c, std::string_view reason) {
    const allowed why = status_for(reason, c.what, c.opened);
    for (std::size_t i = c.whole; i < c.out.size(); ++i) {
        const outgoing& o = c.out[i];
        if (o.op == op_code::hello_request) continue;
        if (!o.returned)
            violated("nothing_vanishes", name_of(c), " is gone, and id ", id_text(o.id), " (", to_string(o.op),
                     ") was neither sent nor did it come back");
        if (!why.has(o.why))
            violated("nothing_vanishes", "id ", id_text(o.id), " of ", name_of(c), " came back with ", to_string(o.why),
                     " for the reason ", reason);
    }
}

/// Every message that the engine had read before the end was delivered before it.
void model::check_all_delivered(const channel_model& c, std::string_view reason) {
    if (c.link == 0) return;
    const auto& end = world_.socket(c.link);
    const auto& frames = frames_of(c.link);
    const bool next_is_whole =
        c.next_in < frames.size() && frames[c.next_in].begin + frames[c.next_in].header.size() <= end.in.read;
    const bool natural = reason == "peer_disconnected" || reason == "peer_reset" || reason == "bye" ||
                         reason == "peer_aborted" || reason == "os_error:13";
    if (natural && next_is_whole) {
        const allowed verdict = judge(c, frames[c.next_in].header, c.next_in);
        if (verdict.has(status::success) && verdict.text() == "success")
            violated("nothing_vanishes", "id ", id_text(frames[c.next_in].header.id), " was read on ", name_of(c),
                     " and not delivered before its end, ", reason);
    }
    if (reason.starts_with("violation:")) {
        if (c.next_in >= frames.size() || frames[c.next_in].begin + header_size > end.in.read)
            violated("violations", name_of(c), " ended with ", reason, ", and its peer has sent nothing wrong");
        const allowed verdict = judge(c, frames[c.next_in].header, c.next_in);
        const allowed said = status_for(reason, c.what, true);
        bool agrees = false;
        for (unsigned i = 1; i < 32; ++i)
            agrees = agrees || (said.has(static_cast<status>(i)) && verdict.has(static_cast<status>(i)));
        if (!agrees)
            violated("violations", name_of(c), " ended with ", reason, ", but its next message is ", verdict.text());
    }
    if (reason == "peer_aborted" &&
        (c.next_in >= frames.size() || frames[c.next_in].begin + header_size > end.in.read ||
         !judge(c, frames[c.next_in].header, c.next_in).has(status::channel_closed)))
        violated("violations", name_of(c), " ended with ", reason, ", and its peer has sent no bye_signal");
    if ((reason == "peer_disconnected" || reason == "peer_reset") && end.left_unread != 0)
        violated("nothing_vanishes", name_of(c), " ended with ", reason, ", and ", end.left_unread,
                 " bytes that had arrived were not read");
}

/// Bytes that were there when a limit was reached, or when the poller last had room for everything after that, were
/// read first.
void model::check_read_before(const channel_model& c, std::string_view reason) {
    const auto limit = time_limit(reason, c.home->opts);
    if (!limit || c.link == 0) return;
    const auto& end = world_.socket(c.link);
    if (end.left_unseen) violated("expiry", name_of(c), " ended with ", reason, " after a wait that was interrupted");
    const std::size_t there = end.in.arrived_by(std::max(end.shown_until, c.since + *limit));
    if (end.in.read < there && !end.in.cut)
        violated("expiry", name_of(c), " ended with ", reason, ", and ", there - end.in.read,
                 " bytes that had arrived before were not read");
}

void model::check_cause(const channel_model& c, std::string_view reason) {
    const auto fail = [&](std::string_view why) { violated("cause", name_of(c), " ended with ", reason, ": ", why); };
    const auto waited = world_.now() - c.since;
    const auto after = [&](std::chrono::milliseconds limit) {
        if (limit.count() == 0) fail("that limit is off");
        if (waited < limit) fail("that is too early");
    };
    if (reason == "aborted" && !c.aborted) fail("nobody has posted a bye_signal");
    if (reason == "engine_stopped" && !c.home->stopped) fail("the engine goes on");
    if (reason == "group_destroyed") fail("a destroyed group receives nothing");
    if (const auto limit = time_limit(reason, c.home->opts)) after(*limit);
    // The addresses of a name share the connect time. The last address may fail at once, and silence is more telling.
    const bool only_shares_ended = c.target.find(".test") != std::string::npos && world_.no_way_at() >= c.since;
    if (reason == "connect_timeout" && waited < std::chrono::minutes(2) && !only_shares_ended)
        after(c.home->opts.connect_time);
    if (reason == "out_of_memory" && !memory_may_be_short) fail("memory was never short");
    if (faults_are_off && c.target.starts_with("tcp") &&
        (reason.starts_with("os_error") || reason == "permission_denied"))
        fail("nothing has failed");
    if (c.link == 0) return;
    const auto& end = world_.socket(c.link);
    if (reason == "peer_disconnected" && !end.in.end_arrived) fail("the peer has not ended its stream");
    if (reason == "peer_reset" && !(end.failure && end.found_failed)) fail("the peer has reset nothing");
    if (reason == "os_error:13" && !end.write_failure) fail("no write has failed");
    if (reason == "bye") {
        bool sent = false;
        for (std::size_t i = 0; i < c.whole; ++i)
            sent = sent || c.out[i].op == op_code::bye_request || c.out[i].op == op_code::bye_response;
        bool came = false;
        for (const incoming& frame : frames_of(c.link)) came = came || frame.header.op == 5 || frame.header.op == 6;
        if (!sent || !came) fail("not both sides have said bye");
    }
}

// The end of everything.

/// Without a message time, incomplete messages of peers that have fallen silent hold half of the credit for ever:
/// others then have no room for theirs.
bool model::may_stop_reading(const engine_model& which) {
    if (which.opts.message_time.count() != 0) return false;
    std::size_t incomplete = 0;
    for (socket_id id = 1; id <= world_.socket_count(); ++id) {
        const auto& s = world_.socket(id);
        if (s.holder != which.poll || !s.watched || s.kind == tofu::simulation::socket_kind::listener) continue;
        std::size_t boundary = 0; // between two messages
        for (const incoming& frame : frames_of(id))
            if (const std::size_t end = frame.begin + frame.header.size(); end <= s.in.read) boundary = end;
        if (boundary != s.in.read) ++incomplete;
    }
    return incomplete >= which.opts.max_messages / 2;
}

void model::check_patience() {
    check_wires();
    for (const channel_model& c : channels_) {
        if (c.over || c.home->stopped || c.group->destroyed) continue;
        const tofu::options& limits = c.home->opts;
        const auto late = [&](std::string_view what) { violated("liveness", name_of(c), ": ", what); };
        // Messages queued for a peer that has half-closed and then fallen silent wait for as long as the bye time says.
        const bool no_limit = limits.bye_time.count() == 0 && c.link != 0 && world_.socket(c.link).silent;
        if (c.refuses && !no_limit) late("post has said that it is closed, and the goodbye does not come");
        if (c.aborted) late("the bye_signal has no effect");
        const bool limited = limits.connect_time.count() != 0 && limits.hello_time.count() != 0;
        const bool refused = c.bye_received && limits.bye_time.count() == 0; // by a bye_request: its end has no limit
        if (!c.opened && c.what == role::connecting && limited && !refused) late("the hello_request is not answered");
        if (!c.opened && c.what == role::listener && limited) late("the welcome_request is not answered");
        if (c.said_bye() && limits.bye_time.count() != 0 && c.opened) late("the bye does not end");
        if (c.link != 0 && world_.socket(c.link).write_failure)
            late("a write has failed for good, and it does not end");
        if (c.link == 0 || world_.socket(c.link).silent) continue;
        const channel_model* const peer = linked_[world_.socket(c.link).other - 1];
        if (peer == nullptr || peer->over || peer->home->stopped || peer->group->destroyed) continue;
        if (may_stop_reading(*peer->home)) continue;
        if (c.whole != c.out.size()) late("not all that was posted was sent");
        if (peer->next_in < c.whole) violated("liveness", "what was sent on ", name_of(c), " was not received");
    }
    for (const group_model& g : groups_) {
        if (g.destroyed || g.home->stopped) continue;
        if (!g.updates.empty()) violated("liveness", "an update was not received");
    }
}

void model::check_nothing_waits(const engine_model& which, const tofu::engine_stats& now) {
    const bool may_accept = now.channels < which.slots && before_hello(which) < which.opts.max_awaiting_hello;
    for (socket_id id = 1; id <= world_.socket_count(); ++id) {
        const auto& s = world_.socket(id);
        if (s.holder != which.poll || !s.watched) continue;
        if (may_accept && !s.backlog.empty())
            violated("liveness", "engine ", which.serial, " does not accept a connection that waits");
        // Incomplete messages that nothing ends hold half of the credit for ever: others then have no room for theirs.
        if (s.in.unread() != 0 && which.opts.message_time.count() != 0)
            violated("liveness", "engine ", which.serial, " does not read ", s.in.unread(), " bytes that have arrived");
    }
}

void model::check_over(const engine_model& which) const {
    for (const auto& [number, c] : which.alive)
        if (!c->group->destroyed) violated("goodbye", name_of(*c), " never said goodbye");
}

} // namespace tofu_simulation
