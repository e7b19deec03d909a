// SPDX-License-Identifier: BSL-1.0
// Numbers that are unique in the process: of messages and of engines.
#ifndef TOFU_ENGINE_THREADS_IDENTITIES_HPP
#define TOFU_ENGINE_THREADS_IDENTITIES_HPP

#include <tofu/config.hpp>

#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

/// The message ids that the engines of this process assign: unique, with bit 63 set. Applications leave that bit clear,
/// so that their ids cannot collide with these.
[[nodiscard]] TOFU_FUNCTION std::uint64_t next_message_id() noexcept;

/// Numbers the engines of the process, from 1; a process that makes more than 2^32 of them uses numbers again.
[[nodiscard]] TOFU_FUNCTION std::uint32_t next_engine_id() noexcept;

} // namespace tofu::inline TOFU_ABI::engine

#if !TOFU_COMPILED
#include <tofu/impl/engine/threads/identities.hpp>
#endif

#endif
