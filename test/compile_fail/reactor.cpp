// SPDX-License-Identifier: BSL-1.0
// The errors about policies that are good by themselves, and wrong together or in their place.
#include "compile_fail/bad_policies/key.hpp"
#include "compile_fail/bad_policies/poll.hpp"
#include "compile_fail/bad_policies/pool.hpp"
#include "support/minimal_policies.hpp"
#include "use.hpp"

#include <tofu/policies/timer/manual_timer.hpp>

#include <utility>

namespace tofu_test {

using tofu::basic_reactor;
using tofu::reactor_with;

// The contracts name all that an engine needs: nothing is said about these.
void with(reactor_with<minimal_poll, minimal_pool, minimal_key, minimal_timer>& engine) { use(engine); }
void with(reactor_with<minimal_poll, minimal_pool, minimal_key, minimal_clock>& engine) { use(engine); }

// Policies in each other's place.

struct bad_order : tofu::fixed_channel_pool<8> {};
// expect: basic_reactor takes a PollPolicy, a PoolPolicy, a KeyPolicy and a TimerPolicy in this order;
//         tofu::reactor_with takes them in any
void with(basic_reactor<bad_order, good_poll>& engine) { use(engine); }

// A key that needs what a socket or a pool does not have.

struct bad_handle_socket : socket_but_for<bad_handle_socket> {
    int native_handle(int) const noexcept;
};
struct bad_handle_poll : poll_of<network_of<bad_handle_socket>> {};
// expect: KeyPolicy and PollPolicy do not go together: make() does not take this network's sockets (handle_key
//         needs sockets with native_handle())
void with(reactor_with<bad_handle_poll, tofu::handle_key>& engine) { use(engine); }

struct bad_address_pool : good_pool {
    template <class Slot>
    struct storage : good_storage<Slot> {
        void owner_at() const noexcept;
    };
};
// expect: KeyPolicy and PoolPolicy do not go together: find() cannot look into this pool's storage (pointer_key
//         needs a storage with `Slot* owner_at(std::uintptr_t address) const noexcept;`)
void with(reactor_with<bad_address_pool, tofu::pointer_key>& engine) { use(engine); }

// A broken part comes first.
struct bad_pointer_key : tofu::pointer_key {
    void forget() noexcept;
};
// expect: KeyPolicy: needs `void forget(std::uintptr_t key) noexcept;`
void with(reactor_with<bad_address_pool, bad_pointer_key>& engine) { use(engine); }

// reactor_with: types that have no place, and policies whose place is taken.

struct bad_stranger {};
// expect: reactor_with: this type is no policy: it needs `using category = tofu::poll_category;` (or pool_category,
//         key_category, timer_category)
void with_stranger(reactor_with<tofu::default_key, bad_stranger>& engine) { use(engine); }

struct bad_second_poll : good_poll {};
// expect: reactor_with: two PollPolicies (their category is tofu::poll_category)
void with_two_polls(reactor_with<good_poll, tofu::default_key, bad_second_poll>& engine) { use(engine); }

struct bad_second_pool : good_pool {};
// expect: reactor_with: two PoolPolicies (their category is tofu::pool_category)
void with_two_pools(reactor_with<tofu::default_pool, bad_second_pool>& engine) { use(engine); }

struct bad_second_key : good_key {};
// expect: reactor_with: two KeyPolicies (their category is tofu::key_category)
void with_two_keys(reactor_with<tofu::default_key, bad_second_key>& engine) { use(engine); }

struct bad_second_timer : tofu::wait_timeout {};
// expect: reactor_with: two TimerPolicies (their category is tofu::timer_category)
void with_two_timers(reactor_with<tofu::wait_timeout, bad_second_timer>& engine) { use(engine); }

// Objects: each at most once, and those that cannot be made by default.

struct bad_twice_poll : good_poll {};
using twice = with_poll<bad_twice_poll>;
// expect: basic_reactor: its constructor is given two objects of one policy
void with(bad_twice_poll& a) { twice({}, tofu::driven_by::caller, std::move(a), std::move(a)); }

struct bad_shy_timer : tofu::manual_timer {
    using tofu::manual_timer::manual_timer;
};
// expect: basic_reactor: a policy that cannot be made by default has to be given to the constructor, after driven_by
//         (and the error_code, if there is one)
void with(with_timer<bad_shy_timer>& engine) { use(engine); }

// The descriptor of a reactor whose poller has none.

struct bad_descriptor_poll : good_poll {
    int native_handle(int) const noexcept;
};
// expect: tofu::reactor::native_handle: this PollPolicy has no single descriptor to wait for (posix_poll waits for
//         many); linux_epoll and bsd_kqueue have one
int with(with_poll<bad_descriptor_poll>& engine) { return engine.native_handle(); }

} // namespace tofu_test
