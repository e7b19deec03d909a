// SPDX-License-Identifier: BSL-1.0
// Two versions of the library in one program: both work, and they talk to each other.
#include "party.hpp"

#include <cstdint>
#include <cstdio>
#include <string>

namespace tofu_test {
namespace {

/// Names the first fault; null if there is none.
const char* meet(const party& server, const party& client) {
    const std::uint16_t port = server.listen();
    if (port == 0) return "it does not listen";
    if (!client.connect(port)) return "it does not connect";
    if (!server.accept()) return "no hello_request came";
    const std::string question = "which version is that?";
    if (!client.ask(question)) return "no hello_response came";
    if (server.answer_question() != question) return "the question did not come";
    if (client.receive_answer() != question) return "the answer did not come";
    if (server.reason_of_refusal() != client.reason_of_refusal()) return "errors have different sentences";
    if (server.reason_of_refusal().find("no message") == std::string::npos) return "an error was not thrown";
    client.stop();
    server.stop();
    return nullptr;
}

} // namespace
} // namespace tofu_test

int main() {
    using namespace tofu_test;
    const char* problem = this_version.version == other_version.version ? "they are one version" : nullptr;
    if (problem == nullptr) problem = meet(this_version, other_version);
    if (problem == nullptr) problem = meet(other_version, this_version);
    if (problem != nullptr) std::fprintf(stderr, "%s\n", problem);
    return problem == nullptr ? 0 : 1;
}
