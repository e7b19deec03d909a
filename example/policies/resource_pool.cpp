// SPDX-License-Identifier: BSL-1.0
// Puts channels into a static buffer, and proves that no channel lies elsewhere: with two channels or with a thousand,
// the engine takes the same memory from operator new.
#include "resource_pool.hpp"
#include "talk.hpp"

#include "../../test/support/counted_new.hpp" // replaces operator new by one that counts

#include <tofu/policies/pool/fixed_channel_pool.hpp>

#include <cstddef>
#include <iostream>
#include <memory_resource>
#include <system_error>

namespace {

using pool_engine = tofu::reactor_with<example::resource_pool>;
using channel = tofu::engine::channel<pool_engine::policies>;
constexpr std::size_t per_channel = example::resource_pool::storage<channel>::bytes_per_channel;

/// Gives memory from its own buffer only, and counts the bytes in use.
class static_memory : public std::pmr::memory_resource {
public:
    [[nodiscard]] std::size_t in_use() const { return in_use_; }

private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        void* const memory = buffer_.allocate(bytes, alignment);
        in_use_ += bytes;
        return memory;
    }
    void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
        buffer_.deallocate(memory, bytes, alignment);
        in_use_ -= bytes;
    }
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

    alignas(std::max_align_t) static inline std::byte bytes_[1000 * per_channel];
    std::pmr::monotonic_buffer_resource buffer_{bytes_, sizeof bytes_, std::pmr::null_memory_resource()};
    std::size_t in_use_ = 0;
};

struct account {
    std::size_t from_new = 0;
    std::size_t from_resource = 0;
};

/// Measures the memory that an engine takes, by its source.
account engine_with_room_for(std::size_t channels) {
    static_memory memory;
    account costs;
    {
        const std::size_t before = tofu_test::bytes_alive;
        pool_engine engine({}, tofu::driven_by::caller, example::resource_pool(memory, channels));
        costs = {tofu_test::bytes_alive - before, memory.in_use()};
    }
    example::check(memory.in_use() == 0, "the engine gives back what it has taken");
    return costs;
}

void all_slots_are_in_the_resource() {
    const account few = engine_with_room_for(2);
    const account many = engine_with_room_for(1000);
    std::cout << "2 channels: " << few.from_resource << " bytes of the resource, " << few.from_new << " of new\n"
              << "1000 channels: " << many.from_resource << " bytes of the resource, " << many.from_new << " of new\n";
    example::check(few.from_resource == 2 * per_channel, "two slots come from the resource");
    example::check(many.from_resource == 1000 * per_channel, "all slots come from the resource");
    // The count is the size of the allocator's blocks. The allocator may round a block up by some bytes, but never by a
    // whole slot.
    example::check(many.from_new < few.from_new + per_channel, "no slot comes from operator new");
}

/// Checks the check above: slots from operator new would be counted.
void slots_from_new_would_have_been_seen() {
    const std::size_t before = tofu_test::bytes_alive;
    tofu::fixed_channel_pool<1000> pool;
    tofu::fixed_channel_pool<1000>::storage<channel> slots;
    example::check(slots.open(pool), "no memory");
    example::check(tofu_test::bytes_alive - before >= 1000 * per_channel, "operator new must be counted");
}

void a_resource_without_memory_is_an_error() {
    std::error_code error;
    const pool_engine engine({}, tofu::driven_by::caller, error,
                             example::resource_pool(*std::pmr::null_memory_resource(), 1));
    example::check(error == tofu::status::allocation_failed, "an engine without channels does not start");
}

/// A listener and one connection: there is no room for another.
void what_has_no_room_is_refused() {
    static_memory memory;
    tofu::reactor server_engine;
    pool_engine client_engine({}, tofu::driven_by::io_thread, example::resource_pool(memory, 2));
    auto server = server_engine.create_group();
    auto client = client_engine.create_group();
    const tofu::address where = example::listen(server_engine, server);
    example::listen(client_engine, client);
    for (const bool fits : {true, false}) {
        example::call(client_engine, client, where);
        if (fits)
            example::answer(server, example::expect(server, tofu::op_code::hello_request),
                            tofu::op_code::hello_response);
        const tofu::message_ptr m = example::expect(client, tofu::op_code::hello_response);
        example::check(fits == (m->headers().find(tofu::reason_header) != "out_of_channels"), "two fit, three do not");
    }
}

void engines_talk() {
    static_memory memory;
    pool_engine engine({}, tofu::driven_by::io_thread, example::resource_pool(memory, 8));
    tofu::reactor usual;
    example::talk(engine, usual);
    example::talk(usual, engine);
}

} // namespace

int main() {
    return example::run([] {
        all_slots_are_in_the_resource();
        slots_from_new_would_have_been_seen();
        a_resource_without_memory_is_an_error();
        what_has_no_room_is_refused();
        engines_talk();
    });
}
