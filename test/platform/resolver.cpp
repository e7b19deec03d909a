// SPDX-License-Identifier: BSL-1.0
// Tests of the resolver, which finds addresses on threads of its own: the system's answers, and the threads' lifetime.

#include "support/gated_names.hpp"
#include "support/scarce_memory.hpp"
#include "thread_name.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstddef>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace tofu;
using namespace tofu_test;

namespace {

constexpr auto patience = std::chrono::seconds(20);

/// The answers to the questions of one test. Any thread; outlives the questions.
class answer_sheet {
public:
    struct entry {
        std::string host;
        std::vector<std::string> found; // as text
        io_error error;
        std::thread::id by;
    };

    ~answer_sheet() { BOOST_TEST(alive_ == 0U, "questions are left over"); }

    /// The answers, when there are `count` of them.
    std::vector<entry> await(std::size_t count) {
        std::unique_lock lock(mutex_);
        BOOST_REQUIRE(changed_.wait_for(lock, patience, [&] { return alive_ == 0 && entries_.size() >= count; }));
        BOOST_TEST(entries_.size() == count);
        return entries_;
    }
    [[nodiscard]] std::vector<entry> now() {
        const std::lock_guard lock(mutex_);
        return entries_;
    }
    /// Questions that are neither answered nor dropped.
    [[nodiscard]] std::size_t alive() {
        const std::lock_guard lock(mutex_);
        return alive_;
    }

    void note(entry one) {
        const std::lock_guard lock(mutex_);
        entries_.push_back(std::move(one));
        changed_.notify_all();
    }
    void count(bool made) {
        const std::lock_guard lock(mutex_);
        alive_ += made ? 1U : 0U;
        alive_ -= made ? 0U : 1U;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<entry> entries_;
    std::size_t alive_ = 0;
};

using interest_flag = std::shared_ptr<std::atomic<bool>>;

/// A Resolution (see platform::network) that writes its answer down.
class asking {
public:
    asking(answer_sheet& sheet, std::string host, interest_flag wanted = nullptr, bool for_listening = false)
        : sheet_(&sheet), host_(std::move(host)), wanted_(std::move(wanted)), for_listening_(for_listening) {
        sheet.count(true);
    }
    asking(asking&& other) noexcept
        : sheet_(std::exchange(other.sheet_, nullptr))
        , host_(std::move(other.host_))
        , wanted_(std::move(other.wanted_))
        , for_listening_(other.for_listening_) {}
    asking& operator=(asking&&) = delete;
    ~asking() {
        if (sheet_ != nullptr) sheet_->count(false);
    }

    [[nodiscard]] std::string_view host() const noexcept { return host_; }
    [[nodiscard]] std::uint16_t port() const noexcept { return 7099; }
    [[nodiscard]] bool for_listening() const noexcept { return for_listening_; }
    [[nodiscard]] bool still_wanted() const noexcept { return !wanted_ || *wanted_; }
    void complete(std::span<const platform::endpoint> found, io_error error) noexcept {
        std::vector<std::string> texts;
        for (const platform::endpoint& one : found) texts.emplace_back(to_text(platform::to_address(one)).view());
        sheet_->note({host_, std::move(texts), error, std::this_thread::get_id()});
    }

private:
    answer_sheet* sheet_;
    std::string host_;
    interest_flag wanted_;
    bool for_listening_;
};

/// Starts at most as many threads as it is told, and knows when they have ended. One test at a time.
struct watched_threads {
    struct ledger {
        std::mutex mutex;
        std::condition_variable changed;
        std::size_t allowed = 1000;
        std::size_t started = 0;
        std::size_t running = 0;
    };
    static inline std::shared_ptr<ledger> current;

    template <class Job>
    struct counted_job {
        static constexpr const char* thread_name = Job::thread_name;
        Job& job;
        std::shared_ptr<ledger> book;

