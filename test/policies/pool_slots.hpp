// SPDX-License-Identifier: BSL-1.0
// A channel's stand-in for tests of pools and keys, and a storage full of them.
#ifndef TOFU_TEST_POLICIES_POOL_SLOTS_HPP
#define TOFU_TEST_POLICIES_POOL_SLOTS_HPP

#include <tofu/contract/slot_identity.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <vector>

namespace tofu_test {

struct slot {
    explicit slot(tofu::slot_identity who) noexcept : identity_(who) { ++alive; }
    slot(const slot&) = delete;
    slot& operator=(const slot&) = delete;
    ~slot() { --alive; }
    [[nodiscard]] tofu::slot_identity identity() const noexcept { return identity_; }

    static inline int alive = 0;
    tofu::slot_identity identity_;
    int content = 0;
};

/// Opened, and emptied at the end, as an engine leaves it.
template <class Pool>
struct slots_of : Pool::template storage<slot> {
    slots_of() {
        Pool pool;
        BOOST_REQUIRE(this->open(pool));
    }
    ~slots_of() {
        this->for_each([this](slot& s) { this->release(s); });
    }
    /// At most `count` new slots: fewer if the pool is full before.
    std::vector<slot*> fill(std::size_t count = 8) {
        std::vector<slot*> all;
        while (all.size() < count) {
            slot* const s = this->acquire();
            if (s == nullptr) break;
            all.push_back(s);
        }
        return all;
    }
};

} // namespace tofu_test

#endif
