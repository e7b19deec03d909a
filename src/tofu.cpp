// SPDX-License-Identifier: BSL-1.0
// The compiled library: the engine of the default policies, and the functions whose bodies are in impl/.
#include <tofu/impl/engine/threads/identities.hpp>
#include <tofu/impl/message_ptr.hpp>
#include <tofu/impl/reactor.hpp>
#include <tofu/impl/status.hpp>
#include <tofu/tofu.hpp>

#if !TOFU_COMPILED
#error "compile this file, and all units that use the library, with -DTOFU_COMPILED=1"
#endif

namespace tofu::inline TOFU_ABI {

template class basic_timer_handle<default_policies>;
template class basic_channel_group<default_policies>;
template class basic_reactor<default_poll, default_pool, default_key, default_timer>;

} // namespace tofu::inline TOFU_ABI
