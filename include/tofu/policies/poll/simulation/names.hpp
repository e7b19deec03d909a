// SPDX-License-Identifier: BSL-1.0
// The names of a simulated world, and the questions about them that are not answered yet.
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

/// The resolver's answer for a name.
struct name_answer {
    std::vector<std::uint32_t> hosts; ///< in the order of the attempts; empty: name_not_found
    manual_clock::duration after = std::chrono::milliseconds(1);
    bool never = false; ///< no answer comes
};

/// One question, with the type of its resolution erased.
struct name_question {
    std::vector<endpoint> found;
    void* request = nullptr; ///< null exactly when it was answered or dropped
    void (*finish)(name_question&, bool answered) noexcept = nullptr;
};

/// The table of names and the questions. One thread at a time.
class names {
public:
    names() = default;
    names(const names&) = delete;
    names& operator=(const names&) = delete;
    ~names() { drop_all(); }

    /// Sets the answer for a name.
    void set(std::string_view name, name_answer answer) noexcept {
        for (auto& [known, old] : known_)
            if (known == name) {
                old = std::move(answer);
                return;
            }
        known_.emplace_back(name, std::move(answer));
    }

    /// Takes a question; platform::network says what a Resolution is. Returns the question and the delay of its answer.
    /// The question is null if no answer comes.
    template <class Resolution>
    [[nodiscard]] std::pair<name_question*, manual_clock::duration> ask(Resolution request) noexcept {
        const name_answer& found = find(request.host());
        name_question& asked = waiting_.emplace_back();
        for (const std::uint32_t host : found.hosts) asked.found.push_back({host, request.port()});
        asked.request =
            over_ ? nullptr
                  : new Resolution(std::move(request)); // if it is over, the destructor of `request` is the answer
        asked.finish = [](name_question& q, bool answered) noexcept {
            const std::unique_ptr<Resolution> whole(static_cast<Resolution*>(std::exchange(q.request, nullptr)));
            if (!whole || !answered) return;
            whole->complete(q.found, {q.found.empty() ? io_failure::name_not_found : io_failure::none, 0});
        };
        return {found.never || over_ ? nullptr : &asked, found.after};
    }

    /// Ends the world: no question is answered any more.
    void close() noexcept {
        over_ = true;
        drop_all();
    }

    /// Drops all open questions.
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
    std::list<name_question> waiting_; ///< kept to the end of the world, because events point to them
    name_answer unknown_;
    bool over_ = false;
};

} // namespace tofu::inline TOFU_ABI::simulation

#endif
