// SPDX-License-Identifier: BSL-1.0
// Who turns a name into addresses: the system's own resolver, asked by threads that may block.

#ifndef TOFU_PLATFORM_POSIX_RESOLVER_HPP
#define TOFU_PLATFORM_POSIX_RESOLVER_HPP

#include <tofu/address.hpp>
#include <tofu/io.hpp>
#include <tofu/nothrow_vector.hpp>
#include <tofu/platform/endpoint.hpp>
#include <tofu/platform/posix/error.hpp>
#include <tofu/platform/posix/lookup_threads.hpp>

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tofu::posix {

using platform::endpoint;

namespace detail {

/// What getaddrinfo answered (getaddrinfo(3)). There are many ways not to have an address, but they have one meaning.
constexpr io_error lookup_error(int code, int system_code) noexcept {
    switch (code) {
    case 0: return {};
    case EAI_MEMORY: return io_error{io_failure::no_memory, code};
    case EAI_SYSTEM: return from_errno(system_code);
    default: return io_error{io_failure::name_not_found, code};
    }
}

/// Empty when it is an address of a kind that tofu does not connect to.
inline endpoint endpoint_of_result(const addrinfo& from, std::uint16_t port) noexcept {
    if (from.ai_addr != nullptr && from.ai_family == AF_INET && from.ai_addrlen >= sizeof(sockaddr_in)) {
        sockaddr_in raw;
        std::memcpy(&raw, from.ai_addr, sizeof raw);
        return platform::detail::v4_endpoint(raw.sin_addr, port);
    }
    if (from.ai_addr != nullptr && from.ai_family == AF_INET6 && from.ai_addrlen >= sizeof(sockaddr_in6)) {
        sockaddr_in6 raw;
        std::memcpy(&raw, from.ai_addr, sizeof raw);
        return platform::detail::is_v4_mapped(raw.sin6_addr)
                   ? platform::detail::v4_endpoint(platform::detail::mapped_v4(raw.sin6_addr), port)
                   : platform::detail::v6_endpoint(raw.sin6_addr, port, raw.sin6_scope_id);
    }
    return {};
}

inline bool contains(const nothrow_vector<endpoint>& all, const endpoint& one) noexcept {
    for (const endpoint& each : all) {
        if (each.length == one.length && std::memcmp(&each.storage, &one.storage, one.length) == 0) {
            return true;
        }
    }
    return false;
}

/// Each address once, in the order of the list. (One line of /etc/hosts can bring an address twice.)
inline io_error collect_results(const addrinfo* list, std::uint16_t port, nothrow_vector<endpoint>& found) noexcept {
    for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
        const endpoint where = endpoint_of_result(*each, port);
        if (!where.empty() && !contains(found, where) && !found.push_back(where)) {
            return io_error{io_failure::no_memory, 0};
        }
    }
    return {};
}

} // namespace detail

/// A look-up that asks the system: /etc/hosts, DNS, or whatever the host is configured to ask, in the order it prefers
/// (getaddrinfo(3)). Blocks, for many seconds when nobody answers. Addresses of both families are found, also of one
/// that no interface has now: localhost is to be found on a host that has nothing else. Any thread.
struct system_names {
    /// Errors: no_memory; name_not_found, with the code of getaddrinfo; whatever errno said.
    io_error operator()(std::string_view host, std::uint16_t port, bool for_listening,
                        nothrow_vector<endpoint>& found) const noexcept {
        char text[max_host_length + 1] = {};
        if (host.size() >= sizeof text) {
            return io_error{io_failure::name_not_found, EAI_NONAME};
        }
        std::memcpy(text, host.data(), host.size());
        addrinfo wanted{};
        wanted.ai_family = AF_UNSPEC;
        wanted.ai_socktype = SOCK_STREAM;
        wanted.ai_flags = for_listening ? AI_PASSIVE : 0;
        addrinfo* list = nullptr;
        const int code = ::getaddrinfo(text, nullptr, &wanted, &list);
        if (const io_error error = detail::lookup_error(code, errno); error || list == nullptr) {
            return error;
        }
        const io_error error = detail::collect_results(list, port, found);
        ::freeaddrinfo(list);
        return error;
    }
};

/// A resolver that has `Lookup` called by at most four threads of its own, which exist while there are names to look
/// up. They are detached and hold only what is theirs: neither the end of the resolver nor that of the engine waits for
/// a look-up, its answer comes later and in vain. `Lookup` is copied for every name and called as
///     io_error operator()(std::string_view host, std::uint16_t port, bool for_listening,
///                         nothrow_vector<endpoint>& found) const noexcept;
/// by several threads at a time; it may block. A name nobody waits for any more when its turn comes is not looked up.
/// All calls: one thread at a time.
template <class Lookup, class Threads = detached_threads>
class basic_threaded_resolver {
    static_assert(std::is_nothrow_copy_constructible_v<Lookup>,
                  "tofu::posix::basic_threaded_resolver<Lookup>: Lookup must be nothrow copyable");
    static_assert(std::is_nothrow_invocable_r_v<io_error, const Lookup&, std::string_view, std::uint16_t, bool,
                                                nothrow_vector<endpoint>&>,
                  "tofu::posix::basic_threaded_resolver<Lookup>: Lookup needs `io_error operator()(std::string_view "
                  "host, std::uint16_t port, bool for_listening, nothrow_vector<endpoint>& found) const noexcept;`");

public:
    basic_threaded_resolver() noexcept requires(std::is_default_constructible_v<Lookup>) : lookup_() {}
    explicit basic_threaded_resolver(Lookup lookup) noexcept : lookup_(std::move(lookup)) {}
    /// A copy looks up in the same way, on threads of its own.
    basic_threaded_resolver(const basic_threaded_resolver& other) noexcept : lookup_(other.lookup_) {}
    basic_threaded_resolver(basic_threaded_resolver&& other) noexcept
        : lookup_(other.lookup_), threads_(std::exchange(other.threads_, nullptr)) {}
    basic_threaded_resolver& operator=(const basic_threaded_resolver&) = delete;
    ~basic_threaded_resolver() {
        if (threads_ != nullptr) {
            threads_->drop();
        }
    }

    /// See platform::network for what a Resolution is. Never blocks. The answer comes from another thread; from this
    /// one, at once, when nobody wants it any more or when there is no memory or no thread for it (no_memory).
    template <class Resolution>
    void resolve(Resolution request) noexcept {
        if (!request.still_wanted()) {
            request.complete({}, io_error{io_failure::aborted, 0});
            return;
        }
        if (threads_ == nullptr) {
            threads_ = lookup_threads<Threads>::make();
        }
        auto* const asked =
            threads_ != nullptr ? new (std::nothrow) question<Resolution>(std::move(request), lookup_) : nullptr;
        if (asked == nullptr) {
            request.complete({}, io_error{io_failure::no_memory, 0}); // not moved from: nothing was made of it
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
    lookup_threads<Threads>* threads_ = nullptr; // made for the first name: most engines never see one
};

/// The resolver of this system.
using system_resolver = basic_threaded_resolver<system_names>;

} // namespace tofu::posix

#endif // TOFU_PLATFORM_POSIX_RESOLVER_HPP
