// SPDX-License-Identifier: BSL-1.0
// The names of the settings, and the test cases that are made of one body.
#include "setting.hpp"

#include "own_directory.hpp"

#include <atomic>

namespace tofu_test {

tofu::address setting::new_address() const {
    if (over == transport::tcp) return tofu::tcp_address{"127.0.0.1", 0};
    static const own_directory home; // removed when the process ends
    static std::atomic<unsigned> next{0};
    return home.address(std::to_string(next++));
}

namespace {

std::string_view name_of(variation which) {
    switch (which) {
    case variation::growing_pool: return "growing_pool";
    case variation::pointer_key: return "pointer_key";
    case variation::handle_key: return "handle_key";
    case variation::sorted_timer: return "sorted_timer";
    case variation::no_timers: return "no_timers";
    case variation::none: break;
    }
    return "defaults";
}

} // namespace

std::string setting::name() const {
    std::string text(policies == variation::none ? poller_names[static_cast<std::size_t>(poll)] : name_of(policies));
    text += over == transport::tcp ? ".tcp" : ".uds";
    text += has_thread() ? ".io_thread" : ".caller";
    return text;
}

/// A slow build runs a case on half of the settings. Each poller still meets each transport and each driver; the driver
/// alternates with the poller and with the case. The build also runs each case on one variation, a different one for
/// each case.
bool setting_cases::is_spared(std::size_t index) const {
#if defined(TOFU_TEST_ABRIDGED)
    if (index < settings::first_variation) {
        if (!surely_has_uds) return false; // such a system has few settings: one poller, over TCP
        const std::size_t first = index - index % 4;
        for (std::size_t i = first; i < first + 4; ++i)
            if (!where_.contain(i)) return false;
        const std::size_t over = index >> 1 & 1U, driver = index & 1U;
        return (first / 4 + over + driver + line_) % 2 != 0;
    }
    constexpr std::size_t all = settings::count - settings::first_variation;
    for (std::size_t i = 0; i < settings::variations; ++i) {
        const std::size_t first = (line_ % settings::variations + i) * 4 % all + settings::first_variation;
        for (std::size_t j = first; j < first + 4; ++j)
            if (where_.run(j)) return index != j;
    }
    return true;
#else
    static_cast<void>(index);
    return false;
#endif
}

boost::unit_test::test_unit* setting_cases::next() const {
    while (next_ < settings::count && (!where_.run(next_) || is_spared(next_))) ++next_;
    if (next_ == settings::count) return nullptr;
    const setting here = settings::at(next_++);
    auto* const made = new boost::unit_test::test_case(std::string(name_) + '<' + here.name() + '>', file_, line_,
                                                       [body = body_, here] { body(here); });
    if (here.over == transport::uds) made->add_precondition(uds_there);
    return made;
}

} // namespace tofu_test
