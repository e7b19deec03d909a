// SPDX-License-Identifier: BSL-1.0
// The targets of the counted calls. The linker's --wrap turns each call of f in this program's own objects into a call
// of __wrap_f, and a call of __real_f here into the original f; CMakeLists.txt names the same functions once more.
// Calls from within the C and C++ libraries do not change: a lock that a condition variable takes again is not counted.
#include "counters.hpp"

#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <array>
#include <atomic>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

namespace costs {
namespace {

using sums = std::array<std::atomic<std::uint64_t>, kinds_of_cost>;

constinit sums of_client{};
constinit sums of_server{};
constinit thread_local sums* here = nullptr;

void add(cost kind, std::uint64_t n = 1) {
    if (here != nullptr) (*here)[static_cast<std::size_t>(kind)].fetch_add(n, std::memory_order_relaxed);
}

void add_copy(std::size_t bytes) {
    add(cost::copies);
    add(cost::copied_bytes, bytes);
}

sums& sums_of(side whose) { return whose == side::client ? of_client : of_server; }

/// The function of a thread, and the sums to which its costs count.
struct thread_start {
    void* (*enter)(void*);
    void* context;
    sums* counts;
};

void* enter_counted(void* given) {
    const std::unique_ptr<thread_start> start(static_cast<thread_start*>(given));
    here = start->counts;
    return start->enter(start->context);
}

} // namespace

tally counted(side whose) {
    tally result;
    for (std::size_t i = 0; i < kinds_of_cost; ++i)
        result[static_cast<cost>(i)] = sums_of(whose)[i].load(std::memory_order_relaxed);
    return result;
}

counting_for::counting_for(side whose) : before_(std::exchange(here, &sums_of(whose))) {}
counting_for::~counting_for() { here = static_cast<sums*>(before_); }

} // namespace costs

using costs::add;
using costs::cost;
using std::size_t;

extern "C" {

void* __real_malloc(size_t size);
void* __wrap_malloc(size_t size) {
    add(cost::allocations);
    return __real_malloc(size);
}
void* __real_calloc(size_t count, size_t size);
void* __wrap_calloc(size_t count, size_t size) {
    add(cost::allocations);
    return __real_calloc(count, size);
}
void* __real_realloc(void* block, size_t size);
void* __wrap_realloc(void* block, size_t size) {
    add(cost::allocations);
    return __real_realloc(block, size);
}
void* __real_aligned_alloc(size_t alignment, size_t size);
void* __wrap_aligned_alloc(size_t alignment, size_t size) {
    add(cost::allocations);
    return __real_aligned_alloc(alignment, size);
}

void* __real_memcpy(void* to, const void* from, size_t size);
void* __wrap_memcpy(void* to, const void* from, size_t size) {
    costs::add_copy(size);
    return __real_memcpy(to, from, size);
}
void* __real_memmove(void* to, const void* from, size_t size);
void* __wrap_memmove(void* to, const void* from, size_t size) {
    costs::add_copy(size);
    return __real_memmove(to, from, size);
}

int __real_pthread_mutex_lock(pthread_mutex_t* mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t* mutex) {
    add(cost::locks);
    return __real_pthread_mutex_lock(mutex);
}

// std::condition_variable of libstdc++: notify_one, notify_all and wait are calls into its library, waits with a time
// are made of the C library's.
void __real__ZNSt18condition_variable10notify_oneEv(void* self);
void __wrap__ZNSt18condition_variable10notify_oneEv(void* self) {
    add(cost::notifications);
    __real__ZNSt18condition_variable10notify_oneEv(self);
}
void __real__ZNSt18condition_variable10notify_allEv(void* self);
void __wrap__ZNSt18condition_variable10notify_allEv(void* self) {
    add(cost::notifications);
    __real__ZNSt18condition_variable10notify_allEv(self);
}
void __real__ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE(void* self, void* lock);
void __wrap__ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE(void* self, void* lock) {
    add(cost::sleeps);
    __real__ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE(self, lock);
}
int __real_pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                                  const timespec* until);
int __wrap_pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                                  const timespec* until) {
    add(cost::sleeps);
    return __real_pthread_cond_clockwait(condition, mutex, clock, until);
}
int __real_pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* until);
int __wrap_pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* until) {
    add(cost::sleeps);
    return __real_pthread_cond_timedwait(condition, mutex, until);
}

