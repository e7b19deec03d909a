// SPDX-License-Identifier: BSL-1.0
// The handles on which polls of AFD are submitted: helper handles that sockets share, or the sockets themselves.

#ifndef TOFU_PLATFORM_WINDOWS_AFD_HANDLES_HPP
#define TOFU_PLATFORM_WINDOWS_AFD_HANDLES_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/contract/nothrow_vector.hpp>
#include <tofu/platform/windows/afd.hpp>
#include <tofu/platform/windows/completion_port.hpp>
#include <tofu/platform/windows/handle.hpp>

#include <cstddef>
#include <cstdint>

namespace tofu::inline TOFU_ABI::windows {

/// The handle for the polls of one socket.
struct afd_place {
    HANDLE through = nullptr;
    std::size_t number = 0;
};

/// Helper handles; each serves at most `Sockets` sockets. A cancel searches all operations of its handle: with 10,000
/// sockets on one handle it would cost a hundred times as much. Keeps all handles until its end. One thread at a time.
template <std::size_t Sockets = 32>
class afd_helper_handles {
    static_assert(Sockets > 0, "tofu::afd_helper_handles: a handle must serve somebody");

public:
    afd_helper_handles() noexcept = default;
    afd_helper_handles(const afd_helper_handles&) = delete;
    afd_helper_handles& operator=(const afd_helper_handles&) = delete;
    ~afd_helper_handles() {
        for (const helper& each : all_) ::CloseHandle(each.handle);
    }

    /// Takes a place; completions go to `port` with `mark`. Errors: no_memory, and those of open_helper.
    io_error take(completion_port& port, std::uintptr_t mark, HANDLE, afd_place& place) noexcept {
        while (first_with_room_ < all_.size() && all_[first_with_room_].sockets == Sockets) ++first_with_room_;
        if (first_with_room_ == all_.size())
            if (const io_error error = add(port, mark)) return error;
        helper& chosen = all_[first_with_room_];
        TOFU_ASSERT(chosen.sockets < Sockets);
        ++chosen.sockets;
        place = {chosen.handle, first_with_room_};
        return {};
    }

    /// Returns a place whose socket has no poll in flight.
    void give_back(const afd_place& place) noexcept {
        TOFU_ASSERT(all_[place.number].sockets != 0 && all_[place.number].handle == place.through);
        --all_[place.number].sockets;
        if (place.number < first_with_room_) first_with_room_ = place.number;
    }

    /// The most bytes that the handles allocate for this many sockets; see memory_bound.hpp.
    [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t sockets) noexcept {
        return nothrow_vector<helper>::most_bytes(sockets / Sockets + 1);
    }

private:
    struct helper {
        HANDLE handle;
        std::size_t sockets;
    };

    io_error add(completion_port& port, std::uintptr_t mark) noexcept {
        unique_handle made;
        if (const io_error error = afd::open_helper(made)) return error;
        if (const io_error error = port.associate(made.get(), mark)) return error;
        if (!all_.push_back({made.get(), 0})) return {io_failure::no_memory, 0};
        static_cast<void>(made.release());
        return {};
    }

    nothrow_vector<helper> all_;
    std::size_t first_with_room_ = 0; ///< no handle before it has room
};

/// Each socket is its own place. An open socket belongs to the first port that it was associated with.
class afd_socket_handles {
public:
    /// Errors: other (ERROR_INVALID_PARAMETER: the socket belongs to a port already).
    io_error take(completion_port& port, std::uintptr_t mark, HANDLE socket, afd_place& place) noexcept {
        place = {socket, 0};
        return port.associate(socket, mark);
    }
    void give_back(const afd_place&) noexcept {}
    [[nodiscard]] static constexpr std::size_t most_bytes(std::size_t) noexcept { return 0; }
};

} // namespace tofu::inline TOFU_ABI::windows

#endif // TOFU_PLATFORM_WINDOWS_AFD_HANDLES_HPP
