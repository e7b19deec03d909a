// SPDX-License-Identifier: BSL-1.0
// Measures how much stack the library needs: on the threads that call it, on its I/O thread, and on the threads that
// look names up, without what the system's getaddrinfo needs. Exits with 0 when that is at most what doc/limits.md
// says, with 77 where it cannot be measured.
#include "painted_stacks.hpp"
#include "whole_api.hpp"

#include <tofu/platform/threaded_resolver.hpp>
#include <tofu/policies/key/handle_key.hpp>
#include <tofu/policies/pool/growing_channel_pool.hpp>

#include <pollers.hpp>

#include <boost/mp11.hpp>

#include <unistd.h>

namespace {

using namespace tofu_test;

constexpr std::size_t most_stack = 16 * 1024;

/// Every name is this machine's.
struct loopback_names {
    tofu::io_error operator()(std::string_view, std::uint16_t port, bool for_listening,
                              tofu::nothrow_vector<tofu::platform::endpoint>& found) const noexcept {
        tofu::platform::endpoint one;
        const tofu::io_error error =
            tofu::platform::to_endpoint(tofu::tcp_address{"127.0.0.1", port}, for_listening, one);
        return error || found.push_back(one) ? error : tofu::io_error{tofu::io_failure::no_memory, 0};
    }
};
using named_network = tofu::platform::network<tofu::platform::basic_threaded_resolver<loopback_names>>;

/// Two groups of one engine that has few messages: full send queues, full gathers, small messages and the largest ones.
template <class Engine>
class heavy_talk {
public:
    explicit heavy_talk(tofu::driven_by who)
        : engine_({.max_messages = 24}, who), server_(engine_.create_group()), client_(engine_.create_group()) {}

    void over(const tofu::address& where, std::string_view name) {
        open(where, name);
        for (const std::size_t size : {std::size_t{10}, std::size_t{700}, std::size_t{65'535}}) send_and_receive(size);
        finish();
    }

private:
    using group = decltype(std::declval<Engine&>().create_group());

    tofu::message_ptr next(group& from, op_code op, const char* what) {
        tofu::message_ptr m = from.wait_receive(20s);
        while (m && m->status() == status::pool_empty) m = from.wait_receive(20s);
        require(m && m->op() == op, what);
        return m;
    }

    void open(const tofu::address& where, std::string_view name) {
        tofu::message_ptr m = engine_.get();
        require(m->listen_on(where) == status::success, "a welcome_request");
        server_.post(std::move(m));
        m = next(server_, op_code::welcome_response, "the listener stands");
        require(m->status() == status::success, "without a failure");
        listener_ = m->header().channel_number;
        const tofu::address at = tofu::parse_address(m->headers().find(tofu::listen_on_header)).value;
        m = engine_.get();
        const bool named = !name.empty();
        require(m->connect_to(named ? tofu::address(tofu::tcp_address{name, at.port()}) : at) == status::success,
                "a hello_request");
        channel_ = client_.post(std::move(m)).channel_number;
        m = next(server_, op_code::hello_request, "the hello arrives");
        m->header().op = op_code::hello_response;
        server_.post(std::move(m));
        next(client_, op_code::hello_response, "and is answered");
    }

    /// Until the send queue is full; then everything is read.
    void send_and_receive(std::size_t size) {
        const std::string body(size, 'x');
        std::size_t sent = 0;
        std::error_code refused;
        for (; !refused; sent += refused ? 0 : 1) {
            tofu::message_ptr m = engine_.get();
            m->header().op = op_code::signal;
            m->header().channel_number = channel_;
            require(m->body().append(body), "room for a body");
            client_.post(std::move(m), refused);
        }
        require(refused == status::send_failed, "the send queue is full");
        for (; sent != 0; --sent) next(server_, op_code::signal, "what was sent arrives");
        require(engine_.drain(20s), "the send queue is empty");
    }

    void finish() {
        tofu::message_ptr m = engine_.get();
        m->header().op = op_code::bye_request;
        m->header().channel_number = channel_;
        client_.post(std::move(m));
        m = next(server_, op_code::bye_request, "bye arrives");
        m->header().op = op_code::bye_response;
        server_.post(std::move(m));
        next(client_, op_code::bye_response, "and is answered");
        require(next(client_, op_code::signal, "the goodbye")->from_engine(), "is the engine's");
        next(server_, op_code::signal, "the other goodbye");
        m = engine_.get();
        m->header().op = op_code::bye_signal;
        m->header().channel_number = listener_;
        server_.post(std::move(m));
        next(server_, op_code::signal, "the listener's goodbye");
    }

    Engine engine_;
    group server_;
    group client_;
    std::uint16_t channel_ = 0;
    std::uint16_t listener_ = 0;
};

template <class Engine>
void talk_over_everything() {
    const std::string path = "/tmp/tofu-stack-need-" + std::to_string(::getpid());
    for (const tofu::driven_by who : {tofu::driven_by::io_thread, tofu::driven_by::caller}) {
        heavy_talk<Engine> talk(who);
        talk.over(tofu::uds_address{path}, {});
        talk.over(tofu::tcp_address{"127.0.0.1", 0}, {});
        talk.over(tofu::tcp_address{"127.0.0.1", 0}, "some.name");
    }
}

void use_whole_api() {
    for (const tofu::driven_by who : {tofu::driven_by::io_thread, tofu::driven_by::caller}) whole_api(who).run(who);
}

/// Runs `body` on a painted thread, and prints how deep each kind of thread went. False: too deep.
bool measure(std::string_view what, void (*body)(), std::string_view not_ours = {}) {
    pthread_t handle;
    require(::pthread_create(
                &handle, nullptr,
                [](void* run) -> void* {
                    ::pthread_setname_np(::pthread_self(), "caller");
                    (*static_cast<void (**)()>(run))();
                    return nullptr;
                },
                &body) == 0,
            "a thread");
    ::pthread_join(handle, nullptr);
    const auto deepest = stacks.take();
    for (const char* const name : {"caller", "tofu", "tofu-names"})
        require(deepest.count(name) == 1, "each kind of thread was measured");
    bool right = true;
    for (const auto& [name, depth] : deepest) {
        if (name == not_ours) continue;
        std::printf("%6zu bytes: %s, %.*s\n", depth, name.c_str(), static_cast<int>(what.size()), what.data());
        right = right && depth <= most_stack;
    }
    return right;
}

} // namespace

int main() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    std::puts("skipped: a sanitizer makes frames larger");
    return 77;
#endif
    bool right = measure("the whole interface", use_whole_api, "tofu-names"); // getaddrinfo is the system's
    boost::mp11::mp_for_each<boost::mp11::mp_transform<boost::mp11::mp_identity, system_pollers_over<named_network>>>(
        [&right]<class Poll>(boost::mp11::mp_identity<Poll>) {
            using others = tofu::reactor_with<Poll, tofu::handle_key, tofu::growing_channel_pool<>>;
            constexpr std::string_view name = tofu::policy_name<Poll>;
            if (Poll().open().kind == tofu::io_failure::unsupported) {
                std::printf("skipped: this system has no %.*s\n", static_cast<int>(name.size()), name.data());
                return;
            }
            right = measure(name, talk_over_everything<tofu::reactor_with<Poll>>) && right;
            right = measure(name, talk_over_everything<others>) && right;
        });
    require(right, "at most 16 KiB of stack");
}
