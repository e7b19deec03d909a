// SPDX-License-Identifier: BSL-1.0
// Tests for Windows only: its error numbers, Winsock's sessions, UTF-16, handles that are inherited, and the files of
// its Unix domain sockets. The rest is in platform_sockets.cpp.

#include "path_listeners.hpp"
#include "support/own_directory.hpp"
#include "support/socket_pairs.hpp"
#include "support/system.hpp"

#include <boost/test/unit_test.hpp>

#include <tofu/platform/unix_sockets.hpp>
#include <tofu/platform/windows/error.hpp>
#include <tofu/platform/windows/initial_rto.hpp>
#include <tofu/platform/windows/session.hpp>
#include <tofu/platform/windows/socket.hpp>
#include <tofu/platform/windows/temporary_directory.hpp>
#include <tofu/platform/windows/thread.hpp>
#include <tofu/platform/windows/utf8.hpp>
#include <tofu/stats.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace tofu;
using namespace tofu_test;
using windows::nt_status;
namespace nt_code = tofu::windows::nt_code;

namespace {

bool is_inherited(HANDLE handle) {
    DWORD flags = HANDLE_FLAG_INHERIT;
    BOOST_REQUIRE(::GetHandleInformation(handle, &flags) != 0);
    return (flags & HANDLE_FLAG_INHERIT) != 0;
}

bool is_inherited(const windows::socket& one) { return is_inherited(reinterpret_cast<HANDLE>(one.native_handle())); }

platform::endpoint path_at(const std::string& path) {
    platform::endpoint made;
    BOOST_REQUIRE(!platform::to_endpoint(uds_address{path}, true, made));
    return made;
}

windows::detail::wide_path wide(const std::string& path) {
    windows::detail::wide_path made;
    BOOST_REQUIRE(windows::detail::path_of(path_at(path), made));
    return made;
}

windows::detail::found_file found_at(const std::string& path) {
    windows::detail::found_file found;
    BOOST_REQUIRE(!windows::detail::inspect(wide(path), found));
    return found;
}

io_failure lock_at(const std::string& path) {
    windows::detail::start_lock lock;
    return lock.take(wide(path)).kind;
}

/// The rules about what is at the path hold before the socket matters, so one that cannot be bound there will do - and
/// is all that a system without Unix domain sockets has.
io_error listen_there(const std::string& path) {
    io_error error;
    const windows::socket_handle other = windows::detail::open_stream(AF_INET, error);
    BOOST_REQUIRE(!error);
    std::unique_ptr<windows::socket_file> file;
    error = windows::listen_at_path(other.get(), path_at(path), 1, file);
    BOOST_TEST((file == nullptr));
    return error;
}

void make_file(const std::filesystem::path& path) {
    std::ofstream(path) << "data";
    BOOST_REQUIRE(std::filesystem::exists(path));
}

template <class Task>
void in_eight_threads(Task task) {
    std::vector<std::thread> all;
    for (int count = 0; count < 8; ++count) all.emplace_back(task);
    for (std::thread& one : all) one.join();
}

/// "ä" in UTF-8, "ä€𝄞" in both.
constexpr std::string_view umlaut = "\xc3\xa4";
constexpr std::string_view one_of_each = "\xc3\xa4\xe2\x82\xac\xf0\x9d\x84\x9e";
constexpr std::wstring_view one_of_each_wide = L"\x00e4\x20ac\xd834\xdd1e";

} // namespace

BOOST_AUTO_TEST_SUITE(platform_windows)

// ---- error numbers ----

