// SPDX-License-Identifier: BSL-1.0
// Two engines talk, and spdlog writes down every call that one engine makes to its poller.
#include "traced_poll.hpp"
#include "talk.hpp"

#include <spdlog/sinks/ringbuffer_sink.h>
#include <spdlog/spdlog.h>

#include <cstddef>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace {

//[log
/// One line for each event. spdlog catches what formatting and writing throw, and its sinks named _mt take their own
/// lock, which wake needs: it is called from any thread.
struct spdlog_trace {
    spdlog::logger* to;

    void operator()(const example::trace_event& event) const noexcept {
        to->trace("{} key={:x} at={} {} reports={} error={}", event.call, event.key, event.registration, event.what,
                  event.reports, static_cast<unsigned>(event.error.kind));
    }
};
//]

using traced_poll = example::traced<tofu::default_poll, spdlog_trace>;
using traced_engine = tofu::reactor_with<traced_poll>;
static_assert(tofu::poll_policy<traced_poll>);
static_assert(std::is_same_v<example::traced<tofu::default_poll, example::no_trace>, tofu::default_poll>);

std::size_t count(const std::vector<std::string>& lines, std::string_view call) {
    std::size_t found = 0;
    for (const std::string& line : lines) found += line.starts_with(call);
    return found;
}

void trace_a_talk() {
    const auto sink = std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(100'000);
    spdlog::logger logger("poller", sink);
    logger.set_level(spdlog::level::trace);
    logger.set_pattern("%v");
    {
        traced_engine server({}, tofu::driven_by::io_thread,
                             example::trace(tofu::default_poll(), spdlog_trace{&logger}));
        tofu::reactor client;
        example::talk(server, client);
    }
    const std::vector<std::string> lines = sink->last_formatted();
    for (std::size_t i = 0; i < lines.size() && i < 12; ++i) std::cout << lines[i];
    std::cout << "... " << lines.size() << " lines\n";

    example::check(count(lines, "open ") == 1, "a poller is opened once");
    example::check(count(lines, "attach ") == 2, "the listener and the connection are attached");
    example::check(count(lines, "disarm ") == 2, "what is attached is disarmed");
    example::check(count(lines, "ready ") >= 20, "requests come with reports");
    for (const std::string_view call : {"arm ", "wait ", "wake "})
        example::check(count(lines, call) > 0, "every call is traced");
}

} // namespace

int main() { return example::run(trace_a_talk); }
