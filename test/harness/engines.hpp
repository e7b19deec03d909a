// SPDX-License-Identifier: BSL-1.0
// The engines behaviour tests run on. Each poll policy's are compiled in a file of their own, in engines/.
#ifndef TOFU_TEST_HARNESS_ENGINES_HPP
#define TOFU_TEST_HARNESS_ENGINES_HPP

#include "any_reactor.hpp"
#include "engine_calls.hpp"
#include "setting.hpp"

#include <tofu/options.hpp>

#include <memory>
#include <system_error>

namespace tofu_test {

struct script;

/// Makes engines with one poll policy. A null `error`: what is wrong is thrown.
struct engine_maker {
    using made = std::unique_ptr<reactor_calls>;

    made (*plain)(const tofu::options& opts, tofu::driven_by who, std::error_code* error);
    made (*narrow)(const tofu::options& opts, tofu::driven_by who);
    made (*scripted)(const tofu::options& opts, tofu::driven_by who, script& play);
};

// Those the system has.
extern const engine_maker posix_poll_engines;
extern const engine_maker linux_epoll_engines;
extern const engine_maker bsd_kqueue_engines;
extern const engine_maker afd_iocp_engines;
extern const engine_maker afd_iocp_direct_engines;

/// The one for the setting's poll policy.
[[nodiscard]] const engine_maker& engines_of(const setting& here);

/// An engine with three channels, to see what happens when there are no more.
[[nodiscard]] any_reactor narrow_engine(const setting& here, const tofu::options& opts = {});
/// An engine in a system whose names, clock and refusals are what the script says.
[[nodiscard]] any_reactor scripted_engine(const setting& here, script& play, const tofu::options& opts = {});

} // namespace tofu_test

#endif