BOOST_AUTO_TEST_CASE(every_number_the_engine_acts_on_has_its_kind) {
    const std::vector<std::pair<int, io_failure>> table = {
        {0, io_failure::none},
        {WSAEWOULDBLOCK, io_failure::would_block},
        {WSAEINPROGRESS, io_failure::would_block},
        {WSAEALREADY, io_failure::would_block},
        {WSA_IO_PENDING, io_failure::would_block},
        {WSAEINTR, io_failure::interrupted},
        {WSAECONNREFUSED, io_failure::refused},
        {ERROR_CONNECTION_REFUSED, io_failure::refused},
        {WSAECONNRESET, io_failure::reset},
        {WSAECONNABORTED, io_failure::reset},
        {WSAENETRESET, io_failure::reset},
        {WSAENOTCONN, io_failure::reset},
        {WSAESHUTDOWN, io_failure::reset},
        {WSAEDISCON, io_failure::reset},
        {ERROR_NETNAME_DELETED, io_failure::reset},
        {ERROR_CONNECTION_ABORTED, io_failure::reset},
        {WSAETIMEDOUT, io_failure::timed_out},
        {ERROR_SEM_TIMEOUT, io_failure::timed_out},
        {WSAENETDOWN, io_failure::unreachable},
        {WSAENETUNREACH, io_failure::unreachable},
        {WSAEHOSTUNREACH, io_failure::unreachable},
        {WSAEHOSTDOWN, io_failure::unreachable},
        {WSAEADDRINUSE, io_failure::address_in_use},
        {ERROR_SHARING_VIOLATION, io_failure::address_in_use},
        {WSAEADDRNOTAVAIL, io_failure::address_not_available},
        {WSAEACCES, io_failure::permission_denied},
        {ERROR_ACCESS_DENIED, io_failure::permission_denied},
        {ERROR_FILE_NOT_FOUND, io_failure::path_not_found},
        {ERROR_PATH_NOT_FOUND, io_failure::path_not_found},
        {ERROR_DIRECTORY, io_failure::path_not_found},
        {WSAEMFILE, io_failure::no_descriptors},
        {ERROR_TOO_MANY_OPEN_FILES, io_failure::no_descriptors},
        {WSAENOBUFS, io_failure::no_memory},
        {WSA_NOT_ENOUGH_MEMORY, io_failure::no_memory},
        {ERROR_NO_SYSTEM_RESOURCES, io_failure::no_memory},
        {WSA_OPERATION_ABORTED, io_failure::aborted},
        {WSAEAFNOSUPPORT, io_failure::unsupported},
        {WSAEPROTONOSUPPORT, io_failure::unsupported},
        {WSAEOPNOTSUPP, io_failure::unsupported},
        {WSAVERNOTSUPPORTED, io_failure::unsupported},
        {WSAENOTSOCK, io_failure::other},
        {WSAEFAULT, io_failure::other},
        {WSA_INVALID_HANDLE, io_failure::other},
    };
    for (const auto& [code, kind] : table)
        BOOST_TEST((windows::from_wsa(code) == io_error{kind, code}), "number " << code);
    ::SetLastError(ERROR_ACCESS_DENIED);
    BOOST_CHECK((windows::last_error() == io_error{io_failure::permission_denied, ERROR_ACCESS_DENIED}));
    ::WSASetLastError(WSAECONNRESET);
    BOOST_CHECK((windows::last_error() == io_error{io_failure::reset, WSAECONNRESET}));
}

