// SPDX-License-Identifier: BSL-1.0
// A pipe to oneself, to end a wait from another thread.

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

/// A template, so that a system without pipe2 compiles too: the name is looked up only where it is found.
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

/// Move-only; both ends are closed with it. Neither end blocks, both are closed on exec.
class wake_pipe {
public:
    /// Once, before anything else. Errors: no_descriptors.
    io_error open() noexcept {
        int ends[2] = {-1, -1};
        const io_error error = detail::make_pipe(static_cast<int*>(ends), reader_, writer_);
        if (error) {
            reader_.reset();
            writer_.reset();
        }
        return error;
    }

    bool is_open() const noexcept { return reader_.is_open(); }

    /// Readable after wake until drain.
    int read_descriptor() const noexcept { return reader_.get(); }

    /// Any thread, and in a signal handler: errno is left as it was. A full pipe is as good as one byte more.
    void wake() const noexcept {
        const int kept = errno;
        const char byte = 0;
        while (::write(writer_.get(), &byte, 1) < 0 && errno == EINTR) {
        }
        errno = kept;
    }

    /// The waiting thread only: afterwards the pipe is silent until the next wake.
    void drain() const noexcept {
        char bytes[64];
        ssize_t got = 0;
        do {
            got = ::read(reader_.get(), bytes, sizeof bytes);
        } while (got == static_cast<ssize_t>(sizeof bytes) || (got < 0 && errno == EINTR));
    }

    /// Closes both ends. In a forked child these are the child's copies only.
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
