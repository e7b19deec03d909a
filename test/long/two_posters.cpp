// SPDX-License-Identifier: BSL-1.0
// Two peers with small pools that both post 20,000 messages before either receives: no deadlock, everything arrives.
#include "long_run.hpp"

using namespace long_run;

namespace {

constexpr std::uint32_t count = 20'000;
constexpr tofu::options small{
    .initial_messages = 4, .max_messages = 4, .max_queued_messages = count, .max_queued_bytes = 32 * 1024 * 1024};

void post_all(tofu::reactor& engine, tofu::channel_group& group, std::uint16_t channel) {
    const std::string body(1000, 'x');
    for (std::uint32_t i = 0; i < count; ++i) {
        tofu::message_ptr m = make(engine, op_code::signal, channel, body);
        m->header().message_id = i + 1;
        std::error_code error;
        group.post(std::move(m), error);
        demand(!error, "a post with room in the queue: " + error.message());
    }
}

void receive_all(tofu::reactor& engine, tofu::channel_group& group) {
    std::size_t notices = 0;
    for (std::uint32_t i = 0; i < count;) {
        const tofu::message_ptr m = next(group, op_code::signal);
        if (m->from_engine()) {
            demand(m->status() == tofu::status::pool_empty, "a message of the peer, not " + describe(*m));
            ++notices;
            continue;
        }
        ++i;
        if (m->header().message_id != i || m->body().size() != 1000) demand(false, "the messages in their order");
    }
    // The peer may still be without ours; nobody else turns this loop when it has no thread.
    expect(engine.drain(patience), "everything posted is sent");
    std::printf("    all %u received, %zu notices of an empty pool\n", count, notices);
}

void run(tofu::driven_by who) {
    tofu::reactor here(small, who);
    tofu::reactor there(small, who);
    tofu::channel_group near = here.create_group();
    tofu::channel_group far = there.create_group();
    const tofu::address where = listen(there, far);
    const std::uint16_t ours = say_hello(here, near, where);
    std::uint16_t theirs = 0;
    std::thread other([&] {
        tofu::message_ptr m = next(far, op_code::hello_request);
        theirs = m->header().channel_number;
        far.post(answer(std::move(m), op_code::hello_response));
        post_all(there, far, theirs);
        receive_all(there, far);
    });
    expect(next(near, op_code::hello_response)->status() == tofu::status::success, "connected");
    const auto start = clock::now();
    post_all(here, near, ours);
    receive_all(here, near);
    other.join();
    std::printf("%-10s: %.0f messages/s, peak memory %ld KiB, starvation episodes %llu and %llu\n", name_of(who),
                2.0 * count / seconds_since(start), peak_memory(),
                static_cast<unsigned long long>(here.stats().starvation_episodes),
                static_cast<unsigned long long>(there.stats().starvation_episodes));
}

} // namespace

int main() {
    run(tofu::driven_by::io_thread);
    run(tofu::driven_by::caller);
    return result();
}
