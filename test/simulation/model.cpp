// SPDX-License-Identifier: BSL-1.0
// The model's rules about posting and receiving.
#include "model.hpp"

#include <algorithm>

namespace tofu_simulation {

namespace {

[[nodiscard]] bool carries_data(op_code op) {
    return op == op_code::request || op == op_code::response || op == op_code::signal;
}

[[nodiscard]] bool opens(unsigned op) { return op == 3 || op == 8; }

/// The channel's own answer to its hello_ or welcome_request, when it came to nothing, and its last word.
[[nodiscard]] bool is_explained(const tofu::message& m) {
    const std::string_view reason = m.headers().find(tofu::reason_header);
    return !reason.empty() && m.why() && to_text(*m.why()).view() == reason;
}

[[nodiscard]] frame_header header_of(const posting& what, const tofu::binary_header& sent) {
    return {.number = sent.channel_number,
            .op = what.op,
            .engine = false,
            .more = what.more,
            .internal = 0,
            .status = what.status_byte,
            .id = sent.message_id,
            .text = what.text.size(),
            .body = what.body.size()};
}

void put(bytes& into, std::string_view text) {
    for (const char c : text) into.push_back(static_cast<std::byte>(c));
}

} // namespace

std::string allowed::text() const {
    std::string words;
    for (unsigned i = 0; i < 64; ++i)
        if ((bits_ >> i & 1) != 0) {
            if (!words.empty()) words += " or ";
            words += to_string(static_cast<status>(i));
        }
    return words;
}

engine_model& model::add_engine(unsigned poll, const tofu::options& opts, std::size_t slots) {
    engine_model& e = engines_.emplace_back();
    e.serial = static_cast<int>(engines_.size());
    e.poll = poll;
    e.opts = opts;
    e.slots = slots;
    return e;
}

group_model& model::add_group(engine_model& home) {
    group_model& g = groups_.emplace_back();
    g.serial = static_cast<int>(groups_.size());
    g.home = &home;
    return g;
}

std::string model::name_of(const channel_model& c) const {
    trace words(true);
    words.line("channel ", c.serial, " (engine ", c.home->serial, ", group ", c.group->serial, ", number ", c.number,
               ")");
    std::string text = words.text();
    text.pop_back();
    return text;
}

/// Engines take their ids from one counter of the process: in the log they are numbered as they are seen.
std::string model::id_text(std::uint64_t id) {
    if (id == 0) return "0";
    if (id >= first_own_id && !is_engine_id(id)) return "own " + std::to_string(id % first_own_id);
    return std::to_string(seen_ids_.try_emplace(id, seen_ids_.size() + 1).first->second);
}

// Posting.

bool model::is_lucky_guess(const group_model& by, const posting& what) {
    return by.home->opts.implicit_hello && carries_data(static_cast<op_code>(what.op)) &&
           !by.home->alive.contains(what.number) && has_unreceived_hello(*by.home);
}

allowed model::may_post(const group_model& by, const posting& what) {
    if (by.home->stopped) return status::shutdown_started;
    if (what.op > 9 || what.op == 9) return status::invalid_op_code;
    if (what.more && !carries_data(static_cast<op_code>(what.op))) return status::invalid_more_usage;
    if (opens(what.op) != (what.number == 0)) return status::invalid_channel_number;
    if (what.number == 65535) return status::invalid_channel_number;
    if (what.text.size() > 65535) return status::invalid_headers_len;
    if (what.body.size() > 65535) return status::invalid_body_len;
    if (what.more && what.id == 0) return status::invalid_message_id;
    if (opens(what.op)) {
        allowed result;
        if (what.bad_target) {
            result.add(status::invalid_address);
            result.add(status::wrong_address);
            return result;
        }
        result.add(status::success);
        if (memory_may_be_short) result.add(status::allocation_failed);
        return result;
    }
    const auto found = by.home->alive.find(what.number);
    if (what.bound != nullptr && what.bound->over) return status::invalid_channel_number;
    if (found == by.home->alive.end()) { // or a guess at one whose hello_request is still to be received
        allowed result(status::invalid_channel_number);
        if (!has_unreceived_hello(*by.home)) return result;
        result.add(status::invalid_channel_group);
        if (carries_data(static_cast<op_code>(what.op))) result.add(status::not_allowed);
        return result;
    }
    const channel_model& c = *found->second;
    const auto op = static_cast<op_code>(what.op);
    allowed result(status::invalid_channel_number); // the engine may have ended it, and the goodbye is on its way
    if (c.group != &by) {
        result.add(status::invalid_channel_group);
        return result;
    }
    if (op == op_code::bye_signal) {
        result.add(status::success);
        return result;
    }
    if (op == op_code::bye_response && c.may_have_crossed()) return may_answer_bye(c);
    if (c.refuses) return result;
    const bool accepting = c.what == channel_model::role::accepting;
    const bool unanswered = accepting && !c.accepted;
    if (c.what == channel_model::role::listener || c.said_bye()) {
        result.add(status::not_allowed);
    } else if (op == op_code::hello_response) {
        result.add(accepting && !c.hello_posted ? status::success : status::not_allowed);
    } else if (op == op_code::bye_request) {
        result.add(status::success);
    } else if (op == op_code::bye_response) {
        if (!c.bye_received || unanswered) result.add(status::not_allowed);
        if (!unanswered && bye_has_come(c)) result.add(status::success);
    } else if (unanswered && !by.home->opts.implicit_hello) {
        result.add(status::not_allowed);
    } else {
        const std::size_t size = header_size + what.text.size() + what.body.size();
        const bool full = c.queued_messages + 1 > by.home->opts.max_queued_messages ||
                          c.queued_bytes + size > by.home->opts.max_queued_bytes;
        result.add(full ? status::send_failed : status::success);
    }
    return result;
}

/// The peer's bye_request has been read, perhaps without the application's knowledge.
bool model::bye_has_come(const channel_model& c) {
    if (c.bye_received) return true;
    if (c.link == 0) return false;
    for (const incoming& frame : frames_of(c.link))
        if (frame.header.op == 5 && frame.begin + frame.header.size() <= world_.socket(c.link).in.read) return true;
    return false;
}

/// A bye_response after one's own bye_request: accepted, and consumed, if the peer's bye_request has crossed it. That
/// holds until the goodbye was taken.
allowed model::may_answer_bye(const channel_model& c) {
    if (c.bye_received) return status::success;
    allowed result(status::not_allowed);
    result.add(status::invalid_channel_number);
    if (bye_has_come(c)) result.add(status::success);
    return result;
}

channel_model& model::open(group_model& by, channel_model::role what, unsigned number, std::uint64_t id) {
    if (number == 0 || number == 65535) violated("numbers", "number ", number, " was given out");
    if (by.home->alive.contains(number))
        violated("numbers", "number ", number, " was given out while ", name_of(*by.home->alive[number]), " has it");
    channel_model& c = channels_.emplace_back();
    c.serial = static_cast<int>(channels_.size());
    c.what = what;
    c.home = by.home;
    c.group = &by;
    c.number = number;
    c.opening_id = id;
    c.since = world_.now();
    by.home->alive[number] = &c;
    return c;
}

void model::posted(group_model& by, const posting& what, const tofu::binary_header& sent) {
    const auto op = static_cast<op_code>(what.op);
    const bool answers = op == op_code::response || op == op_code::hello_response || op == op_code::bye_response;
    if (what.id != 0 || answers) {
        if (sent.message_id != what.id) violated("post", "the message id was changed");
    } else if (!is_engine_id(sent.message_id)) {
        violated("post", "message id ", sent.message_id, " is not one of the engine");
    } else if (op != op_code::bye_signal && !ids_.insert(sent.message_id).second) {
        violated("post", "message id ", id_text(sent.message_id), " is not new");
    }
    if (sent.op != op || sent.more != what.more || sent.status_byte != what.status_byte)
        violated("post", "the header it returned is not that of the message");
    channel_model* c = nullptr;
    if (opens(what.op)) {
        const bool listens = op == op_code::welcome_request;
        c = &open(by, listens ? channel_model::role::listener : channel_model::role::connecting, sent.channel_number,
                  sent.message_id);
        c->target = what.target;
        c->opening_text = what.text;
        c->opening_body = what.body;
        c->opening_user = what.user;
        log_.line("    = ", name_of(*c));
        if (listens) return;
        by_hello_[sent.message_id] = c;
    } else {
        c = by.home->alive.at(what.number);
        if (sent.channel_number != what.number) violated("post", "the channel number was changed");
    }
    if (op == op_code::bye_signal) {
        c->aborted = true;
        return;
    }
    if (op == op_code::bye_response && c->said_bye()) { // it is consumed: the byes have crossed
        c->bye_answered = true;
        return;
    }
    if (op == op_code::hello_response) c->hello_posted = true;
    if (op == op_code::hello_response || carries_data(op)) c->accepted = true;
    if (op == op_code::bye_request || op == op_code::bye_response) c->bye = op;
    outgoing& o = c->out.emplace_back();
    o.id = sent.message_id;
    o.op = op;
    o.user = what.user;
    put(o.frame, header_of(what, sent));
    put(o.frame, what.text);
    put(o.frame, what.body);
    o.end = o.frame.size() + (c->out.size() > 1 ? c->out[c->out.size() - 2].end : 0);
    if (carries_data(op)) {
        ++c->queued_messages;
        c->queued_bytes += o.frame.size();
    }
}

void model::post_refused(group_model& by, const posting& what, status why) {
    if (why != status::invalid_channel_number || what.number == 0) return;
    if (what.bound != nullptr && what.bound->over) return;
    const auto found = by.home->alive.find(what.number);
    if (found != by.home->alive.end() && what.number != 65535 && what.op < 9 && what.op != 8 && what.op != 3 &&
        !(what.more && !carries_data(static_cast<op_code>(what.op))))
        found->second->refuses = true;
}

// Receiving.

void model::received(group_model& by, const tofu::message& m) {
    ++messages_checked;
    const tofu::binary_header& h = m.header();
    if (h.text_headers_length != m.headers().size_bytes() || h.body_length != m.body().size())
        violated("content", "the lengths in the header are not those of the message");
    if (h.channel_number == 0) {
        received_notice(by, m);
        return;
    }
    const auto found = by.home->alive.find(h.channel_number);
    if (!m.from_engine()) {
        received_from_peer(by, m);
        return;
    }
    if (found == by.home->alive.end())
        violated("stranger", "the engine speaks of number ", h.channel_number, ", which nobody has");
    if (found->second->group != &by)
        violated("stranger", "a message of ", name_of(*found->second), " in another group");
    received_from_engine(*found->second, m);
}

void model::received_notice(group_model& by, const tofu::message& m) {
    const status what = m.status();
    if (what == status::pool_empty) {
        if (!m.from_engine() || m.op() != op_code::signal) violated("origin", "a pool_empty that is not the engine's");
        if (++by.notices > by.home->episodes) violated("back_pressure", "more pool_empty notices than episodes");
        log_.line("    < pool_empty");
        return;
    }
    if (what != status::receiver_update) violated("stranger", "a message for no channel, status ", to_string(what));
    const std::uint64_t tag = m.header().message_id;
    log_.line("    < update ", tag);
    if (m.from_engine() != (tag == 0)) violated("origin", "an update has the wrong origin");
    if (const auto timed = by.timers.find(tag); tag != 0 && timed != by.timers.end()) {
        if (timed->second > world_.now()) violated("updates", "an update came before its time");
        by.timers.erase(timed);
        return;
    }
    if (by.updates.empty() || by.updates.front().tag != tag)
        violated("updates", "update ", tag, " is not the next one");
    by.updates.pop_front();
}

void model::received_from_peer(group_model& by, const tofu::message& m) {
    const tofu::binary_header& h = m.header();
    log_.line("    < ", to_string(h.op), " on ", h.channel_number, ", id ", id_text(h.message_id), ", ",
              m.headers().size_bytes() + m.body().size(), " bytes");
    if (h.op == op_code::hello_request) {
        const socket_id end = find_accepted_end(*by.home, h.message_id);
        if (end == 0) violated("stranger", "a hello_request nobody has sent");
        channel_model& fresh = open(by, channel_model::role::accepting, h.channel_number, h.message_id);
        fresh.opened = true;
        fresh.link = end;
        fresh.since = world_.socket(end).made_at;
        linked_[end - 1] = &fresh;
        log_.line("    = ", name_of(fresh));
    }
    const auto found = by.home->alive.find(h.channel_number);
    if (found == by.home->alive.end()) violated("stranger", "a message on number ", h.channel_number);
    channel_model& c = *found->second;
    if (c.group != &by) violated("stranger", "a message of ", name_of(c), " in another group");
    if (c.link == 0) link_by_answer(c, h.message_id);
    if (c.link == 0) violated("stranger", "a message on ", name_of(c), ", which has no connection");
    const auto& frames = frames_of(c.link);
    if (c.next_in >= frames.size()) violated("content", "a message on ", name_of(c), " that nobody has sent");
    const incoming& frame = frames[c.next_in];
    const auto& stream = world_.socket(c.link).in;
    if (frame.begin + frame.header.size() > stream.read)
        violated("content", "a message on ", name_of(c), " that was not read whole");
    const frame_header& sent = frame.header;
    const bool same =
        sent.op == static_cast<unsigned>(h.op) && sent.id == h.message_id && sent.more == h.more &&
        sent.status == h.status_byte && sent.text == m.headers().size_bytes() && sent.body == m.body().size() &&
        std::equal(m.headers().wire().begin(), m.headers().wire().end(),
                   stream.bytes.begin() + static_cast<std::ptrdiff_t>(frame.begin + header_size),
                   [](char a, std::byte b) { return static_cast<std::byte>(a) == b; }) &&
        std::equal(m.body().bytes().begin(), m.body().bytes().end(),
                   stream.bytes.begin() + static_cast<std::ptrdiff_t>(frame.begin + header_size + sent.text));
    if (m.why()) violated("origin", "a peer's message has a cause of the engine");
    if (!same)
        violated("order", "on ", name_of(c), " came id ", id_text(h.message_id), ", and id ", id_text(sent.id), " (",
                 to_string(static_cast<op_code>(sent.op)), ") was due");
    if (const allowed verdict = judge(c, sent, c.next_in); !verdict.has(status::success))
        violated("violations", "delivered on ", name_of(c), ": ", to_string(h.op), ", which is ", verdict.text());
    ++c.next_in;
    if (h.op == op_code::hello_response || carries_data(h.op)) c.opened = true;
    if (h.op == op_code::bye_request) c.bye_received = true;
}

void model::received_from_engine(channel_model& c, const tofu::message& m) {
    const tofu::binary_header& h = m.header();
    log_.line("    < engine: ", to_string(h.op), " on ", h.channel_number, ", id ", id_text(h.message_id), ", ",
              to_string(m.status()), ", ", m.headers().find(tofu::reason_header));
    if (c.what == channel_model::role::listener && h.op == op_code::welcome_response) {
        if (h.message_id != c.opening_id) violated("goodbye", "a welcome_response with the wrong id");
        if (c.opened) violated("goodbye", "a second welcome_response for ", name_of(c));
        check_opening(c, m);
        if (m.status() != status::success) {
            goodbye(c, m);
        } else {
            if (m.headers().find(tofu::listen_on_header).empty()) violated("goodbye", "a welcome without its address");
            c.opened = true;
        }
        return;
    }
    if (h.op == op_code::signal && m.status() == status::channel_closed && h.message_id == 0) {
        if (!is_explained(m) || m.body().size() != 0) violated("goodbye", "a goodbye that is not the engine's");
        if (!c.opened) violated("goodbye", name_of(c), " never opened, but its end is a signal");
        goodbye(c, m);
        return;
    }
    if (c.what == channel_model::role::connecting && h.op == op_code::hello_response && h.message_id == c.opening_id) {
        check_opening(c, m);
        if (c.opened) violated("goodbye", name_of(c), " was open, but its end is a failed hello_response");
        if (m.status() == status::success) violated("goodbye", "a failed hello_response with status success");
        goodbye(c, m);
        return;
    }
    take_back(c, m);
}

/// The answer to a hello_ or welcome_request is the request as it was posted; only the address of a listener that
/// listens, or the reason of a failure, is the engine's.
void model::check_opening(const channel_model& c, const tofu::message& m) {
    std::string text = c.opening_text;
    if (m.status() == status::success) {
        const std::string line = std::string(tofu::listen_on_header) + ":" + c.target + "\r\n";
        text.replace(text.find(line), line.size(),
                     std::string(tofu::listen_on_header) + ":" + std::string(m.headers().find(tofu::listen_on_header)) +
                         "\r\n");
        if (m.why()) violated("goodbye", "a success that has a cause");
    } else {
        if (!is_explained(m)) violated("goodbye", "a failure that does not say why");
        text += std::string(tofu::reason_header) + ":" + std::string(m.headers().find(tofu::reason_header)) + "\r\n";
    }
    if (m.headers().wire() != text || m.body().text() != c.opening_body || m.user() != c.opening_user)
        violated("nothing_vanishes", "the request that opened ", name_of(c), " did not come back as it was posted");
}

void model::take_back(channel_model& c, const tofu::message& m) {
    check_wires();
    const tofu::binary_header& h = m.header();
    for (std::size_t i = c.whole; i < c.out.size(); ++i) {
        outgoing& o = c.out[i];
        if (o.returned || o.op == op_code::hello_request) continue;
        const frame_header posted = get_header(o.frame);
        const bool same = o.id == h.message_id && o.op == h.op && posted.more == h.more && o.user == m.user() &&
                          posted.text == m.headers().size_bytes() && posted.body == m.body().size() &&
                          std::equal(m.headers().wire().begin(), m.headers().wire().end(),
                                     o.frame.begin() + static_cast<std::ptrdiff_t>(header_size),
                                     [](char a, std::byte b) { return static_cast<std::byte>(a) == b; }) &&
                          std::equal(m.body().bytes().begin(), m.body().bytes().end(),
                                     o.frame.begin() + static_cast<std::ptrdiff_t>(header_size + posted.text));
        if (!same)
            violated("nothing_vanishes", "came back on ", name_of(c), ": id ", id_text(h.message_id), ", and id ",
                     id_text(o.id), " was due");
        o.returned = true;
        o.why = m.status();
        return;
    }
    violated("nothing_vanishes", "came back on ", name_of(c), ": id ", id_text(h.message_id), " (", to_string(h.op),
             ", ", to_string(m.status()), "), which was not posted, was sent, or came back before");
}

void model::leave(channel_model& c) {
    c.over = true;
    c.home->alive.erase(c.number);
}

void model::destroyed(group_model& which) {
    which.destroyed = true;
    for (channel_model& c : channels_)
        if (c.group == &which && !c.over) leave(c);
}

} // namespace tofu_simulation
