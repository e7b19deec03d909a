// SPDX-License-Identifier: BSL-1.0
// Another process, which runs one case of this program: a case that is disabled, so that it only runs when it is asked
// for by its name.
#ifndef TOFU_TEST_CHILD_PROCESS_HPP
#define TOFU_TEST_CHILD_PROCESS_HPP

#include <boost/test/unit_test.hpp>

#if defined(_WIN32)
#include <tofu/platform/windows/winsock.hpp>

#include <process.h>
#else
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tofu_test {

class child_process {
public:
    /// `test_case` is its whole name; it finds `arguments` with child_arguments().
    child_process(const std::string& test_case, const std::vector<std::string>& arguments) {
        const std::string program = boost::unit_test::framework::master_test_suite().argv[0];
        std::vector<std::string> words{program, "--run_test=" + test_case, "--"};
        words.insert(words.end(), arguments.begin(), arguments.end());
        start(program, std::move(words));
    }
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;
    ~child_process() { kill(); }

    /// Ends it, if it has not ended, without a chance to tidy up. Returns when it is gone.
    void kill() {
        if (std::exchange(is_there_, false)) end();
    }

private:
#if defined(_WIN32)
    void start(const std::string& program, std::vector<std::string> words) {
        std::vector<const char*> pointers;
        for (std::string& word : words) { // they travel as one text
            word.insert(word.begin(), '"');
            word.push_back('"');
            pointers.push_back(word.c_str());
        }
        pointers.push_back(nullptr);
        process_ = reinterpret_cast<HANDLE>(::_spawnv(_P_NOWAIT, program.c_str(), pointers.data()));
        BOOST_REQUIRE(process_ != INVALID_HANDLE_VALUE);
        is_there_ = true;
    }
    void end() {
        ::TerminateProcess(process_, killed);
        BOOST_TEST(::WaitForSingleObject(process_, INFINITE) == WAIT_OBJECT_0);
        DWORD code = 0;
        BOOST_TEST(::GetExitCodeProcess(process_, &code) != 0);
        BOOST_TEST(code == killed); // and not of itself
        ::CloseHandle(process_);
    }

    static constexpr DWORD killed = 99;
    HANDLE process_ = nullptr;
#else
    void start(const std::string& program, std::vector<std::string> words) {
        std::vector<char*> pointers;
        for (std::string& word : words) pointers.push_back(word.data());
        pointers.push_back(nullptr);
        BOOST_REQUIRE(::posix_spawn(&process_, program.c_str(), nullptr, nullptr, pointers.data(), environ) == 0);
        is_there_ = true;
    }
    void end() {
        ::kill(process_, SIGKILL);
        int ended = 0;
        BOOST_TEST(::waitpid(process_, &ended, 0) == process_);
        BOOST_TEST((WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL)); // and not by itself
    }

    pid_t process_ = -1;
#endif
    bool is_there_ = false;
};

/// In the child: what it was started with.
inline std::vector<std::string> child_arguments() {
    const auto& suite = boost::unit_test::framework::master_test_suite();
    return {suite.argv + 1, suite.argv + suite.argc};
}

} // namespace tofu_test

#endif
