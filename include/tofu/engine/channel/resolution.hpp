// SPDX-License-Identifier: BSL-1.0
// A name on its way to becoming addresses: asked by the loop, answered from any thread, dropped when it comes too late.
#ifndef TOFU_ENGINE_CHANNEL_RESOLUTION_HPP
#define TOFU_ENGINE_CHANNEL_RESOLUTION_HPP

#include <tofu/address.hpp>
#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/contract/nothrow_vector.hpp>
#include <tofu/contract/slot_identity.hpp>
#include <tofu/detail/queue_node.hpp>
#include <tofu/engine/threads/ref.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// The question and its answer. Owned by whoever holds it: the resolver, the inbox, at last the channel.
template <class Endpoint>
struct resolution : detail::queue_node {
    resolution() noexcept { kind = detail::node_kind::resolution; }

    address name;
    bool for_listening = false;
    slot_identity asker;          ///< where the answer goes
    std::uint16_t number = 0;     ///< the asker's channel number, by which other threads know whether it waits
    std::uint32_t generation = 0; ///< of the number
    nothrow_vector<Endpoint> found;
    std::size_t tried = 0; ///< how many of `found` were
    io_error error;        ///< the resolver's; later the most telling one of the addresses that were tried
};

/// What a resolver gets: it reads the name and answers once, from any thread. `Core` is the engine's shared state; the
/// handle keeps it alive, so an answer may come when the reactor is long gone.
template <class Core, class Endpoint>
class resolution_request {
public:
    resolution_request(std::unique_ptr<resolution<Endpoint>> question, ref<Core> engine) noexcept
        : question_(std::move(question)), engine_(std::move(engine)) {}
    resolution_request(resolution_request&&) noexcept = default;
    resolution_request& operator=(resolution_request&&) = delete;
    /// A resolver that gives up without an answer has said that there is none.
    ~resolution_request() {
        if (question_) complete({}, {io_failure::name_not_found, 0});
    }

    [[nodiscard]] std::string_view host() const noexcept { return question_->name.host(); }
    [[nodiscard]] std::uint16_t port() const noexcept { return question_->name.port(); }
    [[nodiscard]] bool for_listening() const noexcept { return question_->for_listening; }
    /// False: the answer would be in vain, because who asked has ended, by itself or with its engine; that does not
    /// change any more. Any thread, before complete.
    [[nodiscard]] bool still_wanted() const noexcept {
        return engine_->directory.is_live(question_->number, question_->generation);
    }

    /// The answer: addresses in the order in which they are to be tried, or an error. They are copied.
    void complete(std::span<const Endpoint> found, io_error error) noexcept {
        for (const Endpoint& one : found)
            if (!question_->found.push_back(one)) error = {io_failure::no_memory, 0};
        if (question_->found.empty() && !error) error = {io_failure::name_not_found, 0};
        question_->error = error;
        const ref<Core> engine = std::move(engine_); // the node in the inbox must not keep the inbox alive
        engine->submit(*question_.release());
    }

private:
    std::unique_ptr<resolution<Endpoint>> question_;
    ref<Core> engine_;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