        void run() noexcept {
            const std::unique_ptr<counted_job> mine(this);
            job.run();
            const std::lock_guard lock(book->mutex);
            --book->running;
            book->changed.notify_all();
        }
    };

    template <class Job>
    [[nodiscard]] static io_error start(Job& job) noexcept {
        const std::lock_guard lock(current->mutex);
        if (current->started == current->allowed) return {io_failure::no_memory, EAGAIN};
        ++current->started;
        ++current->running;
        return platform::detached_threads::start(*new counted_job<Job>{job, current});
    }
};

/// The session that each thread holds while it runs: counted, and refused when a test says so. One test at a time.
struct watched_session {
    static inline std::atomic<int> opened = 0;
    static inline std::atomic<int> held = 0;
    static inline std::atomic<bool> refused = false;

    watched_session() noexcept = default;
    watched_session(const watched_session&) = delete;
    watched_session& operator=(const watched_session&) = delete;
    ~watched_session() { held -= is_open ? 1 : 0; }

    [[nodiscard]] io_error open() noexcept {
        if (refused) return {io_failure::unsupported, 10092};
        is_open = true;
        ++opened;
        ++held;
        return system.open();
    }

    bool is_open = false;
    platform::network_session system;
};

/// A book of names, threads that are counted, and a place for the answers.
struct watched {
    using resolver_type = platform::basic_threaded_resolver<book_names, watched_threads, watched_session>;

    watched() {
        watched_threads::current = threads;
        watched_session::opened = 0;
        watched_session::refused = false;
    }
    ~watched() {
        book->release_all();
        await_no_threads();
        BOOST_TEST(watched_session::held == 0);
        BOOST_TEST(sheet.alive() == 0U);
    }

    void await_no_threads() {
        std::unique_lock lock(threads->mutex);
        BOOST_TEST(threads->changed.wait_for(lock, patience, [&] { return threads->running == 0; }));
    }
    std::size_t started() {
        const std::lock_guard lock(threads->mutex);
        return threads->started;
    }
    void allow(std::size_t count) {
        const std::lock_guard lock(threads->mutex);
        threads->allowed = count;
    }
    void ask(const std::string& host, interest_flag wanted = nullptr) {
        resolver->resolve(asking(sheet, host, std::move(wanted)));
    }
    /// As many names as there may be threads, each on one of them, until they are released.
    void occupy_all_threads() {
        for (const char* const slow : {"slow.1", "slow.2", "slow.3", "slow.4"}) {
            book->hold(slow);
            book->write(slow, {tcp_address{"127.0.0.1", 1}});
            ask(slow);
        }
        book->await_asked(4);
    }

