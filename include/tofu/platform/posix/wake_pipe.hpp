// SPDX-License-Identifier: BSL-1.0
// A pipe that ends a wait of the own process; use it with wake_flag.
//
// This header is open to policies outside of the library; see doc/writing-policies.md.

#ifndef TOFU_PLATFORM_POSIX_WAKE_PIPE_HPP
#define TOFU_PLATFORM_POSIX_WAKE_PIPE_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/platform/posix/descriptor.hpp>
#include <tofu/platform/posix/error.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace tofu::inline TOFU_ABI::posix {

namespace detail {

/// A template, so that it also compiles on systems without pipe2.
template <class Ends>
io_error make_pipe(Ends ends, descriptor& reader, descriptor& writer) noexcept {
    if constexpr (requires { pipe2(ends, O_NONBLOCK | O_CLOEXEC); }) {
        if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) {
            return last_error();
        }
        reader.reset(ends[0]);
        writer.reset(ends[1]);
        return {};
    } else {
        if (::pipe(ends) != 0) {
            return last_error();
        }
        reader.reset(ends[0]);
        writer.reset(ends[1]);
        const io_error error = make_private_and_non_blocking(ends[0]);
        return error ? error : make_private_and_non_blocking(ends[1]);
    }
}

} // namespace detail

/// Move-only; owns both ends. The ends are non-blocking and closed on exec.
class wake_pipe {
public:
    /// Called once, before the other calls. Errors: no_descriptors.
    io_error open() noexcept {
        TOFU_ASSERT(!is_open());
        int ends[2] = {-1, -1};
        const io_error error = detail::make_pipe(static_cast<int*>(ends), reader_, writer_);
        if (error) {
            reader_.reset();
            writer_.reset();
        }
        return error;
    }

    bool is_open() const noexcept { return reader_.is_open(); }

    /// Readable from wake() to drain().
    int read_descriptor() const noexcept { return reader_.get(); }

    /// Writes one byte. Any thread, also in a signal handler: errno stays as it was. A full pipe is no error.
    void wake() const noexcept {
        TOFU_ASSERT(writer_.is_open());
        const int kept = errno;
        const char byte = 0;
        while (::write(writer_.get(), &byte, 1) < 0 && errno == EINTR) {
        }
        errno = kept;
    }

    /// Reads all bytes. The waiting thread only. Afterwards the pipe is not readable until the next wake().
    void drain() const noexcept {
        TOFU_ASSERT(is_open());
        char bytes[64];
        ssize_t got = 0;
        do {
            got = ::read(reader_.get(), bytes, sizeof bytes);
        } while (got == static_cast<ssize_t>(sizeof bytes) || (got < 0 && errno == EINTR));
    }

    /// Closes both ends; in a forked child only the child's copies.
    void close() noexcept {
        reader_.reset();
        writer_.reset();
    }

private:
    descriptor reader_;
    descriptor writer_;
};

} // namespace tofu::inline TOFU_ABI::posix

#endif // TOFU_PLATFORM_POSIX_WAKE_PIPE_HPP
