// SPDX-License-Identifier: BSL-1.0
// Keys of 16 bits with a poller that drops all other bits, and with slots that change their owners.
#include "compact_key.hpp"
#include "talk.hpp"

#include <tofu/policies/pool/fixed_channel_pool.hpp>

#include <cstdint>
#include <system_error>

namespace {

/// The system's poller, cut down to keys of 16 bits.
struct sixteen_bit_poll : tofu::default_poll {
    tofu::io_error attach(registration& entry, const socket& which, std::uintptr_t key) noexcept {
        return tofu::default_poll::attach(entry, which, static_cast<std::uint16_t>(key));
    }
};

using key = example::compact_key<>;
using compact_engine = tofu::reactor_with<sixteen_bit_poll, key>;

struct slot {
    explicit slot(tofu::slot_identity given) noexcept : who(given) {}
    [[nodiscard]] tofu::slot_identity identity() const noexcept { return who; }
    tofu::slot_identity who;
};

/// The key of a released owner finds no slot, until all generations were used.
void give_a_slot_new_owners() {
    tofu::fixed_channel_pool<1024> pool;
    tofu::fixed_channel_pool<1024>::storage<slot> slots;
    example::check(slots.open(pool), "no memory");
    for (int i = 0; i < 1023; ++i) example::check(slots.acquire() != nullptr, "no slot"); // leaves the last index free
    for (int begin = 0; begin < 200; ++begin) {
        slot* owner = slots.acquire();
        const std::uintptr_t first = key::make(*owner, 0);
        example::check(first != 0 && first < 0xffff, "a key has 16 bits, and is neither 0 nor all ones");
        for (std::uint32_t later = 0; later < key::generations; ++later) {
            example::check(key::find(slots, key::make(*owner, 0)) == owner, "a key finds its slot");
            example::check((key::find(slots, first) == owner) == (later == 0), "a stale key finds nobody");
            slots.release(*owner);
            example::check(key::find(slots, first) == nullptr, "a slot without an owner is not found");
            owner = slots.acquire();
        }
        slots.release(*owner);
    }
    example::check(key::find(slots, 0) == nullptr && key::find(slots, 0xffff) == nullptr, "pollers keep these");
    example::check(key::open(1024) && !key::open(1025), "a pool must not have more slots than there are indices");
    const slot one_too_many({.index = 1024, .generation = 1}); // of a pool that has grown since
    example::check(key::make(one_too_many, 0) == 0, "there is no key for an index that does not fit");
    slots.for_each([&](slot& one) noexcept { slots.release(one); }); // a storage ends without owners
}

/// One slot after another gets more owners than there are generations, in engines that work.
void connect_often() {
    compact_engine engine;
    tofu::reactor usual;
    example::talk(engine, usual);
    for (std::uint32_t i = 0; i < key::generations + 10; ++i) example::talk(engine, engine, 0);
}

/// A pool that is too large for the key is refused when the engine is made.
void refuse_a_pool_too_large() {
    std::error_code error;
    const tofu::reactor_with<key, tofu::fixed_channel_pool<1025>> engine({}, tofu::driven_by::caller, error);
    example::check(static_cast<bool>(error), "a pool too large for the key must be refused");
}

} // namespace

int main() {
    return example::run([] {
        give_a_slot_new_owners();
        connect_often();
        refuse_a_pool_too_large();
    });
}
