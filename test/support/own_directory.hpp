// SPDX-License-Identifier: BSL-1.0
// A directory of a test's own for socket files, removed with everything in it; and another working directory.
#ifndef TOFU_TEST_SUPPORT_OWN_DIRECTORY_HPP
#define TOFU_TEST_SUPPORT_OWN_DIRECTORY_HPP

#include "bare_socket.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/address.hpp>
#include <tofu/platform/process_mark.hpp>

#if !defined(_WIN32)
#include <tofu/platform/posix/descriptor.hpp>

#include <fcntl.h>
#include <unistd.h>
#endif

#include <cstddef>
#include <filesystem>
#include <random>
#include <string>
#include <system_error>

namespace tofu_test {

/// A forked child does not remove the directory; its parent does.
class own_directory {
public:
    own_directory() {
        BOOST_REQUIRE(!tofu::platform::process_mark::count_forks());
        std::random_device random;
        std::error_code error;
        do { // until a name is free
            path_ = std::filesystem::temp_directory_path() / ("tofu-" + std::to_string(random()));
            if (std::filesystem::create_directory(path_, error)) break;
        } while (!error);
        BOOST_REQUIRE(!error);
        std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
    }
    own_directory(const own_directory&) = delete;
    own_directory& operator=(const own_directory&) = delete;
    ~own_directory() {
        std::error_code ignored;
        if (process_.is_here()) std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::string file(const std::string& name = "socket") const { return text(path_ / name); }
    [[nodiscard]] tofu::address address(const std::string& name = "socket") const {
        return tofu::uds_address{file(name)};
    }
    /// An abstract name as unique as the directory.
    [[nodiscard]] std::string abstract_name() const {
        std::string name(1, '@'); // a sum would be a warning of g++ 12, which sees overlaps that are not there
        return name.append(file());
    }
    /// The number of files in the directory.
    [[nodiscard]] std::size_t files() const {
        std::size_t count = 0;
        for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path_)) ++count;
        return count;
    }

private:
    /// The path in UTF-8, as addresses need it.
    [[nodiscard]] static std::string text(const std::filesystem::path& path) {
        const std::u8string bytes = path.u8string();
        return {bytes.begin(), bytes.end()};
    }

    std::filesystem::path path_;
    tofu::platform::process_mark process_;
};

/// The permission bits of the file at `path`; of a link itself, not of its target. -1: there is no file.
inline int permissions_of(const std::string& path) {
    const std::filesystem::file_status found = std::filesystem::symlink_status(path);
    return std::filesystem::exists(found) ? static_cast<int>(found.permissions() & std::filesystem::perms::all) : -1;
}

/// Makes a socket file without a listener, as a killed process leaves it.
inline void leave_dead_file(const std::string& path) {
    bare_socket bound(AF_UNIX);
    bound.bind(tofu::uds_address{path});
    bound.listen();
}

#if !defined(_WIN32)
/// Changes the working directory of the process, as long as this object lives.
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
#endif

} // namespace tofu_test

#endif
