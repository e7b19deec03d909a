// SPDX-License-Identifier: BSL-1.0
// A plug-in with an engine of its own.
#include "plugin.hpp"

#include <tofu/platform/threaded_resolver.hpp>
#include <tofu/policies/poll/posix_poll.hpp>
#include <tofu/tofu.hpp>

#include <chrono>
#include <optional>

namespace {

using namespace std::chrono_literals;

look_up_gate* gate = nullptr;

/// A look-up that finds nothing as soon as the program lets it.
struct gated_names {
    tofu::io_error operator()(std::string_view, std::uint16_t, bool,
                              tofu::nothrow_vector<tofu::platform::endpoint>&) const noexcept {
        gate->wait(gate);
        return {tofu::io_failure::name_not_found, 0};
    }
};

using network = tofu::platform::network<tofu::platform::basic_threaded_resolver<gated_names>>;
using engine = tofu::reactor_with<tofu::basic_posix_poll<network>>;

std::optional<engine> made;
std::optional<tofu::basic_channel_group<engine::policies>> group;

bool make_engine() {
    made.emplace();
    group.emplace(made->create_group());
    tofu::message_ptr welcome = made->get();
    if (welcome->listen_on(tofu::tcp_address{"127.0.0.1", 0}) != tofu::status::success) return false;
    group->post(std::move(welcome));
    const tofu::message_ptr answer = group->wait_receive(20s);
    return answer && answer->status() == tofu::status::success;
}

bool look_up(look_up_gate* at) {
    gate = at;
    tofu::message_ptr hello = made->get();
    if (hello->connect_to(tofu::tcp_address{"some.name", 7099}) != tofu::status::success) return false;
    std::error_code error;
    group->post(std::move(hello), error);
    return !error;
}

bool is_inherited() {
    std::error_code error;
    static_cast<void>(made->create_group(error));
    return error == tofu::status::shutdown_started;
}

void destroy_engine() {
    group.reset();
    made.reset();
}

constexpr plugin_calls calls{make_engine, look_up, is_inherited, destroy_engine};

} // namespace

extern "C" const plugin_calls* tofu_test_plugin() { return &calls; }
