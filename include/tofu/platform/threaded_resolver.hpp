// SPDX-License-Identifier: BSL-1.0
// A resolver that runs a blocking look-up on threads of its own.
//
// This header is open to policies outside of the library; see doc/writing-policies.md.

#ifndef TOFU_PLATFORM_THREADED_RESOLVER_HPP
#define TOFU_PLATFORM_THREADED_RESOLVER_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/contract/nothrow_vector.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/lookup_threads.hpp>
#include <tofu/platform/network_session.hpp>
#include <tofu/platform/thread.hpp>

#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tofu::inline TOFU_ABI::platform {

/// Calls `Lookup` on at most four threads of its own, which exist while names are queued. The threads are detached and
/// own their data, so the end of the resolver or of the engine does not wait for a look-up. `Lookup` is copied for each
/// name and called as
///     io_error operator()(std::string_view host, std::uint16_t port, bool for_listening,
///                         nothrow_vector<endpoint>& found) const noexcept;
/// by several threads at a time; it may block. A name that nobody waits for any more is not looked up. Each thread
/// opens a `Session`, so that `Lookup` may use the network. All calls: one thread at a time.
template <class Lookup, class Threads = detached_threads, class Session = network_session>
class basic_threaded_resolver {
    static_assert(std::is_nothrow_copy_constructible_v<Lookup>,
                  "tofu::platform::basic_threaded_resolver<Lookup>: Lookup must be nothrow copyable");
    static_assert(std::is_nothrow_invocable_r_v<io_error, const Lookup&, std::string_view, std::uint16_t, bool,
                                                nothrow_vector<endpoint>&>,
                  "tofu::platform::basic_threaded_resolver<Lookup>: Lookup needs `io_error operator()(std::string_view "
                  "host, std::uint16_t port, bool for_listening, nothrow_vector<endpoint>& found) const noexcept;`");

public:
    basic_threaded_resolver() noexcept requires(std::is_default_constructible_v<Lookup>) : lookup_() {}
    explicit basic_threaded_resolver(Lookup lookup) noexcept : lookup_(std::move(lookup)) {}
    /// A copy has the same look-up and threads of its own.
    basic_threaded_resolver(const basic_threaded_resolver& other) noexcept : lookup_(other.lookup_) {}
    basic_threaded_resolver(basic_threaded_resolver&& other) noexcept
        : lookup_(other.lookup_), threads_(std::exchange(other.threads_, nullptr)) {}
    basic_threaded_resolver& operator=(const basic_threaded_resolver&) = delete;
    ~basic_threaded_resolver() {
        if (threads_ != nullptr) {
            threads_->drop();
        }
    }

    /// Does not block. Another thread completes `request`. This thread completes it at once with `aborted` if nobody
    /// waits for the answer any more, and with `no_memory` if memory or a thread is not available.
    template <class Resolution>
    void resolve(Resolution request) noexcept {
        if (!request.still_wanted()) {
            request.complete({}, io_error{io_failure::aborted, 0});
            return;
        }
        if (threads_ == nullptr) {
            threads_ = lookup_threads<Threads, Session>::make();
        }
        auto* const asked =
            threads_ != nullptr ? new (std::nothrow) question<Resolution>(std::move(request), lookup_) : nullptr;
        if (asked == nullptr) {
            request.complete({}, io_error{io_failure::no_memory, 0}); // not moved from, because `new` failed
            return;
        }
        threads_->add(*asked);
    }

private:
    template <class Resolution>
    struct question : lookup_job {
        question(Resolution&& asked, const Lookup& by) noexcept : request(std::move(asked)), lookup(by) {
            finish = &question::look_up;
            wanted = [](const lookup_job& job) noexcept {
                return static_cast<const question&>(job).request.still_wanted();
            };
        }

        static void look_up(lookup_job* job, io_error refusal) noexcept {
            const std::unique_ptr<question> whole(static_cast<question*>(job));
            Resolution& request = whole->request;
            nothrow_vector<endpoint> found;
            io_error error = refusal;
            if (!error) {
                error = whole->lookup(request.host(), request.port(), request.for_listening(), found);
            }
            if (!error && found.empty()) {
                error = io_error{io_failure::name_not_found, 0};
            }
            const std::span<const endpoint> all(found.data(), found.size());
            request.complete(error ? std::span<const endpoint>{} : all, error);
        }

        Resolution request;
        Lookup lookup;
    };

    Lookup lookup_;
    lookup_threads<Threads, Session>* threads_ = nullptr; ///< null until the first name
};

} // namespace tofu::inline TOFU_ABI::platform

#endif // TOFU_PLATFORM_THREADED_RESOLVER_HPP
