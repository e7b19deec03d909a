// SPDX-License-Identifier: BSL-1.0
// Another working directory for a part of a test, on POSIX systems.
#ifndef TOFU_TEST_SUPPORT_WORKING_DIRECTORY_HPP
#define TOFU_TEST_SUPPORT_WORKING_DIRECTORY_HPP

#include <boost/test/unit_test.hpp>

#include <tofu/platform/posix/descriptor.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

namespace tofu_test {

/// The process is in another directory, as long as this lives.
class working_directory {
public:
    explicit working_directory(const std::filesystem::path& other) : before_(::open(".", O_RDONLY | O_CLOEXEC)) {
        std::filesystem::current_path(other);
    }
    working_directory(const working_directory&) = delete;
    working_directory& operator=(const working_directory&) = delete;
    ~working_directory() { BOOST_TEST(::fchdir(before_.get()) == 0); }

private:
    tofu::posix::descriptor before_;
};

} // namespace tofu_test

#endif
