// SPDX-License-Identifier: BSL-1.0
// A host name on its way to addresses. The loop asks, a resolver answers from any thread, and the answer is dropped if
// it comes too late.
#ifndef TOFU_ENGINE_CHANNEL_RESOLUTION_HPP
#define TOFU_ENGINE_CHANNEL_RESOLUTION_HPP

#include <tofu/address.hpp>
#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/contract/nothrow_vector.hpp>
#include <tofu/contract/slot_identity.hpp>
#include <tofu/detail/queue_node.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// The question and its answer. The resolver owns it, then the inbox, at last the channel.
template <class Endpoint>
struct resolution : detail::queue_node {
    resolution() noexcept { kind = detail::node_kind::resolution; }

    address name;
    bool for_listening = false;
    slot_identity asker;          ///< the channel that asks
    std::uint16_t number = 0;     ///< of the channel that asks; other threads see by it whether the channel still waits
    std::uint32_t generation = 0; ///< of the number
    nothrow_vector<Endpoint> found;
    std::size_t tried = 0; ///< how many addresses of `found` were tried
    io_error error;        ///< the resolver's; later the most telling one of the addresses that were tried
};

/// What a question needs of the engine that asks. The engine derives from it, so that a resolver knows no policy.
class resolution_owner {
public:
    /// The functions of the engine. Any thread.
    struct functions {
        void (*keep)(resolution_owner&) noexcept;    ///< adds a reference to the engine
        void (*release)(resolution_owner&) noexcept; ///< drops a reference, and destroys the engine with the last one
        bool (*awaits)(const resolution_owner&, std::uint16_t number, std::uint32_t generation) noexcept;
        void (*submit)(resolution_owner&, detail::queue_node& answer) noexcept; ///< puts the answer into the inbox
    };

    explicit resolution_owner(const functions& how) noexcept : how_(how) {}

    /// One reference to the engine, which ends with this object.
    class reference {
    public:
        explicit reference(resolution_owner& owner) noexcept : owner_(&owner) { owner.how_.keep(owner); }
        reference(reference&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
        reference& operator=(reference&&) = delete;
        ~reference() {
            if (owner_ != nullptr) owner_->how_.release(*owner_);
        }

        [[nodiscard]] bool awaits(std::uint16_t number, std::uint32_t generation) const noexcept {
            return owner_->how_.awaits(*owner_, number, generation);
        }
        void submit(detail::queue_node& answer) const noexcept { owner_->how_.submit(*owner_, answer); }

    private:
        resolution_owner* owner_;
    };

protected:
    ~resolution_owner() = default;

private:
    const functions& how_;
};

/// What a resolver gets: it reads the name and answers once, from any thread. The request keeps the engine's memory
/// alive, so an answer may come long after the reactor is gone.
template <class Endpoint>
class resolution_request {
public:
    resolution_request(std::unique_ptr<resolution<Endpoint>> question, resolution_owner& engine) noexcept
        : question_(std::move(question)), engine_(engine) {}
    resolution_request(resolution_request&&) noexcept = default;
    resolution_request& operator=(resolution_request&&) = delete;
    /// A request that ends without an answer says that there is no address.
    ~resolution_request() {
        if (question_) complete({}, {io_failure::name_not_found, 0});
    }

    [[nodiscard]] std::string_view host() const noexcept { return question_->name.host(); }
    [[nodiscard]] std::uint16_t port() const noexcept { return question_->name.port(); }
    [[nodiscard]] bool for_listening() const noexcept { return question_->for_listening; }

    /// False: the channel that asked has ended, by itself or with its engine. That is final. Any thread, before
    /// `complete`.
    [[nodiscard]] bool still_wanted() const noexcept {
        return engine_.awaits(question_->number, question_->generation);
    }

    /// The answer: addresses in the order in which they are to be tried, or an error. The addresses are copied.
    void complete(std::span<const Endpoint> found, io_error error) noexcept {
        TOFU_ASSERT(question_ != nullptr);
        for (const Endpoint& one : found)
            if (!question_->found.push_back(one)) error = {io_failure::no_memory, 0};
        if (question_->found.empty() && !error) error = {io_failure::name_not_found, 0};
        question_->error = error;
        const resolution_owner::reference engine = std::move(engine_); // a resolver may keep the request for long
        engine.submit(*question_.release());
    }

private:
    std::unique_ptr<resolution<Endpoint>> question_;
    resolution_owner::reference engine_;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
