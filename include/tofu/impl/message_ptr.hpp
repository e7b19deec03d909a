// SPDX-License-Identifier: BSL-1.0
// The bodies that return a message to its pool and copy it. Programs do not include this header.
#ifndef TOFU_IMPL_MESSAGE_PTR_HPP
#define TOFU_IMPL_MESSAGE_PTR_HPP

#include <tofu/config.hpp>
#include <tofu/engine/memory/message_pool.hpp>
#include <tofu/impl/message.hpp>
#include <tofu/message_ptr.hpp>

namespace tofu::inline TOFU_ABI {

TOFU_FUNCTION void message_ptr::give_back(message& m) noexcept { engine::route_of(m).home->release(m); }

TOFU_FUNCTION message_ptr clone(message& original, std::error_code& error) noexcept {
    engine::message_pool& home = *engine::route_of(original).home;
    message_ptr copy(home.acquire());
    if (copy == nullptr || !copy->assign(original)) {
        error = home.is_here() ? status::allocation_failed : status::shutdown_started;
        return nullptr;
    }
    error.clear();
    return copy;
}

} // namespace tofu::inline TOFU_ABI

#endif
