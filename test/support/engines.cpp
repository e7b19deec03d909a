// SPDX-License-Identifier: BSL-1.0
// Selects the engine for a setting.
#include "engines.hpp"

#include <cstddef>
#include <utility>

namespace tofu_test {

const engine_maker& engines_of(const setting& here) {
    switch (here.policies) {
    case variation::growing_pool: return growing_pool_engines;
    case variation::pointer_key: return pointer_key_engines;
    case variation::handle_key: return handle_key_engines;
    case variation::sorted_timer: return sorted_timer_engines;
    case variation::no_timers: return no_timers_engines;
    case variation::none: break;
    }
    return [&]<std::size_t... Index>(std::index_sequence<Index...>)->const engine_maker& {
        const engine_maker* const all[] = {&engines_with<static_cast<poller>(Index)>()...};
        return *all[static_cast<std::size_t>(here.poll)];
    }
    (std::make_index_sequence<poller_count>());
}

any_reactor::any_reactor(const setting& here, const tofu::options& opts)
    : calls_(engines_of(here).plain(opts, here.who, nullptr)) {}

any_reactor::any_reactor(const setting& here, const tofu::options& opts, std::error_code& error) noexcept
    : calls_(engines_of(here).plain(opts, here.who, &error)) {}

any_reactor narrow_engine(const setting& here, const tofu::options& opts) {
    return any_reactor(engines_of(here).narrow(opts, here.who));
}

any_reactor scripted_engine(const setting& here, script& play, const tofu::options& opts) {
    return any_reactor(engines_of(here).scripted(opts, here.who, play));
}

} // namespace tofu_test
