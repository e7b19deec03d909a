// SPDX-License-Identifier: BSL-1.0
// Numbers that are unique in the process: of messages and of engines.
#ifndef TOFU_ENGINE_THREADS_IDENTITIES_HPP
#define TOFU_ENGINE_THREADS_IDENTITIES_HPP

#include <tofu/binary_header.hpp>
#include <tofu/config.hpp>

#include <atomic>
#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

/// The message ids that the engines of this process assign: unique, with bit 63 set. Applications leave that bit clear,
/// so that their ids cannot collide with these.
[[nodiscard]] inline std::uint64_t next_message_id() noexcept {
    static constinit std::atomic<std::uint64_t> last{0};
    return engine_id_bit | (last.fetch_add(1, std::memory_order_relaxed) + 1);
}

/// Numbers the engines of the process, from 1; a process that makes more than 2^32 of them uses numbers again.
[[nodiscard]] inline std::uint32_t next_engine_id() noexcept {
    static constinit std::atomic<std::uint32_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

} // namespace tofu::inline TOFU_ABI::engine

#endif
