// SPDX-License-Identifier: BSL-1.0
// The look-up of a host name. The loop asks, and a resolver answers from any thread. An answer that comes too late is
// dropped.
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

/// A question and its answer in one object. The resolver owns the object first, then the inbox, then the channel.
template <class Endpoint>
struct resolution : detail::queue_node {
    resolution() noexcept { kind = detail::node_kind::resolution; }

    address name;
    bool for_listening = false;
    slot_identity asker;          ///< the channel that asks
    std::uint16_t number = 0;     ///< of the channel that asks; tells other threads whether the channel still waits
    std::uint32_t generation = 0; ///< of the number
    nothrow_vector<Endpoint> found;
    std::size_t tried = 0; ///< how many addresses of `found` were tried
    io_error error;        ///< the resolver's; later the most telling one of the addresses that were tried
};

/// The functions of the engine that a question needs. The engine derives from this class, so that a resolver does not
/// depend on the engine's policies.
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

    /// Holds one reference to the engine, as long as this object lives.
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

/// The request that a resolver gets. The resolver reads the name and answers once, from any thread. The request keeps
/// the engine's memory alive, so an answer may come long after the reactor is gone.
template <class Endpoint>
class resolution_request {
public:
    resolution_request(std::unique_ptr<resolution<Endpoint>> question, resolution_owner& engine) noexcept
        : question_(std::move(question)), engine_(engine) {}
    resolution_request(resolution_request&&) noexcept = default;
    resolution_request& operator=(resolution_request&&) = delete;
    /// A request that is destroyed without an answer answers with name_not_found.
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