BOOST_AUTO_TEST_CASE(every_status_of_the_kernel_has_its_kind) {
    const std::vector<std::pair<nt_status, io_failure>> table = {
        {nt_code::success, io_failure::none},
        {nt_code::of(0x4000'0000), io_failure::none}, // news
        {nt_code::pending, io_failure::would_block},
        {nt_code::timeout, io_failure::timed_out},
        {nt_code::io_timeout, io_failure::timed_out},
        {nt_code::cancelled, io_failure::aborted},
        {nt_code::no_memory, io_failure::no_memory},
        {nt_code::insufficient_resources, io_failure::no_memory},
        {nt_code::quota_exceeded, io_failure::no_memory},
        {nt_code::commitment_limit, io_failure::no_memory},
        {nt_code::too_many_opened_files, io_failure::no_descriptors},
        {nt_code::access_denied, io_failure::permission_denied},
        {nt_code::connection_refused, io_failure::refused},
        {nt_code::connection_reset, io_failure::reset},
        {nt_code::connection_aborted, io_failure::reset},
        {nt_code::connection_disconnected, io_failure::reset},
        {nt_code::network_unreachable, io_failure::unreachable},
        {nt_code::host_unreachable, io_failure::unreachable},
        {nt_code::object_name_not_found, io_failure::unsupported},
        {nt_code::not_supported, io_failure::unsupported},
        {nt_code::invalid_handle, io_failure::other},
        {nt_code::invalid_parameter, io_failure::other},
        {nt_code::not_found, io_failure::other},
    };
    for (const auto& [code, kind] : table)
        BOOST_TEST((windows::from_ntstatus(code) == io_error{kind, static_cast<int>(code)}), "status " << code);
    BOOST_TEST(windows::from_ntstatus(nt_code::no_memory).os_code == static_cast<int>(0xC0000017U));
}

BOOST_AUTO_TEST_CASE(a_connection_lost_before_it_was_accepted_is_not_the_listeners_failure) {
    for (const int code : {WSAECONNRESET, WSAECONNABORTED, WSAENETRESET, WSAEHOSTUNREACH})
        BOOST_TEST(windows::detail::is_lost_connection(code));
    for (const int code : {WSAEWOULDBLOCK, WSAEMFILE, WSAENOBUFS, WSAEINTR, WSAENETDOWN, WSAENOTSOCK, WSAEINVAL})
        BOOST_TEST(!windows::detail::is_lost_connection(code));
}

// ---- sessions ----

BOOST_AUTO_TEST_CASE(a_session_can_be_moved_closed_and_opened_again) {
    windows::winsock_session one;
    BOOST_TEST(!one.is_open());
    BOOST_TEST(!one.open());
    BOOST_TEST(!one.open()); // is open already
    windows::winsock_session other = std::move(one);
    BOOST_TEST(!one.is_open()); // NOLINT: a moved-from session is closed
    BOOST_TEST(other.is_open());
    one = std::move(other);
    BOOST_TEST(one.is_open());
    BOOST_TEST(!other.is_open()); // NOLINT
    one.close();
    one.close();
    BOOST_TEST(!one.open());
    BOOST_TEST(one.is_open());
}

BOOST_AUTO_TEST_CASE(sessions_of_eight_threads_do_not_end_each_others_sockets) {
    std::atomic<int> failures = 0;
    in_eight_threads([&failures] {
        for (int round = 0; round < 100; ++round) {
            windows::winsock_session outer;
            failures += static_cast<bool>(outer.open());
            windows::winsock_session inner;
            failures += static_cast<bool>(inner.open());
            io_error error;
            const windows::socket_handle made = windows::detail::open_stream(AF_INET, error);
            failures += static_cast<bool>(error);
            inner.close();
            int kind = 0;
            int length = sizeof kind;
            failures += ::getsockopt(made.get(), SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&kind), &length) != 0;
        }
    });
    BOOST_TEST(failures == 0);
}

// ---- sockets ----

BOOST_AUTO_TEST_CASE(no_child_process_inherits_a_socket) {
    windows::socket listener = listen_at(endpoint_at("127.0.0.1"));
    const socket_pair pair = connect_pair(listener);
    BOOST_TEST(!is_inherited(listener));
    BOOST_TEST(!is_inherited(pair.client));
    BOOST_TEST(!is_inherited(pair.server));
}

BOOST_AUTO_TEST_CASE(a_listeners_port_can_not_be_taken_away) {
    const windows::socket listener = listen_at(endpoint_at("127.0.0.1"));
    BOOST_TEST(option_of(listener, SOL_SOCKET, SO_EXCLUSIVEADDRUSE) != 0);
    BOOST_TEST(option_of(listener, SOL_SOCKET, SO_REUSEADDR) == 0);
    io_error error;
    const windows::socket_handle thief = windows::detail::open_stream(AF_INET, error);
    BOOST_REQUIRE(!error);
    BOOST_REQUIRE(!windows::detail::set_option(thief.get(), SOL_SOCKET, SO_REUSEADDR, 1));
    const platform::endpoint where = listener.local_endpoint();
    BOOST_TEST(::bind(thief.get(), where.data(), where.length) != 0);
}

BOOST_AUTO_TEST_CASE(one_transfer_is_bounded_and_has_no_gap) {
    socket_pair pair = connect_pair();
    const std::vector<std::byte> first(windows::socket::max_transfer - 3, std::byte{'a'});
    const std::vector<std::byte> second(8, std::byte{'b'});
    const std::array out = {const_buffer{first.data(), first.size()}, const_buffer{second.data(), second.size()},
                            const_buffer{first.data(), first.size()}};
    const io_result sent = pair.client.write(out);
    BOOST_TEST(!sent.error);
    BOOST_TEST(sent.bytes <= windows::socket::max_transfer);
    std::size_t seen = 0;
    std::vector<std::byte> room(windows::socket::max_transfer + 1);
    while (seen < sent.bytes) {
        await(pair.server.native_handle(), POLLIN);
        const io_result got = read_into(pair.server, std::span(room).subspan(seen));
        BOOST_REQUIRE((!got.error && got.bytes != 0));
        seen += got.bytes;
    }
    BOOST_TEST(seen == sent.bytes);
    const auto turn = room.begin() + static_cast<std::ptrdiff_t>(std::min(seen, first.size()));
    const auto end = room.begin() + static_cast<std::ptrdiff_t>(seen);
    BOOST_TEST(std::all_of(room.begin(), turn, [](std::byte one) { return one == std::byte{'a'}; }));
    BOOST_TEST(std::all_of(turn, end, [](std::byte one) { return one == std::byte{'b'}; }));
}

BOOST_AUTO_TEST_CASE(a_module_that_is_held_stays_loaded) {
    const auto stays_after_its_end = [](auto what_happens_before) {
        const HMODULE module = ::LoadLibraryW(L"cabinet.dll"); // one that nothing here uses
        BOOST_REQUIRE(module != nullptr);
        what_happens_before(std::bit_cast<const void*>(::GetProcAddress(module, "FCICreate")));
        BOOST_REQUIRE(::FreeLibrary(module) != 0);
        return ::GetModuleHandleW(L"cabinet.dll") != nullptr;
    };
    BOOST_TEST(!stays_after_its_end([](const void*) {}));
    BOOST_TEST(stays_after_its_end([](const void* code) { windows::hold_module(code); }));
}

BOOST_AUTO_TEST_CASE(the_build_of_windows_is_asked_once) {
    BOOST_TEST(windows::detail::windows_build() == windows::detail::windows_build());
}

// ---- text and paths ----

BOOST_AUTO_TEST_CASE(text_survives_the_way_through_utf_16) {
    std::array<wchar_t, 4> wide_room{};
    BOOST_REQUIRE_EQUAL(windows::to_utf16(one_of_each, wide_room), 4U);
    BOOST_TEST((std::wstring_view(wide_room.data(), 4) == one_of_each_wide));
    std::array<char, 9> room{};
    BOOST_REQUIRE_EQUAL(windows::to_utf8(one_of_each_wide, room), 9U);
    BOOST_TEST(std::string_view(room.data(), 9) == one_of_each);
}

BOOST_AUTO_TEST_CASE(text_that_is_none_or_does_not_fit_gives_nothing) {
    std::array<wchar_t, 3> wide_room{};
    std::array<char, 8> room{};
    BOOST_TEST(windows::to_utf16("", wide_room) == 0U);
    BOOST_TEST(windows::to_utf16("\xc3", wide_room) == 0U);
    BOOST_TEST(windows::to_utf16("\xff", wide_room) == 0U);
    BOOST_TEST(windows::to_utf16(one_of_each, wide_room) == 0U);
    BOOST_TEST(windows::to_utf8(L"", room) == 0U);
    BOOST_TEST(windows::to_utf8(L"\xd834", room) == 0U);
    BOOST_TEST(windows::to_utf8(one_of_each_wide, room) == 0U);
}

BOOST_AUTO_TEST_CASE(the_temporary_directory_exists_and_is_utf_8) {
    const windows::path_text home = windows::temporary_directory();
    BOOST_REQUIRE(!home.view().empty());
    BOOST_TEST(home.view().back() == '\\');
    BOOST_TEST(std::filesystem::is_directory(std::filesystem::u8path(home.view())));

    std::array<wchar_t, MAX_PATH> before{};
    const DWORD length = ::GetEnvironmentVariableW(L"TMP", before.data(), MAX_PATH);
    BOOST_REQUIRE(::SetEnvironmentVariableW(L"TMP", L"C:\\\x00e4\x20ac") != 0);
    const windows::path_text other = windows::temporary_directory();
    BOOST_REQUIRE(::SetEnvironmentVariableW(L"TMP", length == 0 ? nullptr : before.data()) != 0);
    BOOST_TEST(other.view() == "C:\\\xc3\xa4\xe2\x82\xac\\");
}

BOOST_AUTO_TEST_CASE(a_path_becomes_a_full_path_in_utf_16_with_its_suffix) {
    const windows::detail::wide_path path = wide(std::string("C:\\").append(umlaut));
    BOOST_TEST((std::wstring_view(path.text) == L"C:\\\x00e4"));
    BOOST_TEST((std::wstring_view(windows::detail::lock_of(path).text) == L"C:\\\x00e4.tofu-lock"));

    const std::wstring longest(max_path_length, L'x');
    const std::wstring here = std::filesystem::current_path().wstring();
    const windows::detail::wide_path full = wide(std::string(max_path_length, 'x'));
    BOOST_TEST((full.text == here + (here.back() == L'\\' ? L"" : L"\\") + longest));
    BOOST_TEST(std::wstring_view(windows::detail::lock_of(full).text).ends_with(longest + L".tofu-lock"));

    windows::detail::wide_path none;
    BOOST_TEST(!windows::detail::path_of(path_at("C:\\\xff"), none));
    BOOST_CHECK(listen_there("C:\\\xff").kind == io_failure::other);
}

BOOST_AUTO_TEST_CASE(a_unix_socket_without_a_name_has_no_address) {
    platform::endpoint unnamed; // Windows gives the full length and zeros
    sockaddr_un raw{};
    raw.sun_family = AF_UNIX;
    unnamed = platform::detail::endpoint_of(raw);
    BOOST_CHECK(platform::to_address(unnamed).kind() == address_kind::none);
    BOOST_TEST(!platform::detail::is_path(unnamed));
    platform::endpoint named;
    BOOST_CHECK(platform::to_endpoint(uds_address{"@abstract"}, true, named).kind == io_failure::unsupported);
}

// ---- socket files ----

BOOST_AUTO_TEST_CASE(only_a_reparse_point_with_the_right_tag_is_a_socket) {
    using platform::at_path;
    using windows::detail::kind_of;
    constexpr DWORD socket_tag = 0x8000'0023;
    constexpr DWORD link_tag = IO_REPARSE_TAG_SYMLINK;
    BOOST_CHECK(kind_of(FILE_ATTRIBUTE_REPARSE_POINT, socket_tag) == at_path::socket);
    BOOST_CHECK(kind_of(FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_ARCHIVE, socket_tag) == at_path::socket);
    BOOST_CHECK(kind_of(FILE_ATTRIBUTE_REPARSE_POINT, link_tag) == at_path::something_else);
    BOOST_CHECK(kind_of(FILE_ATTRIBUTE_NORMAL, 0) == at_path::something_else);
    BOOST_CHECK(kind_of(FILE_ATTRIBUTE_NORMAL, socket_tag) == at_path::something_else);
}

BOOST_AUTO_TEST_CASE(what_is_at_a_path_is_told_apart) {
    const own_directory home;
    BOOST_CHECK(found_at(home.file("nothing")).kind == platform::at_path::nothing);
    BOOST_CHECK(found_at(home.file("no\\such\\thing")).kind == platform::at_path::nothing);
    make_file(home.path() / "file");
    BOOST_CHECK(found_at(home.file("file")).kind == platform::at_path::something_else);
    std::filesystem::create_directory(home.path() / "directory");
    BOOST_CHECK(found_at(home.file("directory")).kind == platform::at_path::something_else);
}

BOOST_AUTO_TEST_CASE(a_file_is_known_again_and_not_taken_for_another) {
    const own_directory home;
    make_file(home.path() / "one");
    make_file(home.path() / "two");
    BOOST_CHECK(found_at(home.file("one")).identity == found_at(home.file("one")).identity);
    BOOST_CHECK(found_at(home.file("one")).identity != found_at(home.file("two")).identity);
}

BOOST_AUTO_TEST_CASE(what_is_no_socket_is_never_removed) {
    const own_directory home;
    make_file(home.path() / "precious");
    const io_error error = listen_there(home.file("precious"));
    BOOST_CHECK((error == io_error{io_failure::address_in_use, WSAEADDRINUSE}));
    std::filesystem::create_directory(home.path() / "directory");
    BOOST_CHECK(listen_there(home.file("directory")).kind == io_failure::address_in_use);
    BOOST_TEST(home.files() == 2U); // and no lock file
}

BOOST_AUTO_TEST_CASE(a_bind_that_fails_for_another_reason_says_which_and_leaves_nothing) {
    const own_directory home;
    const io_error error = listen_there(home.file());
    BOOST_TEST(static_cast<bool>(error));
    BOOST_TEST((error.kind != io_failure::address_in_use));
    BOOST_TEST(home.files() == 0U);
    BOOST_CHECK(listen_there(home.file("no\\such\\socket")).kind == io_failure::path_not_found);
    make_file(home.path() / "file");
    BOOST_CHECK(listen_there(home.file("file\\socket")).kind == io_failure::path_not_found);
}

BOOST_AUTO_TEST_CASE(a_start_lock_is_one_starters_alone_and_leaves_no_file) {
    const own_directory home;
    const std::string path = home.file("").append(umlaut);
    {
        windows::detail::start_lock lock;
        BOOST_TEST(!lock.take(wide(path)));
        BOOST_TEST(std::filesystem::exists(home.path() / L"\x00e4.tofu-lock"));
        BOOST_CHECK(lock_at(path) == io_failure::address_in_use);
        BOOST_CHECK(listen_there(path).kind == io_failure::address_in_use);
        BOOST_CHECK(lock_at(home.file("another")) == io_failure::none);
    }
    BOOST_TEST(home.files() == 0U);
    // A lock file that nobody holds is no obstacle, and goes.
    make_file(home.path() / L"\x00e4.tofu-lock");
    BOOST_CHECK(lock_at(path) == io_failure::none);
    BOOST_TEST(home.files() == 0U);
    BOOST_CHECK(lock_at(home.file("no\\such\\socket")) == io_failure::path_not_found);
}

BOOST_AUTO_TEST_CASE(of_eight_who_want_a_start_lock_at_once_never_two_have_it) {
    const own_directory home;
    const windows::detail::wide_path at = wide(home.file());
    std::atomic<int> holders = 0;
    std::atomic<int> crowds = 0;
    std::atomic<int> taken = 0;
    std::atomic<int> surprises = 0;
    in_eight_threads([&] {
        for (int round = 0; round < 50; ++round) {
            windows::detail::start_lock lock;
            const io_error error = lock.take(at);
            if (error) {
                surprises += error.kind != io_failure::address_in_use;
                continue;
            }
            ++taken;
            crowds += holders.fetch_add(1) != 0;
            std::this_thread::yield();
            holders.fetch_sub(1);
        }
    });
    BOOST_TEST(crowds == 0);
    BOOST_TEST(surprises == 0);
    BOOST_TEST(taken > 0);
    BOOST_TEST(home.files() == 0U);
}

namespace {

/// Owns what is at the path now, as a listener that has just made it does.
std::unique_ptr<windows::socket_file> owner_of(const std::string& path) {
    std::unique_ptr<windows::socket_file> owner;
    BOOST_REQUIRE(!windows::socket_file::prepare(wide(path), owner));
    BOOST_REQUIRE(!owner->note());
    return owner;
}

} // namespace

BOOST_AUTO_TEST_CASE(only_ones_own_file_is_removed) {
    const own_directory home;
    std::unique_ptr<windows::socket_file> mine;
    BOOST_REQUIRE(!windows::socket_file::prepare(wide(home.file()), mine));
    BOOST_CHECK(mine->note().kind == io_failure::path_not_found);

    make_file(home.path() / "socket");
    mine = owner_of(home.file());
    mine.reset();
    BOOST_TEST(home.files() == 0U);

    make_file(home.path() / "socket");
    mine = owner_of(home.file());
    std::filesystem::rename(home.path() / "socket", home.path() / "moved");
    make_file(home.path() / "socket"); // by somebody else
    mine.reset();
    BOOST_TEST(home.files() == 2U);

    mine = owner_of(home.file());
    std::filesystem::remove(home.path() / "socket");
    mine.reset(); // that it is gone already is no trouble
    BOOST_TEST(home.files() == 1U);
}

BOOST_AUTO_TEST_CASE(a_file_that_was_never_made_is_not_removed) {
    const own_directory home;
    std::unique_ptr<windows::socket_file> none;
    BOOST_REQUIRE(!windows::socket_file::prepare(wide(home.file()), none));
    make_file(home.path() / "socket");
    none.reset();
    BOOST_TEST(home.files() == 1U);
}

BOOST_AUTO_TEST_CASE(the_file_of_a_relative_path_is_removed_from_another_working_directory) {
    const own_directory home;
    const own_directory elsewhere;
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(home.path());
    make_file("socket");
    std::unique_ptr<windows::socket_file> mine = owner_of("socket");
    std::filesystem::current_path(elsewhere.path());
    make_file("socket");
    mine.reset();
    std::filesystem::current_path(before);
    BOOST_TEST(home.files() == 0U);
    BOOST_TEST(elsewhere.files() == 1U);
}

BOOST_AUTO_TEST_CASE(a_connect_to_nothing_says_that_there_is_nothing) {
    const own_directory home;
    const io_error refused = windows::from_wsa(WSAECONNREFUSED);
    const auto with_file = windows::detail::connect_error_at(path_at(home.file()), refused);
    BOOST_CHECK((with_file == io_error{io_failure::path_not_found, WSAECONNREFUSED}));
    make_file(home.path() / "socket");
    BOOST_CHECK(windows::detail::connect_error_at(path_at(home.file()), refused) == refused);
}

BOOST_AUTO_TEST_CASE(a_listener_whose_backlog_is_full_is_not_taken_for_dead, *needs_uds()) {
    const own_directory home;
    io_error error;
    const windows::socket listener = windows::socket::listen(at(home.address()), {}, 1, error);
    BOOST_REQUIRE(!error);
    std::vector<windows::socket> waiting;
    while (!error && waiting.size() < 100U) waiting.push_back(windows::socket::connect(at(home.address()), {}, error));
    BOOST_TEST(failure_of_listen(home.address()) == io_failure::address_in_use);
    BOOST_TEST(home.files() == 1U);
}

BOOST_AUTO_TEST_CASE(the_system_says_which_process_the_peer_is, *needs_uds()) {
    const own_directory home;
    windows::socket listener = listener_at(home.address());
    const socket_pair pair = connect_pair(listener);
    BOOST_TEST(pair.client.peer_identity().process == static_cast<std::int64_t>(::GetCurrentProcessId()));
    BOOST_CHECK(connect_pair().server.peer_identity() == peer_credentials{}); // TCP
}

BOOST_AUTO_TEST_CASE(whether_there_are_unix_sockets_is_answered_alike_by_every_thread) {
    std::atomic<int> yes = 0;
    in_eight_threads([&yes] { yes += platform::has_unix_sockets(); });
    BOOST_TEST((yes == 0 || yes == 8));
    BOOST_TEST(platform::has_unix_sockets() == (yes == 8));
    io_error error;
    const bool family = windows::detail::open_stream(AF_UNIX, error).is_open();
    BOOST_TEST((family || yes == 0));
    if (yes == 0) BOOST_TEST_MESSAGE("no Unix domain sockets here");
}

BOOST_AUTO_TEST_SUITE_END()
