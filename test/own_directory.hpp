// SPDX-License-Identifier: BSL-1.0
// A directory of a test's own for socket files, removed with everything in it.
#ifndef TOFU_TEST_OWN_DIRECTORY_HPP
#define TOFU_TEST_OWN_DIRECTORY_HPP

#include <boost/test/unit_test.hpp>

#include <tofu/address.hpp>
#include <tofu/platform/posix/descriptor.hpp>

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace tofu_test {

class own_directory {
public:
    own_directory() {
        std::string name = (std::filesystem::temp_directory_path() / "tofu-XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    own_directory(const own_directory&) = delete;
    own_directory& operator=(const own_directory&) = delete;
    ~own_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::string file(const std::string& name = "socket") const { return (path_ / name).string(); }
    [[nodiscard]] tofu::address address(const std::string& name = "socket") const {
        return tofu::uds_address{file(name)};
    }
    /// An abstract name as unique as the directory.
    [[nodiscard]] std::string abstract_name() const {
        std::string name(1, '@'); // a sum would be a warning of g++ 12, which sees overlaps that are not there
        return name.append(file());
    }
    /// How many files are in it.
    [[nodiscard]] std::size_t files() const {
        std::size_t count = 0;
        for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path_)) ++count;
        return count;
    }

private:
    std::filesystem::path path_;
};

/// Permission bits of what is at `path`, a link itself and not what it points to; -1 when there is nothing.
inline int permissions_of(const std::string& path) {
    struct ::stat found {};
    return ::lstat(path.c_str(), &found) == 0 ? static_cast<int>(found.st_mode & 0777) : -1;
}

/// A socket file nobody listens behind, as a killed process leaves it.
inline void leave_dead_file(const std::string& path) {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    path.copy(where.sun_path, sizeof where.sun_path - 1);
    const tofu::posix::descriptor bound(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    BOOST_REQUIRE(::bind(bound.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0);
    BOOST_REQUIRE(::listen(bound.get(), 1) == 0);
}

} // namespace tofu_test

#endif
