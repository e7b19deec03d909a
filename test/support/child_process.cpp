// SPDX-License-Identifier: BSL-1.0
// Starts and kills another process of this program, and runs its role there.
#include "child_process.hpp"

#include <boost/test/unit_test.hpp>

#if defined(_WIN32)
#include <process.h>
#else
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include <cstdlib>
#include <utility>

#if !defined(_WIN32)
extern char** environ; // POSIX leaves the declaration to the program (environ(7)); Linux has it in a header, too
#endif

namespace tofu_test {
namespace {

const char* const mark = "child";

child_role*& roles() {
    static child_role* first = nullptr;
    return first;
}

/// In a child: runs the child's role instead of the tests.
struct child_life {
    child_life() {
        const auto& suite = boost::unit_test::framework::master_test_suite();
        const std::vector<std::string> words(suite.argv + 1, suite.argv + suite.argc);
        if (words.size() < 2 || words[0] != mark) return;
        for (const child_role* role = roles(); role != nullptr; role = role->next())
            if (role->name() == words[1]) role->live({words.begin() + 2, words.end()});
        std::exit(1);
    }
};

BOOST_TEST_GLOBAL_FIXTURE(child_life);

} // namespace

child_role::child_role(std::string_view name, body_type body)
    : name_(name), body_(body), next_(std::exchange(roles(), this)) {}

std::vector<std::string> own_command() {
    return {
#if defined(TOFU_TEST_EMULATOR)
        TOFU_TEST_EMULATOR,
#endif
            boost::unit_test::framework::master_test_suite().argv[0]
    };
}

child_process::child_process(std::string_view role, const std::vector<std::string>& arguments) {
    std::vector<std::string> words = own_command();
    words.insert(words.end(), {"--", mark, std::string(role)});
    words.insert(words.end(), arguments.begin(), arguments.end());
    const std::string program = words.front();
    start(program, std::move(words));
}

void child_process::kill() {
    if (std::exchange(is_there_, false)) end();
}

#if defined(_WIN32)

namespace {

constexpr DWORD killed = 99;

} // namespace

void child_process::start(const std::string& program, std::vector<std::string> words) {
    std::vector<const char*> pointers;
    for (std::string& word : words) { // the arguments are passed as one text
        word.insert(word.begin(), '"');
        word.push_back('"');
        pointers.push_back(word.c_str());
    }
    pointers.push_back(nullptr);
    process_ = reinterpret_cast<HANDLE>(::_spawnv(_P_NOWAIT, program.c_str(), pointers.data()));
    BOOST_REQUIRE(process_ != INVALID_HANDLE_VALUE);
    is_there_ = true;
}

void child_process::end() {
    ::TerminateProcess(process_, killed);
    BOOST_TEST(::WaitForSingleObject(process_, INFINITE) == WAIT_OBJECT_0);
    DWORD code = 0;
    BOOST_TEST(::GetExitCodeProcess(process_, &code) != 0);
    BOOST_TEST(code == killed); // it did not end by itself
    ::CloseHandle(process_);
}

#else

void child_process::start(const std::string& program, std::vector<std::string> words) {
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    BOOST_REQUIRE(::posix_spawnp(&process_, program.c_str(), nullptr, nullptr, pointers.data(), environ) == 0);
    is_there_ = true;
}

void child_process::stop() {
    BOOST_REQUIRE(::kill(process_, SIGSTOP) == 0);
    int stopped = 0;
    BOOST_REQUIRE(::waitpid(process_, &stopped, WUNTRACED) == process_);
    BOOST_REQUIRE(WIFSTOPPED(stopped));
}

void child_process::go_on() { BOOST_REQUIRE(::kill(process_, SIGCONT) == 0); }

void child_process::end() {
    ::kill(process_, SIGKILL);
    int ended = 0;
    BOOST_TEST(::waitpid(process_, &ended, 0) == process_);
    BOOST_TEST((WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL)); // it did not end by itself
}

#endif

} // namespace tofu_test