    answer_sheet sheet;
    open_book book;
    std::shared_ptr<watched_threads::ledger> threads = std::make_shared<watched_threads::ledger>();
    std::optional<resolver_type> resolver{std::in_place, book.names()};
};

bool is_loopback(const std::string& text) { return text == "tcp|127.0.0.1|7099" || text == "tcp|::1|7099"; }

template <class Raw>
addrinfo result_of(int family, Raw& raw, addrinfo* next) {
    addrinfo made{};
    made.ai_family = family;
    made.ai_addr = reinterpret_cast<sockaddr*>(&raw);
    made.ai_addrlen = sizeof raw;
    made.ai_next = next;
    return made;
}

sockaddr_in6 v6(const char* text, std::uint32_t scope = 0) {
    sockaddr_in6 raw{};
    raw.sin6_family = AF_INET6;
    raw.sin6_scope_id = scope;
    BOOST_REQUIRE(::inet_pton(AF_INET6, text, &raw.sin6_addr) == 1);
    return raw;
}

} // namespace

BOOST_AUTO_TEST_SUITE(resolver)

// ---- what the system says ----

BOOST_AUTO_TEST_CASE(localhost_is_found_on_another_thread_with_the_port_that_was_asked_for) {
    for (const bool for_listening : {false, true}) {
        answer_sheet sheet;
        platform::network<> network;
        network.resolve(asking(sheet, "localhost", nullptr, for_listening));
        const auto answers = sheet.await(1);
        BOOST_TEST(!answers[0].error);
        BOOST_REQUIRE(!answers[0].found.empty());
        for (const std::string& one : answers[0].found) BOOST_TEST(is_loopback(one), one);
        BOOST_TEST((answers[0].by != std::this_thread::get_id()));
    }
}

BOOST_AUTO_TEST_CASE(a_name_that_cannot_exist_is_not_found) {
    answer_sheet sheet;
    platform::network<> network;
    network.resolve(
        asking(sheet, std::string(64, 'x'))); // a label has 63 characters at most (RFC 1035): nobody is asked
    const auto answers = sheet.await(1);
    BOOST_TEST(answers[0].found.empty());
    BOOST_CHECK(answers[0].error.kind == io_failure::name_not_found);
    BOOST_TEST(answers[0].error.os_code != 0);
}

BOOST_AUTO_TEST_CASE(a_name_longer_than_any_is_not_even_asked_for) {
    name_book::found_type found;
    const io_error error = platform::system_names{}(std::string(max_host_length + 1, 'x'), 1, false, found);
    BOOST_CHECK((error == io_error{io_failure::name_not_found, EAI_NONAME}));
    BOOST_TEST(found.empty());
}

BOOST_AUTO_TEST_CASE(no_name_at_all_is_not_found) {
    name_book::found_type found;
    platform::network_session session;
    BOOST_REQUIRE(!session.open());
    BOOST_CHECK((platform::system_names{}("", 1, false, found) == io_error{io_failure::name_not_found, EAI_NONAME}));
#if defined(_WIN32) // elsewhere a name is bytes, and somebody would be asked
    BOOST_CHECK((platform::system_names{}("\xff\xfe", 1, false, found) ==
                 io_error{io_failure::name_not_found, WSAHOST_NOT_FOUND}));
#endif
    BOOST_TEST(found.empty());
}

BOOST_AUTO_TEST_CASE(what_the_system_says_about_a_name_has_a_kind) {
#if defined(_WIN32) // there, all errors of the system are codes of one kind
    const auto kind_of = [](int code) { return windows::detail::lookup_error(code); };
    BOOST_CHECK((kind_of(WSANOTINITIALISED) == io_error{io_failure::other, WSANOTINITIALISED}));
    BOOST_CHECK((kind_of(WSANO_DATA) == io_error{io_failure::name_not_found, WSANO_DATA}));
#else
    const auto kind_of = [](int code, int system_code = EIO) { return posix::detail::lookup_error(code, system_code); };
    BOOST_CHECK((kind_of(EAI_SYSTEM, EMFILE) == io_error{io_failure::no_descriptors, EMFILE}));
#endif
    BOOST_CHECK(!kind_of(0)); // errno means nothing then
    BOOST_CHECK((kind_of(EAI_MEMORY) == io_error{io_failure::no_memory, EAI_MEMORY}));
    for (const int code : {EAI_NONAME, EAI_AGAIN, EAI_FAIL, EAI_FAMILY, EAI_SERVICE})
        BOOST_CHECK((kind_of(code) == io_error{io_failure::name_not_found, code}));
}

BOOST_AUTO_TEST_CASE(every_address_of_a_name_counts_once_and_in_its_order) {
    sockaddr_in6 global = v6("2001:db8::1");
    sockaddr_in6 link_local = v6("fe80::1", 7);
    sockaddr_in6 mapped = v6("::ffff:192.0.2.1");
    sockaddr_in plain{};
    plain.sin_family = AF_INET;
    plain.sin_addr.s_addr = htonl(0xC000'0201);
    sockaddr_un path{};
    path.sun_family = AF_UNIX;
    addrinfo sixth = result_of(AF_INET6, link_local, nullptr);
    addrinfo fifth = result_of(AF_INET6, global, &sixth);
    addrinfo fourth = result_of(AF_INET, plain, &fifth);
    addrinfo third = result_of(AF_INET6, mapped, &fourth);
    addrinfo second = result_of(AF_UNIX, path, &third);
    const addrinfo first = result_of(AF_INET6, global, &second);
    name_book::found_type found;
    BOOST_TEST(!platform::detail::collect_results(&first, 80, found));
    std::vector<std::string> texts;
    for (const auto& one : found) texts.emplace_back(to_text(platform::to_address(one)).view());
    const std::vector<std::string> expected{"tcp|2001:db8::1|80", "tcp|192.0.2.1|80", "tcp|fe80::1%7|80"};
    BOOST_TEST(texts == expected, boost::test_tools::per_element());

    name_book::found_type none;
    const scarce_memory scarce(0);
    BOOST_CHECK(platform::detail::collect_results(&first, 80, none).kind == io_failure::no_memory);
}

// ---- look-ups and their answers ----

BOOST_FIXTURE_TEST_CASE(a_look_up_has_the_last_word, watched) {
    book->write("nobody", {});
    book->write("twins", {tcp_address{"127.0.0.2", 2}, tcp_address{"127.0.0.1", 1}});
    ask("nobody");
    BOOST_CHECK((sheet.await(1)[0].error == io_error{io_failure::name_not_found, 0}));
    ask("twins");
    const auto answers = sheet.await(2);
    BOOST_TEST(!answers[1].error);
    const std::vector<std::string> expected{"tcp|127.0.0.2|2", "tcp|127.0.0.1|1"};
    BOOST_TEST(answers[1].found == expected, boost::test_tools::per_element());
}

namespace {

/// Notes on which kind of thread it was called, and fails.
struct noting_lookup {
    std::optional<std::string>* name = nullptr;
    io_error operator()(std::string_view, std::uint16_t, bool, name_book::found_type& found) const noexcept {
        *name = name_of_this_thread();
        static_cast<void>(found.push_back({})); // of no use beside an error
        return {io_failure::unreachable, 123};
    }
};

} // namespace

BOOST_AUTO_TEST_CASE(the_threads_have_a_name) {
    answer_sheet sheet;
    std::optional<std::string> name;
    platform::basic_threaded_resolver<noting_lookup> resolver(noting_lookup{&name});
    resolver.resolve(asking(sheet, "a.name"));
    const auto answers = sheet.await(1);
    BOOST_CHECK((answers[0].error == io_error{io_failure::unreachable, 123}));
    BOOST_TEST(answers[0].found.empty());
    if (name)
        BOOST_TEST(*name == "tofu-names");
    else
        BOOST_TEST_MESSAGE("this system does not tell the names of threads");
}

// ---- threads ----

BOOST_FIXTURE_TEST_CASE(there_are_at_most_four_threads_and_the_fifth_name_waits_for_one, watched) {
    occupy_all_threads();
    for (const char* const quick : {"quick.1", "quick.2", "quick.3"}) {
        book->write(quick, {tcp_address{"127.0.0.1", 1}});
        ask(quick);
    }
    BOOST_TEST(started() == 4U);
    BOOST_TEST(book->asked().size() == 4U);
    BOOST_TEST(sheet.now().empty());
    book->release("slow.3"); // its thread serves all that wait, in their order
    book->await_asked(7);
    const std::vector<std::string> names = book->asked();
    const std::vector<std::string> last(names.begin() + 4, names.end());
    const std::vector<std::string> expected{"quick.1", "quick.2", "quick.3"};
    BOOST_TEST(last == expected, boost::test_tools::per_element());
    book->release_all();
    const auto answers = sheet.await(7);
    for (const auto& one : answers) BOOST_TEST(!one.error);
    BOOST_TEST(started() == 4U);
}

BOOST_FIXTURE_TEST_CASE(threads_end_when_nothing_is_left_and_come_again, watched) {
    book->write("a.name", {tcp_address{"127.0.0.1", 1}});
    BOOST_TEST(started() == 0U);
    for (std::size_t round = 1; round <= 3; ++round) {
        ask("a.name");
        sheet.await(round);
        await_no_threads();
        BOOST_TEST(started() == round);
    }
}

BOOST_FIXTURE_TEST_CASE(many_names_are_each_answered_once, watched) {
    constexpr std::size_t count = 500;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string name = "name." + std::to_string(i);
        book->write(name, {tcp_address{"127.0.0.1", static_cast<std::uint16_t>(i + 1)}});
        ask(name);
    }
    std::vector<bool> answered(count);
    for (const auto& one : sheet.await(count)) {
        const std::size_t which = std::stoul(one.host.substr(5));
        BOOST_TEST(!answered[which]);
        answered[which] = true;
        BOOST_REQUIRE(one.found.size() == 1U);
        BOOST_TEST(one.found[0] == "tcp|127.0.0.1|" + std::to_string(which + 1));
    }
}

BOOST_FIXTURE_TEST_CASE(a_copy_has_threads_of_its_own, watched) {
    occupy_all_threads();
    book->write("quick", {tcp_address{"127.0.0.1", 1}});
    {
        resolver_type copy(*resolver);
        copy.resolve(asking(sheet, "quick"));
        book->await_asked(5);
    }
    BOOST_TEST(started() == 5U);
    book->release_all();
    sheet.await(5);
}

// ---- what the threads hold ----

BOOST_FIXTURE_TEST_CASE(each_thread_holds_one_session_while_it_runs, watched) {
    BOOST_TEST(watched_session::opened == 0);
    occupy_all_threads();
    BOOST_TEST(watched_session::held == 4);
    ask("slow.1");
    book->release_all();
    sheet.await(5);
    await_no_threads();
    BOOST_TEST(watched_session::held == 0);
    BOOST_TEST(watched_session::opened == 4);
}

BOOST_FIXTURE_TEST_CASE(without_a_session_the_answer_says_why_and_nobody_is_asked, watched) {
    watched_session::refused = true;
    book->write("a.name", {tcp_address{"127.0.0.1", 1}});
    ask("a.name");
    const auto answers = sheet.await(1);
    BOOST_CHECK((answers[0].error == io_error{io_failure::unsupported, 10092}));
    BOOST_TEST((answers[0].by != std::this_thread::get_id()));
    BOOST_TEST(book->asked().empty());
    await_no_threads();
    watched_session::refused = false;
    ask("a.name");
    BOOST_TEST(!sheet.await(2)[1].error);
}

// ---- names nobody waits for ----

BOOST_FIXTURE_TEST_CASE(a_name_nobody_wants_any_more_is_not_looked_up, watched) {
    occupy_all_threads();
    book->write("wanted", {tcp_address{"127.0.0.1", 1}});
    const auto wanted = std::make_shared<std::atomic<bool>>(true);
    ask("given.up", wanted);
    ask("wanted");
    *wanted = false;
    book->release_all();
    for (const auto& one : sheet.await(6)) BOOST_TEST(static_cast<bool>(one.error) == (one.host == "given.up"));
    const std::vector<std::string> names = book->asked();
    BOOST_TEST(names.size() == 5U);
    BOOST_TEST(names.back() == "wanted");
}

BOOST_FIXTURE_TEST_CASE(a_name_that_was_never_wanted_costs_no_thread, watched) {
    ask("a.name", std::make_shared<std::atomic<bool>>(false));
    BOOST_TEST((sheet.await(1)[0].by == std::this_thread::get_id()));
    BOOST_TEST(started() == 0U);
    BOOST_TEST(book->asked().empty());
}

BOOST_FIXTURE_TEST_CASE(names_nobody_wants_do_not_pile_up, watched) {
    constexpr std::size_t kept = platform::lookup_threads<>::always_kept;
    occupy_all_threads();
    book->write("wanted", {tcp_address{"127.0.0.1", 1}});
    std::size_t still_wanted = 0;
    for (int i = 0; i < 2000; ++i) {
        const auto wanted = std::make_shared<std::atomic<bool>>(true);
        ask("given.up", wanted);
        *wanted = false;
        if (i % 20 != 0) continue;
        ask("wanted");
        ++still_wanted;
        BOOST_TEST(sheet.alive() <= 4 + std::max(kept, 2 * still_wanted));
    }
    BOOST_TEST(started() == 4U);
    book->release_all();
    std::size_t found = 0;
    for (const auto& one : sheet.await(4 + 2000 + still_wanted)) found += one.error ? 0U : 1U;
    BOOST_TEST(found == 4 + still_wanted);
}

// ---- a system that has no threads left ----

BOOST_FIXTURE_TEST_CASE(without_any_thread_the_answer_is_that_there_is_no_memory, watched) {
    book->write("a.name", {tcp_address{"127.0.0.1", 1}});
    allow(0);
    ask("a.name");
    ask("a.name");
    const auto answers = sheet.await(2);
    for (const auto& one : answers) {
        BOOST_CHECK((one.error == io_error{io_failure::no_memory, EAGAIN}));
        BOOST_TEST((one.by == std::this_thread::get_id()));
    }
    BOOST_TEST(book->asked().empty());
    allow(1);
    ask("a.name");
    BOOST_TEST(!sheet.await(3)[2].error);
}

BOOST_FIXTURE_TEST_CASE(without_memory_a_name_is_answered_at_once, watched) {
    book->write("a.name", {tcp_address{"127.0.0.1", 1}});
    std::size_t refusals = 0;
    with_each_refusal(
        [this] {
            ask("a.name");
            return true;
        },
        [&](bool) {
            const auto answers = sheet.now();
            BOOST_REQUIRE(answers.size() == ++refusals);
            BOOST_CHECK((answers.back().error == io_error{io_failure::no_memory, 0}));
            BOOST_TEST((answers.back().by == std::this_thread::get_id()));
            BOOST_TEST(sheet.alive() == 0U);
        });
    BOOST_TEST(refusals == 2U); // the queue, which stays, and the question
    BOOST_TEST(!sheet.await(3)[2].error);
}

BOOST_FIXTURE_TEST_CASE(one_thread_serves_all_when_there_are_no_more, watched) {
    allow(1);
    book->hold("slow");
    book->write("slow", {tcp_address{"127.0.0.1", 1}});
    book->write("quick", {tcp_address{"127.0.0.1", 1}});
    ask("slow");
    book->await_asked(1);
    for (int i = 0; i < 5; ++i) ask("quick");
    BOOST_TEST(sheet.now().empty());
    book->release_all();
    for (const auto& one : sheet.await(6)) BOOST_TEST(!one.error);
    BOOST_TEST(started() == 1U);
}

// ---- the end ----

BOOST_FIXTURE_TEST_CASE(a_resolver_goes_at_once_and_its_answers_come_all_the_same, watched) {
    occupy_all_threads();
    book->write("waiting", {tcp_address{"127.0.0.1", 1}});
    ask("waiting");
    resolver.reset(); // returns, though nobody has released anything
    BOOST_TEST(sheet.now().empty());
    BOOST_TEST(book->asked().size() == 4U);
    book->release_all();
    for (const auto& one : sheet.await(5)) BOOST_TEST(!one.error);
    book->await_end();
}

BOOST_FIXTURE_TEST_CASE(a_resolver_that_moves_takes_its_threads_along, watched) {
    occupy_all_threads();
    resolver_type moved(std::move(*resolver));
    resolver.reset();
    book->write("waiting", {tcp_address{"127.0.0.1", 1}});
    moved.resolve(asking(sheet, "waiting"));
    BOOST_TEST(started() == 4U);
    book->release_all();
    for (const auto& one : sheet.await(5)) BOOST_TEST(!one.error);
}

BOOST_AUTO_TEST_SUITE_END()
