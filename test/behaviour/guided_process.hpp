// SPDX-License-Identifier: BSL-1.0
// Another process of this program. It works with a given setting and address, and exchanges lines with this process.
#ifndef TOFU_TEST_BEHAVIOUR_GUIDED_PROCESS_HPP
#define TOFU_TEST_BEHAVIOUR_GUIDED_PROCESS_HPP

#include "support/bare_socket.hpp"
#include "support/child_process.hpp"
#include "support/dialogue.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tofu_test {

/// Another process, which talks to this one until it is killed.
class guided_process {
public:
    /// It works with this setting, at this address.
    guided_process(std::string_view role, const setting& here, const tofu::address& where) : listener_(AF_INET) {
        listener_.bind(loopback());
        listener_.listen();
        process_.emplace(role, std::vector{here.name(), std::string(to_text(where).view()), port_of(listener_)});
        link_.emplace(listener_.accept());
    }

    void write(std::string_view text) { link_->write(text); }
    [[nodiscard]] std::string hear() { return link_->read_line(); }
    /// It has written something that was not heard yet.
    [[nodiscard]] bool has_spoken() const { return link_->has_data(); }
    /// Returns when it is gone.
    void kill() { process_->kill(); }
#if !defined(_WIN32)
    void stop() { process_->stop(); }
    void go_on() { process_->go_on(); }
#endif

private:
    static std::string port_of(const bare_socket& bound) { return std::to_string(bound.where().port()); }

    bare_socket listener_;
    std::optional<child_process> process_;
    std::optional<bare_socket> link_;
};

/// In that process.
struct orders {
    explicit orders(const std::vector<std::string>& arguments)
        : here(setting_of(arguments.at(0))), where(tofu::parse_address(arguments.at(1)).value), link(AF_INET) {
        link.connect(loopback(static_cast<std::uint16_t>(std::stoi(arguments.at(2)))));
    }

    static setting setting_of(const std::string& name) {
        for (std::size_t index = 0; index < settings::count; ++index)
            if (settings::at(index).name() == name) return settings::at(index);
        throw std::out_of_range(name);
    }
    /// Until it is killed: the killer's end of the link goes only with the killer.
    void live_on() { static_cast<void>(link.read()); }

    setting here;
    tofu::address where;
    bare_socket link;
};

} // namespace tofu_test

#endif
