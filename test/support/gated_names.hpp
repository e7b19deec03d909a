// SPDX-License-Identifier: BSL-1.0
// Look-ups for the resolver's own threads. A test decides their results, and can hold each look-up for any time.
#ifndef TOFU_TEST_SUPPORT_GATED_NAMES_HPP
#define TOFU_TEST_SUPPORT_GATED_NAMES_HPP

#include <tofu/platform/network.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tofu_test {

/// The results of a test's look-ups, and the names whose look-ups must wait. Any thread; kept alive by its look-ups.
class name_book {
public:
    using endpoint = tofu::platform::network<>::endpoint;
    using found_type = tofu::nothrow_vector<endpoint>;

    /// From now on `name` has these addresses, literals with their ports; none is an unknown name.
    void write(const std::string& name, const std::vector<tofu::address>& addresses) {
        std::vector<endpoint> found;
        for (const tofu::address& one : addresses)
            BOOST_REQUIRE(!tofu::platform::to_endpoint(one, false, found.emplace_back()));
        const std::lock_guard lock(mutex_);
        known_[name] = std::move(found);
    }
    /// From now on every look-up of `name` waits.
    void hold(const std::string& name) {
        const std::lock_guard lock(mutex_);
        held_.insert(name);
    }
    void release(const std::string& name) {
        const std::lock_guard lock(mutex_);
        held_.erase(name);
        changed_.notify_all();
    }
    void release_all() {
        const std::lock_guard lock(mutex_);
        held_.clear();
        changed_.notify_all();
    }

    /// The names whose look-up has begun, in that order.
    [[nodiscard]] std::vector<std::string> asked() {
        const std::lock_guard lock(mutex_);
        return asked_;
    }
    /// Waits until `count` look-ups have begun.
    void await_asked(std::size_t count) {
        await([&] { return asked_.size() >= count; });
    }
    /// Waits until the last copy of every look-up of this book is gone, together with its owner.
    void await_end() {
        await([&] { return copies_ == 0; });
    }

    // A look-up's side.

    tofu::io_error look_up(std::string_view host, std::uint16_t port, bool for_listening, found_type& found) {
        const std::string name(host);
        std::unique_lock lock(mutex_);
        asked_.push_back(name);
        changed_.notify_all();
        changed_.wait(lock, [&] { return held_.count(name) == 0; });
        const auto entry = known_.find(name);
        if (entry == known_.end()) {
            lock.unlock();
            return tofu::platform::system_names{}(host, port, for_listening, found);
        }
        for (const endpoint& one : entry->second)
            if (!found.push_back(one)) return {tofu::io_failure::no_memory, 0};
        return {};
    }
    void count_copy(bool made) {
        const std::lock_guard lock(mutex_);
        copies_ += made ? 1U : 0U;
        copies_ -= made ? 0U : 1U;
        changed_.notify_all();
    }

private:
    template <class Ready>
    void await(Ready ready) {
        std::unique_lock lock(mutex_);
        BOOST_REQUIRE_MESSAGE(changed_.wait_for(lock, std::chrono::seconds(20), ready), "waited in vain");
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, std::vector<endpoint>> known_;
    std::set<std::string> held_;
    std::vector<std::string> asked_;
    std::size_t copies_ = 0;
};

/// The look-up: takes the result from the book, else from the system.
class book_names {
public:
    explicit book_names(std::shared_ptr<name_book> book) : book_(std::move(book)) { book_->count_copy(true); }
    book_names(const book_names& other) noexcept : book_(other.book_) { book_->count_copy(true); }
    book_names& operator=(const book_names&) = delete;
    ~book_names() { book_->count_copy(false); }

    tofu::io_error operator()(std::string_view host, std::uint16_t port, bool for_listening,
                              name_book::found_type& found) const noexcept {
        return book_->look_up(host, port, for_listening, found);
    }

private:
    std::shared_ptr<name_book> book_;
};

/// A test's own book. However the test ends, no look-up waits for ever.
class open_book {
public:
    open_book() = default;
    open_book(const open_book&) = delete;
    open_book& operator=(const open_book&) = delete;
    ~open_book() { book_->release_all(); }

    name_book* operator->() const { return book_.get(); }
    [[nodiscard]] book_names names() const { return book_names(book_); }

private:
    std::shared_ptr<name_book> book_ = std::make_shared<name_book>();
};

} // namespace tofu_test

#endif
