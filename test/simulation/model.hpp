// SPDX-License-Identifier: BSL-1.0
// The protocol's section 3 once more, as the application and the wires see it: its promises, and whether they hold.
//
// It knows the application's messages and the bytes on the simulated wires, and nothing of the engine.
#ifndef TOFU_TEST_SIMULATION_MODEL_HPP
#define TOFU_TEST_SIMULATION_MODEL_HPP

#include "frames.hpp"
#include "trace.hpp"

#include <tofu/message.hpp>
#include <tofu/options.hpp>
#include <tofu/policies/poll/simulation/world.hpp>
#include <tofu/stats.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace tofu_simulation {

using tofu::op_code;
using tofu::status;
using tofu::simulation::socket_id;
using tofu::simulation::time_point;
using tofu::simulation::world;

struct group_model;

/// Ids that applications choose themselves begin here, those of raw peers above. Engines set bit 63 in theirs.
inline constexpr std::uint64_t first_own_id = std::uint64_t{1} << 40;
[[nodiscard]] constexpr bool is_engine_id(std::uint64_t id) { return (id >> 63) != 0; }

struct engine_model {
    int serial = 0;
    unsigned poll = 0; ///< its poller's number
    tofu::options opts;
    std::size_t slots = 0;
    std::map<unsigned, struct channel_model*> alive; ///< by number, until the goodbye was taken
    bool stopped = false;
    std::uint64_t episodes = 0; ///< of starvation, as the engine counts them
};

/// A message that `post` accepted, and its fate.
struct outgoing {
    std::uint64_t id = 0;
    op_code op = op_code::request;
    bytes frame;         ///< as it has to be on the wire
    std::size_t end = 0; ///< its end in the stream
    const void* user = nullptr;
    bool returned = false;
    status why = status::success; ///< it was returned with
};

struct channel_model {
    enum class role : std::uint8_t { listener, connecting, accepting };

    int serial = 0;
    role what = role::connecting;
    engine_model* home = nullptr;
    group_model* group = nullptr;
    unsigned number = 0;
    std::uint64_t opening_id = 0; ///< of its hello_ or welcome_request
    std::string target;           ///< of its hello_ or welcome_request
    std::string opening_text;     ///< its text headers, as on the wire
    std::string opening_body;
    const void* opening_user = nullptr;
    time_point since{}; ///< when it was posted or came

    bool opened = false;            ///< a welcome_response, a hello_response or what stands for one was received; the
                                    ///< accepting side: from the start
    bool hello_posted = false;      ///< the accepting side: its hello_response
    bool accepted = false;          ///< the accepting side has posted that, or what stands for it
    bool bye_received = false;      ///< the peer's bye_request, by the application
    bool bye_answered = false;      ///< a bye_response to a bye_request that had crossed was accepted
    bool aborted = false;           ///< a bye_signal was accepted
    bool refuses = false;           ///< `post` has said that it is closed: it stays so
    bool over = false;              ///< the goodbye was taken, or the group is gone
    op_code bye = op_code::request; ///< the bye_request or bye_response that `post` accepted

    socket_id link = 0; ///< our end on the wires; 0: not known (yet)
    std::vector<outgoing> out;
    std::size_t checked = 0;         ///< bytes of the stream that were compared
    std::size_t whole = 0;           ///< entries of `out` that are on the wire completely
    std::size_t next_in = 0;         ///< frames of the peer that were delivered
    std::size_t queued_messages = 0; ///< regular ones accepted and neither on the wire nor returned
    std::size_t queued_bytes = 0;

    [[nodiscard]] bool said_bye() const { return bye != op_code::request; }
    /// Both sides have said bye_request, and the application may not have posted its answer yet.
    [[nodiscard]] bool may_have_crossed() const { return bye == op_code::bye_request && !bye_answered; }
};

struct update_model {
    std::uint64_t tag = 0; ///< its message id; 0: an empty one
    time_point due{};
};

struct group_model {
    int serial = 0;
    engine_model* home = nullptr;
    bool destroyed = false;
    std::deque<update_model> updates;           ///< to be received in this order
    std::map<std::uint64_t, time_point> timers; ///< by tag: to be received, no earlier
    std::uint64_t notices = 0;                  ///< pool_empty signals received
};

/// One frame of an incoming stream.
struct incoming {
    std::size_t begin = 0;
    frame_header header;
};

