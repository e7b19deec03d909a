// SPDX-License-Identifier: BSL-1.0
// Which engine a setting asks for.
#include "engines.hpp"

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
#if defined(_WIN32)
#if defined(TOFU_TEST_AFD_DIRECT)
    if (here.poll == poller::afd_iocp_direct) return afd_iocp_direct_engines;
#endif
    return afd_iocp_engines;
#else
#if __has_include(<sys/epoll.h>)
    if (here.poll == poller::linux_epoll) return linux_epoll_engines;
#endif
#if __has_include(<sys/event.h>) || defined(TOFU_TEST_EMULATED_KQUEUE)
    if (here.poll == poller::bsd_kqueue) return bsd_kqueue_engines;
#endif
    return posix_poll_engines;
#endif
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
