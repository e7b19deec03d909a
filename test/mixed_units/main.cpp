// SPDX-License-Identifier: BSL-1.0
// Stations talk to each other, each with each, over engines and groups that other stations made.
#include "station.hpp"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <utility>

namespace tofu_test {
namespace {

using tofu::op_code;

/// Names the first fault; null if there is none. `one` and `other` take turns at the objects.
const char* meet(const station& one, const station& other) {
    if (&one.category() != &other.category()) return "each has an error category of its own";
    const std::unique_ptr<tofu::reactor> engine = one.make_reactor();
    if (!engine) return "no engine";
    tofu::channel_group server = other.make_group(*engine);
    tofu::channel_group client = one.make_group(*engine);
    if (!server || !client) return "no group";
    const std::uint16_t channel = other.connect(*engine, client, one.listen(*engine, server));
    if (channel == 0) return "the hello_request was refused";
    if (!other.answer(server, op_code::hello_request, op_code::hello_response)) return "no hello_request came";
    if (!one.answer(client, op_code::hello_response, op_code::request)) return "no hello_response came";
    if (!other.answer(server, op_code::request, op_code::response)) return "no request came";
    tofu::message_ptr m = one.receive(client);
    if (!m || m->op() != op_code::response) return "no response came";
    if (!other.reports_errors(client, m)) return "an error was not reported";
    if (!one.reports_errors(server, m)) return "an error was not reported on the other side";
    return nullptr;
}

} // namespace
} // namespace tofu_test

int main() {
    using namespace tofu_test;
    const station* const all[] = {&unoptimised, &optimised, &without_exceptions, &without_rtti};
    int failures = 0;
    for (const station* one : all) {
        for (const station* other : all) {
            const char* const problem = meet(*one, *other);
            if (problem == nullptr) continue;
            ++failures;
            std::fprintf(stderr, "%s and %s: %s\n", one->name, other->name, problem);
        }
    }
    return failures == 0 ? 0 : 1;
}
