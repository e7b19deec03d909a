// SPDX-License-Identifier: BSL-1.0
// Turns an error of the system into the cause that ends a channel.
#ifndef TOFU_ENGINE_PROTOCOL_FAILURE_HPP
#define TOFU_ENGINE_PROTOCOL_FAILURE_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/reason.hpp>
#include <tofu/status.hpp>

namespace tofu::inline TOFU_ABI::engine {

/// The cause for an error. `failed_step` is the status for an error that has no reason of its own.
[[nodiscard]] constexpr cause cause_of(io_error error, status failed_step) noexcept {
    switch (error.kind) {
    case io_failure::refused:
    case io_failure::backlog_full: return cause::of(reason::connect_refused);
    case io_failure::reset: return cause::of(reason::peer_reset);
    case io_failure::timed_out: return cause::of(reason::connect_timeout);
    case io_failure::address_in_use: return cause::of(reason::address_in_use);
    case io_failure::address_not_available:
    case io_failure::unreachable: return cause::of(reason::address_not_available);
    case io_failure::permission_denied: return cause::of(reason::permission_denied);
    case io_failure::path_not_found: return cause::of(reason::path_not_found);
    case io_failure::name_not_found: return cause::of(reason::name_not_found);
    case io_failure::no_memory: return cause::of(reason::out_of_memory);
    case io_failure::no_base_handle: return {reason::no_base_handle, failed_step, error.os_code};
    case io_failure::none:
    case io_failure::would_block:
    case io_failure::interrupted:
    case io_failure::name_required:
    case io_failure::no_descriptors:
    case io_failure::aborted:
    case io_failure::unsupported:
    case io_failure::other: break; // no reason of their own: the cause keeps the system's code
    }
    return cause::os(error.os_code, failed_step);
}

/// Ranks the failure of one address as the reason for all addresses of a name. A lack of memory or descriptors ranks
/// highest: the address was not tried. Failures that show that the machine exists rank next. Failures of a machine
/// without IPv6 or without a network rank lowest.
[[nodiscard]] constexpr int telling_rank(io_failure kind) noexcept {
    switch (kind) {
    case io_failure::no_memory:
    case io_failure::no_descriptors:
    case io_failure::no_base_handle: return 6;
    case io_failure::refused:
    case io_failure::backlog_full:
    case io_failure::reset:
    case io_failure::address_in_use: return 5;
    case io_failure::permission_denied: return 4;
    case io_failure::timed_out: return 3;
    case io_failure::address_not_available:
    case io_failure::unreachable: return 1;
    case io_failure::none:
    case io_failure::unsupported: return 0;
    case io_failure::would_block:
    case io_failure::interrupted:
    case io_failure::path_not_found:
    case io_failure::name_not_found:
    case io_failure::name_required:
    case io_failure::aborted:
    case io_failure::other: break;
    }
    return 2;
}

/// The failure with the higher rank; the first of two with the same rank.
[[nodiscard]] constexpr io_error more_telling(io_error first, io_error second) noexcept {
    if (!first) return second;
    return telling_rank(second.kind) > telling_rank(first.kind) ? second : first;
}

/// The cause of a connection that failed while it was read or written (`failed_step`: recv_failed or send_failed). All
/// failures that the peer or the network causes are peer_reset; every other failure keeps the system's error code.
[[nodiscard]] constexpr cause cause_of_broken(io_error error, status failed_step) noexcept {
    switch (error.kind) {
    case io_failure::reset:
    case io_failure::refused:
    case io_failure::timed_out:
    case io_failure::unreachable:
    case io_failure::aborted: return cause::of(reason::peer_reset);
    default: return cause::os(error.os_code, failed_step);
    }
}

} // namespace tofu::inline TOFU_ABI::engine

#endif
