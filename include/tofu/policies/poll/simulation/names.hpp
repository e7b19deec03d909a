// SPDX-License-Identifier: BSL-1.0
// The names of a simulated world, and the questions about them that wait for an answer.
#ifndef TOFU_POLICIES_POLL_SIMULATION_NAMES_HPP
#define TOFU_POLICIES_POLL_SIMULATION_NAMES_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/policies/poll/simulation/endpoint.hpp>
#include <tofu/policies/timer/manual_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tofu::inline TOFU_ABI::simulation {

/// What a resolver says about a name.
struct name_answer {
    std::vector<std::uint32_t> hosts; ///< in the order in which they are to be tried; none: name_not_found
    manual_clock::duration after = std::chrono::milliseconds(1);
    bool never = false; ///< there is no answer
};

/// One resolver's question, of whatever type it is.
struct name_question {
    std::vector<endpoint> found;
    void* request = nullptr; ///< null: it was answered, or dropped
    void (*finish)(name_question&, bool answered) noexcept = nullptr;
};

/// One thread at a time.
class names {
public:
    names() = default;
    names(const names&) = delete;
    names& operator=(const names&) = delete;
    ~names() { drop_all(); }

    /// From now on `name` has this answer.
    void set(std::string_view name, name_answer answer) noexcept {
        for (auto& [known, old] : known_)
            if (known == name) {
                old = std::move(answer);
                return;
            }
        known_.emplace_back(name, std::move(answer));
    }

    /// Takes a question (see platform::network for what a Resolution is). When it is to be answered, by `answer`;
    /// nothing of that for a name whose answer never comes.
    template <class Resolution>
    [[nodiscard]] std::pair<name_question*, manual_clock::duration> ask(Resolution request) noexcept {
        const name_answer& found = find(request.host());
        name_question& asked = waiting_.emplace_back();
        for (const std::uint32_t host : found.hosts) asked.found.push_back({host, request.port()});
        asked.request = over_ ? nullptr : new Resolution(std::move(request)); // if it is over, its end is the answer
        asked.finish = [](name_question& q, bool answered) noexcept {
            const std::unique_ptr<Resolution> whole(static_cast<Resolution*>(std::exchange(q.request, nullptr)));
            if (!whole || !answered) return;
            whole->complete(q.found, {q.found.empty() ? io_failure::name_not_found : io_failure::none, 0});
        };
        return {found.never || over_ ? nullptr : &asked, found.after};
    }

    /// No question is answered any more.
    void close() noexcept {
        over_ = true;
        drop_all();
    }

    /// Whoever still waits gets no answer any more.
    void drop_all() noexcept {
        for (name_question& one : waiting_) one.finish(one, false);
    }

private:
    [[nodiscard]] const name_answer& find(std::string_view name) const noexcept {
        for (const auto& [known, answer] : known_)
            if (known == name) return answer;
        return unknown_;
    }

    std::vector<std::pair<std::string, name_answer>> known_;
    std::list<name_question> waiting_; // to the end of the world: their answers are events that point here
    name_answer unknown_;
    bool over_ = false;
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
