// SPDX-License-Identifier: BSL-1.0
// The two parties of a program that contains two versions of the library. Nothing here is a type of the library.
#ifndef TOFU_TEST_PARTY_HPP
#define TOFU_TEST_PARTY_HPP

#include <cstdint>
#include <string>

namespace tofu_test {

/// One engine with one group, made by one version of the library. Both parties have the same source.
struct party {
    int version;
    std::uint16_t (*listen)();                ///< on 127.0.0.1; the port, 0 is a failure
    bool (*connect)(std::uint16_t port);      ///< posts the hello_request
    bool (*accept)();                         ///< answers the hello_request
    bool (*ask)(const std::string& question); ///< once the hello_response is there
    std::string (*answer_question)();         ///< answers with the question it received
    std::string (*receive_answer)();
    std::string (*reason_of_refusal)(); ///< the sentence of the error a refused call throws
    void (*stop)();
};

extern const party this_version;
extern const party other_version;

} // namespace tofu_test

#endif