ssize_t __real_read(int handle, void* to, size_t size);
ssize_t __wrap_read(int handle, void* to, size_t size) {
    add(cost::reads);
    return __real_read(handle, to, size);
}
ssize_t __real_readv(int handle, const iovec* to, int count);
ssize_t __wrap_readv(int handle, const iovec* to, int count) {
    add(cost::reads);
    return __real_readv(handle, to, count);
}
ssize_t __real_recv(int handle, void* to, size_t size, int flags);
ssize_t __wrap_recv(int handle, void* to, size_t size, int flags) {
    add(cost::reads);
    return __real_recv(handle, to, size, flags);
}
ssize_t __real_recvmsg(int handle, msghdr* to, int flags);
ssize_t __wrap_recvmsg(int handle, msghdr* to, int flags) {
    add(cost::reads);
    return __real_recvmsg(handle, to, flags);
}

ssize_t __real_writev(int handle, const iovec* from, int count);
ssize_t __wrap_writev(int handle, const iovec* from, int count) {
    add(cost::writes);
    return __real_writev(handle, from, count);
}
ssize_t __real_send(int handle, const void* from, size_t size, int flags);
ssize_t __wrap_send(int handle, const void* from, size_t size, int flags) {
    add(cost::writes);
    return __real_send(handle, from, size, flags);
}
ssize_t __real_sendmsg(int handle, const msghdr* from, int flags);
ssize_t __wrap_sendmsg(int handle, const msghdr* from, int flags) {
    add(cost::writes);
    return __real_sendmsg(handle, from, flags);
}

/// A thread that sleeps until another wakes it (futex(2)). The library passes all six arguments.
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...) {
    std::array<long, 6> given{};
    va_list arguments;
    va_start(arguments, number);
    for (long& each : given) each = va_arg(arguments, long);
    va_end(arguments);
    if (number == SYS_futex) add(given[1] == FUTEX_WAKE_PRIVATE ? cost::notifications : cost::sleeps);
    return __real_syscall(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}

int __real_epoll_wait(int handle, epoll_event* entries, int count, int timeout);
int __wrap_epoll_wait(int handle, epoll_event* entries, int count, int timeout) {
    add(cost::waits);
    return __real_epoll_wait(handle, entries, count, timeout);
}
int __real_poll(pollfd* entries, nfds_t count, int timeout);
int __wrap_poll(pollfd* entries, nfds_t count, int timeout) {
    add(cost::waits);
    return __real_poll(entries, count, timeout);
}

int __real_epoll_ctl(int handle, int operation, int descriptor, epoll_event* entry);
int __wrap_epoll_ctl(int handle, int operation, int descriptor, epoll_event* entry) {
    add(cost::other_calls);
    return __real_epoll_ctl(handle, operation, descriptor, entry);
}
/// Nobody writes to sockets with it: this is how the eventfd wakes.
ssize_t __real_write(int handle, const void* from, size_t size);
ssize_t __wrap_write(int handle, const void* from, size_t size) {
    add(cost::other_calls);
    return __real_write(handle, from, size);
}
/// The library's have one argument more, a pointer.
int __real_ioctl(int handle, unsigned long request, void* argument);
int __wrap_ioctl(int handle, unsigned long request, void* argument) {
    add(cost::other_calls);
    return __real_ioctl(handle, request, argument);
}

int __real_pthread_create(pthread_t* made, const pthread_attr_t* how, void* (*enter)(void*), void* context);
int __wrap_pthread_create(pthread_t* made, const pthread_attr_t* how, void* (*enter)(void*), void* context) {
    std::unique_ptr<costs::thread_start> start(new costs::thread_start{enter, context, costs::here});
    const int refused = __real_pthread_create(made, how, costs::enter_counted, start.get());
    if (refused == 0) static_cast<void>(start.release()); // the thread's now
    return refused;
}

} // extern "C"

// The standard's other forms all end in these, and these in the calls above.
[[gnu::noinline]] void* operator new(size_t size) {
    if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(size_t size, std::align_val_t alignment) {
    const auto unit = static_cast<size_t>(alignment);
    if (void* const memory = std::aligned_alloc(unit, (size + unit - 1) / unit * unit)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
