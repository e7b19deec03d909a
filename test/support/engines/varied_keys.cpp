// SPDX-License-Identifier: BSL-1.0
// The engines of behaviour tests with other keys, and with a pool that grows.
#include "varied_for.hpp"

#include "support/all_keys.hpp"

#include <tofu/policies/key/handle_key.hpp>
#include <tofu/policies/pool/growing_channel_pool.hpp>

namespace tofu_test {

const engine_maker growing_pool_engines =
    varied_for<tofu::growing_channel_pool<8>, tofu::default_key, tofu::default_timer>();
const engine_maker pointer_key_engines = varied_for<tofu::default_pool, pointer_key_or_index, tofu::default_timer>();
const engine_maker handle_key_engines = varied_for<tofu::default_pool, tofu::handle_key, tofu::default_timer>();

} // namespace tofu_test
