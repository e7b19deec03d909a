// SPDX-License-Identifier: BSL-1.0
// A program that uses the whole library through calls that report errors instead of throwing: for builds without
// exceptions or without run-time type information, which Boost.Test does not support.
#ifndef TOFU_TEST_VARIANTS_WHOLE_API_HPP
#define TOFU_TEST_VARIANTS_WHOLE_API_HPP

#include <tofu/tofu.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>

namespace tofu_test {

using namespace std::chrono_literals;
using tofu::op_code;
using tofu::status;

/// Ends the program when something is not as it has to be.
inline void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "not as it has to be: %s\n", what);
    std::exit(1);
}

/// A conversation of two groups of one engine in which every call of the library takes part.
class whole_api {
public:
    explicit whole_api(tofu::driven_by who)
        : engine_({.initial_messages = 4}, who, error_), server_(engine_.create_group(error_)) {
        require(!error_, "the engine and its first group were made");
        client_ = engine_.create_group(error_);
        require(!error_, "a second group was made");
    }

    void run(tofu::driven_by who) {
        open();
        talk();
        update();
        end();
        if (who == tofu::driven_by::caller) drive();
        refuse(who);
    }

private:
    tofu::message_ptr next(tofu::channel_group& group, op_code op, const char* what) {
        tofu::message_ptr m = group.wait_receive(20s, error_);
        require(m && !error_ && m->op() == op, what);
        return m;
    }
    tofu::message_ptr make(op_code op, std::string_view body) {
        tofu::message_ptr m = engine_.get(tofu::allocation::always, error_);
        require(m != nullptr, "a message");
        m->header().op = op;
        m->header().channel_number = channel_;
        require(m->body().append(body), "room for a body");
        return m;
    }
    void reply(tofu::message_ptr m, op_code op) {
        m->header().op = op;
        server_.post(std::move(m), error_);
        require(!error_, "an answer is accepted");
    }

    void open() {
        tofu::message_ptr m = engine_.get(tofu::allocation::pool_only, error_);
        require(m && m->listen_on(tofu::tcp_address{"localhost", 0}) == status::success, "a welcome_request");
        server_.post(std::move(m), error_);
        m = next(server_, op_code::welcome_response, "the listener stands");
        const tofu::parsed_address where = tofu::parse_address(m->headers().find(tofu::listen_on_header));
        require(where.status == status::success && where.value.port() != 0, "it tells its port");
        const tofu::tcp_address same_name{"localhost", where.value.port()};
        require(m->connect_to(same_name) == status::success, "a hello_request");
        channel_ = client_.post(std::move(m), error_).channel_number;
        reply(next(server_, op_code::hello_request, "the hello arrives"), op_code::hello_response);
        next(client_, op_code::hello_response, "and is answered");
    }

    void talk() {
        tofu::message_ptr m = make(op_code::request, "question");
        require(m->headers().append("key", "value") == status::success, "a text header");
        tofu::message_ptr copy = tofu::clone(*m, error_);
        require(copy && !error_, "a clone");
        client_.post(std::move(m), error_);
        client_.wait_post(std::move(copy), 20s, error_);
        require(!error_, "both are posted");
        for (int i = 0; i < 2; ++i) {
            m = next(server_, op_code::request, "both arrive");
            require(m->body().text() == "question" && m->headers().find("key") == "value", "as they were");
            reply(std::move(m), op_code::response);
            next(client_, op_code::response, "and are answered");
        }
        require(engine_.drain(20s), "everything is sent");
        const auto figures = client_.stats(channel_);
        require(figures && figures->messages_sent == 3 && figures->messages_received == 3, "the channel counted");
        require(engine_.stats().messages_sent == 6, "the engine counted");
    }

    void update() {
        server_.update_receiver(error_);
        require(next(server_, op_code::signal, "an update")->status() == status::receiver_update, "says so");
        server_.update_receiver(make(op_code::signal, "note"), error_);
        require(next(server_, op_code::signal, "a given one")->body().text() == "note", "carries its body");
        server_.update_receiver_after(1ms, make(op_code::signal, "later"), error_);
        require(next(server_, op_code::signal, "a later one")->body().text() == "later", "comes");
        auto timer = server_.update_receiver_after(1h, make(op_code::signal, "never"), error_);
        require(timer.cancel() != nullptr, "one can be taken back");
    }

    void end() {
        client_.post(make(op_code::bye_request, {}), error_);
        reply(next(server_, op_code::bye_request, "bye arrives"), op_code::bye_response);
        next(client_, op_code::bye_response, "and is answered");
        const tofu::message_ptr last = next(client_, op_code::signal, "the goodbye");
        require(last->from_engine() && last->status() == status::channel_closed, "is the engine's");
        require(last->why() && last->why()->why == tofu::reason::bye, "and says why");
        next(server_, op_code::signal, "the other goodbye");
    }

    void drive() {
        engine_.run_once(0ms, error_);
        require(!error_, "its owner drives it");
        while (engine_.next_deadline(error_) == tofu::reactor::time_point::min()) engine_.run_once(0ms, error_);
        require(!error_, "and comes to rest");
    }

    void refuse(tofu::driven_by who) {
        tofu::message_ptr m = make(op_code::request, "too late");
        client_.post(std::move(m), error_);
        require(m && error_ == status::invalid_channel_number, "a closed channel refuses, the message stays");
        require(error_.category() == tofu::status_category() && !error_.message().empty(), "the error explains itself");
        client_.post(nullptr, error_);
        require(error_ == status::null_message, "nothing can not be posted");
        if (who == tofu::driven_by::io_thread) {
            engine_.run_once(0ms, error_);
            require(error_ == status::not_allowed, "its own thread drives it");
        }
        require(!server_.wait_receive(0ms, error_) && !error_, "nothing else comes");
    }

    std::error_code error_;
    tofu::reactor engine_;
    tofu::channel_group server_;
    tofu::channel_group client_;
    std::uint16_t channel_ = 0;
};

/// In both modes; returns when a conversation worked in each, else the program has ended with 1.
inline void use_the_whole_api() {
    for (const tofu::driven_by who : {tofu::driven_by::io_thread, tofu::driven_by::caller}) whole_api(who).run(who);
}

} // namespace tofu_test

#endif
