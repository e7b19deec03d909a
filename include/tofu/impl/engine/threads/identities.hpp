// SPDX-License-Identifier: BSL-1.0
// The counters of message ids and engines. Programs do not include this header.
#ifndef TOFU_IMPL_ENGINE_THREADS_IDENTITIES_HPP
#define TOFU_IMPL_ENGINE_THREADS_IDENTITIES_HPP

#include <tofu/binary_header.hpp>
#include <tofu/config.hpp>
#include <tofu/engine/threads/identities.hpp>

#include <atomic>
#include <cstdint>

namespace tofu::inline TOFU_ABI::engine {

TOFU_FUNCTION std::uint64_t next_message_id() noexcept {
    static constinit std::atomic<std::uint64_t> last{0};
    return engine_id_bit | (last.fetch_add(1, std::memory_order_relaxed) + 1);
}

TOFU_FUNCTION std::uint32_t next_engine_id() noexcept {
    static constinit std::atomic<std::uint32_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

} // namespace tofu::inline TOFU_ABI::engine

#endif
