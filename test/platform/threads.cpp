// SPDX-License-Identifier: BSL-1.0
// Tests of the library's own threads: the joined thread, and the detached threads.

#include "thread_name.hpp"

#include <tofu/platform/thread.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

using namespace tofu;
using tofu_test::name_of_this_thread;

namespace {

struct thread_notes {
    const platform::io_thread* thread = nullptr;
    bool current = false;
    std::optional<std::string> name;
};

void take_notes(void* context) noexcept {
    auto& notes = *static_cast<thread_notes*>(context);
    notes.current = notes.thread->is_current();
    notes.name = name_of_this_thread();
}

void expect_name(const std::optional<std::string>& found, const std::string& expected) {
    if (!found) BOOST_TEST_MESSAGE("this system does not tell the names of threads");
    if (found) BOOST_TEST(*found == expected);
}

} // namespace

BOOST_AUTO_TEST_SUITE(threads)

BOOST_AUTO_TEST_CASE(a_thread_has_a_name_of_at_most_15_characters_and_knows_itself) {
    platform::io_thread thread;
    BOOST_TEST(!thread.joinable());
    BOOST_TEST(!thread.is_current());
    thread_notes notes{.thread = &thread, .name = {}};
    BOOST_REQUIRE(!platform::io_thread::start(thread, "a-name-that-is-too-long", take_notes, &notes));
    BOOST_TEST(thread.joinable());
    BOOST_CHECK(platform::io_thread::start(thread, "second", take_notes, &notes).kind ==
                io_failure::other); // it has one
    BOOST_TEST(!thread.is_current());
    thread.join();
    BOOST_TEST(!thread.joinable());
    BOOST_TEST(!thread.is_current());
    BOOST_TEST(notes.current);
    expect_name(notes.name, "a-name-that-is-");
}

BOOST_AUTO_TEST_CASE(one_thread_is_not_another) {
    platform::io_thread first;
    platform::io_thread second;
    thread_notes notes{.thread = &first, .name = {}};
    BOOST_REQUIRE(!platform::io_thread::start(second, "second", take_notes, &notes));
    second.join();
    BOOST_TEST(!notes.current);
}

BOOST_AUTO_TEST_CASE(a_thread_can_be_started_again_and_is_joined_when_it_goes) {
    std::atomic<int> runs = 0;
    const auto count = [](void* context) noexcept { static_cast<std::atomic<int>*>(context)->fetch_add(1); };
    {
        platform::io_thread thread;
        BOOST_REQUIRE(!platform::io_thread::start(thread, nullptr, count, &runs));
        thread.join();
        BOOST_TEST(runs == 1);
        thread.join(); // of no effect
        BOOST_REQUIRE(!platform::io_thread::start(thread, "again", count, &runs));
    }
    BOOST_TEST(runs == 2);
}

namespace {

/// The results of detached threads. A thread writes them last, and does not use the ledger afterwards.
struct ledger {
    std::mutex mutex;
    std::condition_variable changed;
    int ended = 0;
    std::optional<std::string> name;
};

struct detached_job {
    static constexpr const char* thread_name = "tofu-detached";
    std::shared_ptr<ledger> book;

    void run() noexcept {
        const std::unique_ptr<detached_job> mine(this);
        const std::lock_guard lock(book->mutex);
        book->name = name_of_this_thread();
        ++book->ended;
        book->changed.notify_all();
    }
};

} // namespace

BOOST_AUTO_TEST_CASE(threads_nobody_waits_for_have_a_name_and_leave_nothing_behind) {
    constexpr int count = 200;
    const auto book = std::make_shared<ledger>();
    for (int started = 0; started < count; ++started) {
        const auto error = platform::detached_threads::start(*new detached_job{book});
        BOOST_REQUIRE(!error);
        if (started % 20 != 19) continue;
        std::unique_lock lock(book->mutex);
        BOOST_REQUIRE(book->changed.wait_for(lock, std::chrono::seconds(20), [&] { return book->ended > started; }));
    }
    expect_name(book->name, "tofu-detached");
}

BOOST_AUTO_TEST_SUITE_END()
