// SPDX-License-Identifier: BSL-1.0
// A lack of memory at the allocation a test chooses. The library asks for memory with nothrow new only, so only nothrow
// new fails: Boost.Test and the standard library get what they ask for.
#ifndef TOFU_TEST_SUPPORT_SCARCE_MEMORY_HPP
#define TOFU_TEST_SUPPORT_SCARCE_MEMORY_HPP

#include <cstddef>

namespace tofu_test {

/// While it lives, the first `granted` nothrow allocations of this thread succeed and every later one fails. At most
/// one per thread at a time.
class scarce_memory {
public:
    explicit scarce_memory(std::size_t granted) noexcept;
    scarce_memory(const scarce_memory&) = delete;
    scarce_memory& operator=(const scarce_memory&) = delete;
    ~scarce_memory();

    /// An allocation has failed.
    [[nodiscard]] bool has_refused() const noexcept { return refused_; }

    /// Asked by operator new. True: this allocation fails.
    [[nodiscard]] static bool refuses() noexcept;

private:
    std::size_t granted_;
    bool refused_ = false;
};

/// Calls `attempt()` with no allocation granted, then with one, and so on, until an attempt meets no refusal; returns
/// the result of that attempt. The result of each other attempt goes to `refused`, and memory is available there.
template <class Attempt, class Refused>
auto with_each_refusal(Attempt attempt, Refused refused) {
    for (std::size_t granted = 0;; ++granted) {
        bool met_refusal = false;
        auto result = [&] {
            const scarce_memory scarce(granted);
            auto made = attempt();
            met_refusal = scarce.has_refused();
            return made;
        }();
        if (!met_refusal) return result;
        refused(result);
    }
}

} // namespace tofu_test

#endif
