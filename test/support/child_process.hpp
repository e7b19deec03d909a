// SPDX-License-Identifier: BSL-1.0
// Another process of this program. It plays a role instead of the tests, until it is killed.
#ifndef TOFU_TEST_SUPPORT_CHILD_PROCESS_HPP
#define TOFU_TEST_SUPPORT_CHILD_PROCESS_HPP

#if defined(_WIN32)
#include <tofu/platform/windows/winsock.hpp>
#else
#include <sys/types.h>
#endif

#include <string>
#include <string_view>
#include <vector>

namespace tofu_test {

/// A role that a child can play: a static object next to the test that starts the child.
class child_role {
public:
    using body_type = void (*)(const std::vector<std::string>& arguments);

    child_role(std::string_view name, body_type body);

    [[nodiscard]] std::string_view name() const { return name_; }
    [[nodiscard]] const child_role* next() const { return next_; }
    void live(const std::vector<std::string>& arguments) const { body_(arguments); }

private:
    std::string_view name_;
    body_type body_;
    child_role* next_;
};

/// The command line that starts a process of this program. With an emulator, the first word is the emulator, because
/// the kernel cannot start a program for another processor.
[[nodiscard]] std::vector<std::string> own_command();

class child_process {
public:
    /// `role` is a child_role's name. No argument may have quotation marks.
    child_process(std::string_view role, const std::vector<std::string>& arguments);
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;
    ~child_process() { kill(); }

    /// Kills the child, so that it cannot clean up. Returns when the child has ended. The child must not have ended
    /// before.
    void kill();
#if !defined(_WIN32)
    /// Sends SIGSTOP, and returns when the child has stopped.
    void stop();
    /// Sends SIGCONT.
    void go_on();
#endif

private:
    void start(const std::string& program, std::vector<std::string> words);
    void end();

#if defined(_WIN32)
    HANDLE process_ = nullptr;
#else
    pid_t process_ = -1;
#endif
    bool is_there_ = false;
};

} // namespace tofu_test

#endif