/// Statuses that would be right.
class allowed {
public:
    allowed() = default;
    allowed(status one) { add(one); }
    void add(status one) { bits_ |= std::uint64_t{1} << static_cast<unsigned>(one); }
    [[nodiscard]] bool has(status one) const { return (bits_ >> static_cast<unsigned>(one) & 1) != 0; }
    [[nodiscard]] bool has(const std::error_code& error) const { return has(static_cast<status>(error.value())); }
    [[nodiscard]] std::string text() const;

private:
    std::uint64_t bits_ = 0;
};

/// A message that the application wants to post.
struct posting {
    unsigned op = 0;
    unsigned number = 0;
    bool more = false;
    std::uint64_t id = 0;
    unsigned status_byte = 0;
    std::string text; ///< of the text headers, as on the wire
    std::string body;
    std::string target; ///< of a hello or welcome
    bool bad_target = false;
    const void* user = nullptr;
    const channel_model* bound = nullptr; ///< it was received there, and its number was not changed
};

/// All checks throw `violation`.
class model {
public:
    model(world& where, trace& log) : world_(where), log_(log) {}

    engine_model& add_engine(unsigned poll, const tofu::options& opts, std::size_t slots);
    group_model& add_group(engine_model& home);

    // The application's actions.

    /// The number is right, and the application cannot know it: its hello_request is still to be received.
    [[nodiscard]] bool is_lucky_guess(const group_model& by, const posting& what);
    [[nodiscard]] allowed may_post(const group_model& by, const posting& what);
    void posted(group_model& by, const posting& what, const tofu::binary_header& sent);
    void post_refused(group_model& by, const posting& what, status why);
    void received(group_model& by, const tofu::message& m);
    void destroyed(group_model& which);

    // Checks that are possible at any time.

    /// Every byte an engine has written is what it had to write.
    void check_wires();
    void check_figures(engine_model& which, const tofu::engine_stats& now);
    void check_contract() const;
    /// Connections an engine has accepted whose hello_request is not complete.
    [[nodiscard]] std::size_t before_hello(const engine_model& which);

    // Checks at the end.

    /// After a long patient phase: nothing that must happen is still to come.
    void check_patience();
    /// After the same phase: nothing is left on the wires that this engine should have taken.
    void check_nothing_waits(const engine_model& which, const tofu::engine_stats& now);
    void check_over(const engine_model& which) const;

    [[nodiscard]] std::string name_of(const channel_model& c) const;
    [[nodiscard]] const std::deque<channel_model>& channels() const { return channels_; }
    [[nodiscard]] std::deque<channel_model>& channels() { return channels_; }
    [[nodiscard]] std::string id_text(std::uint64_t id);

    bool memory_may_be_short = false;
    bool faults_are_off = false; ///< this run is to be without any fault

    std::uint64_t messages_checked = 0;

private:
    channel_model& open(group_model& by, channel_model::role what, unsigned number, std::uint64_t id);
    void received_from_engine(channel_model& c, const tofu::message& m);
    void received_from_peer(group_model& by, const tofu::message& m);
    void received_notice(group_model& by, const tofu::message& m);
    void take_back(channel_model& c, const tofu::message& m);
    void check_opening(const channel_model& c, const tofu::message& m);
    [[nodiscard]] allowed may_answer_bye(const channel_model& c);
    [[nodiscard]] bool bye_has_come(const channel_model& c);
    void goodbye(channel_model& c, const tofu::message& m);
    void check_cause(const channel_model& c, std::string_view reason);
    void check_all_delivered(const channel_model& c, std::string_view reason);
    void check_read_before(const channel_model& c, std::string_view reason);
    void check_fates(const channel_model& c, std::string_view reason);
    void check_stream(channel_model& c);
    void link_by_answer(channel_model& c, std::uint64_t id);
    [[nodiscard]] bool has_unreceived_hello(const engine_model& which);
    [[nodiscard]] bool may_stop_reading(const engine_model& which);
    [[nodiscard]] socket_id find_accepted_end(const engine_model& home, std::uint64_t hello);
    [[nodiscard]] const std::vector<incoming>& frames_of(socket_id receiver);
    [[nodiscard]] allowed judge(const channel_model& c, const frame_header& h, std::size_t index);
    void leave(channel_model& c);

    world& world_;
    trace& log_;
    std::deque<engine_model> engines_;
    std::deque<group_model> groups_;
    std::deque<channel_model> channels_;
    std::map<std::uint64_t, channel_model*> by_hello_; ///< connecting channels
    std::vector<std::vector<incoming>> frames_;        ///< by receiving socket
    std::vector<channel_model*> linked_;               ///< by socket
    std::set<std::uint64_t> ids_;                      ///< that the engines have assigned
    std::map<std::uint64_t, std::size_t> seen_ids_;
};

} // namespace tofu_simulation

#endif
