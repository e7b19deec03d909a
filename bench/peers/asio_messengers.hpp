// SPDX-License-Identifier: BSL-1.0
// Two ways for an application to have its messages from Boost.Asio: it runs the io_context itself until one is there,
// or another thread does that, and messages are handed over in both directions.
#ifndef TOFU_BENCH_PEERS_ASIO_MESSENGERS_HPP
#define TOFU_BENCH_PEERS_ASIO_MESSENGERS_HPP

#include "asio_connection.hpp"
#include "frame.hpp"

#include <boost/asio.hpp>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

/// Connections end as their clients like. A client's do not.
enum class asio_side { client, server };

/// The messages that the application has sent since it has last waited, by connection.
template <class Connection>
class asio_outbox {
public:
    void send(Connection& to, const frame_header& header, std::span<const std::byte> body) {
        if (to.unsent.empty()) senders_.push_back(to.shared_from_this());
        append_frame(to.unsent, header, body);
    }

    [[nodiscard]] bool empty() const { return senders_.empty(); }

    /// Hands over each connection and its bytes.
    template <class Take>
    void empty_into(Take take) {
        for (auto& each : senders_) take(each, each->unsent);
        senders_.clear();
    }

private:
    std::vector<std::shared_ptr<Connection>> senders_;
};

/// Both have these functions, for one thread:
///
///     add(socket, number)         a connection, which is read from now on; the io_context's thread may do this, too
///     close(connection)
///     send(to, header, body)      leaves, together with others, when the application waits
///     receive()                   waits for the next message, which stays where it is until the next call
///     wait_until_written(most)    until no more bytes than that are not the system's; false: a connection has ended
class inline_messenger {
public:
    using connection = asio_connection<inline_messenger>;
    struct message {
        connection* from;
        std::span<std::byte> frame;
    };

    explicit inline_messenger(asio_side side) : side_(side) {}

    [[nodiscard]] asio::io_context& io() { return io_; }

    std::shared_ptr<connection> add(asio_protocol::socket socket, std::size_t number) {
        auto added = std::make_shared<connection>(*this, std::move(socket), number);
        added->read();
        return added;
    }

    void close(connection& which) { which.close(); }

    void send(connection& to, const frame_header& header, std::span<const std::byte> body) {
        outbox_.send(to, header, body);
    }

    [[nodiscard]] message receive() {
        for (;;) {
            if (current_ == nullptr) wait_for_input();
            if (const auto frame = current_->cut(); !frame.empty()) return {current_.get(), frame};
            write();
            std::exchange(current_, nullptr)->read();
        }
    }

    [[nodiscard]] bool wait_until_written(std::size_t most) {
        write();
        while (unwritten_ > most && !has_lost_one_) io_.run_one();
        return !has_lost_one_;
    }

    void has_read(connection& from) { ready_.push_back(from.shared_from_this()); }
    void has_written(std::size_t bytes) { unwritten_ -= bytes; }
    void has_ended() { has_lost_one_ = true; }

private:
    void wait_for_input() {
        write();
        while (ready_.empty()) {
            io_.run_one();
            if (has_lost_one_ && side_ == asio_side::client) throw std::runtime_error("the server has gone");
        }
        current_ = std::move(ready_.front());
        ready_.pop_front();
    }

    void write() {
        outbox_.empty_into([this](const std::shared_ptr<connection>& to, std::vector<std::byte>& bytes) {
            unwritten_ += bytes.size();
            to->write(bytes);
        });
    }

    asio_side side_;
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
    asio_outbox<connection> outbox_;
    std::deque<std::shared_ptr<connection>> ready_;
    std::shared_ptr<connection> current_; ///< the messages received are in its buffer
    std::size_t unwritten_ = 0;
    bool has_lost_one_ = false;
};

class threaded_messenger {
public:
    using connection = asio_connection<threaded_messenger>;
    struct message {
        connection* from;
        std::span<std::byte> frame;
    };

    explicit threaded_messenger(asio_side side) : side_(side) {}

    ~threaded_messenger() {
        io_.stop();
        thread_.join();
    }

    [[nodiscard]] asio::io_context& io() { return io_; }

    std::shared_ptr<connection> add(asio_protocol::socket socket, std::size_t number) {
        auto added = std::make_shared<connection>(*this, std::move(socket), number);
        asio::dispatch(io_, [added] { added->read(); });
        return added;
    }

    void close(connection& which) {
        asio::post(io_, [closing = which.shared_from_this()] { closing->close(); });
    }

    void send(connection& to, const frame_header& header, std::span<const std::byte> body) {
        outbox_.send(to, header, body);
    }

    [[nodiscard]] message receive() {
        for (;;) {
            if (const auto frame = first_frame(unread_); !frame.empty()) {
                unread_ = unread_.subspan(frame.size());
                return {blocks_.front().where.get(), frame};
            }
            if (!blocks_.empty()) blocks_.pop_front();
            if (blocks_.empty()) wait_for_input();
            unread_ = blocks_.front().bytes;
        }
    }

    [[nodiscard]] bool wait_until_written(std::size_t most) {
        hand_over();
        std::unique_lock lock(mutex_);
        was_written_.wait(lock, [this, most] { return unwritten_ <= most || has_lost_one_; });
        return !has_lost_one_;
    }

    void has_read(connection& from) {
        block fresh{from.shared_from_this(), from.take_frames()};
        if (fresh.bytes.empty()) return from.read();
        bool has_room = true;
        {
            const std::scoped_lock lock(mutex_);
            unread_bytes_ += fresh.bytes.size();
            has_room = unread_bytes_ < most_unread;
            if (!has_room) stopped_.push_back(fresh.where);
            arrived_.push_back(std::move(fresh));
        }
        has_arrived_.notify_one();
        if (has_room) from.read();
    }

    void has_written(std::size_t bytes) {
        {
            const std::scoped_lock lock(mutex_);
            unwritten_ -= bytes;
        }
        was_written_.notify_one();
    }

    void has_ended() {
        {
            const std::scoped_lock lock(mutex_);
            has_lost_one_ = true;
        }
        has_arrived_.notify_one();
        was_written_.notify_one();
    }

private:
    /// Whole frames, from a connection or to it.
    struct block {
        std::shared_ptr<connection> where;
        std::vector<std::byte> bytes;
    };

    /// An application that is slower than the network does not fill the memory.
    static constexpr std::size_t most_unread = 1024 * 1024;

    /// Takes all there is at once.
    void wait_for_input() {
        hand_over();
        std::vector<std::shared_ptr<connection>> stopped;
        {
            std::unique_lock lock(mutex_);
            const bool all_needed = side_ == asio_side::client;
            has_arrived_.wait(lock, [&] { return !arrived_.empty() || (all_needed && has_lost_one_); });
            if (arrived_.empty()) throw std::runtime_error("the server has gone");
            blocks_.swap(arrived_);
            stopped.swap(stopped_);
            unread_bytes_ = 0;
        }
        for (auto& each : stopped) asio::post(io_, [each] { each->read(); });
    }

    /// The other thread is told only if it does not know yet that there is something.
    void hand_over() {
        if (outbox_.empty()) return;
        bool knows = true;
        {
            const std::scoped_lock lock(mutex_);
            outbox_.empty_into([this, &knows](const std::shared_ptr<connection>& to, std::vector<std::byte>& bytes) {
                if (to_write_.empty()) knows = false;
                unwritten_ += bytes.size();
                to_write_.push_back({to, std::exchange(bytes, {})});
            });
        }
        if (!knows) asio::post(io_, [this] { write(); });
    }

    void write() {
        std::vector<block> blocks;
        {
            const std::scoped_lock lock(mutex_);
            blocks.swap(to_write_);
        }
        for (block& each : blocks) each.where->write(each.bytes);
    }

    asio_side side_;
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);

    // The application's.
    asio_outbox<connection> outbox_;
    std::deque<block> blocks_;
    std::span<std::byte> unread_; ///< of the first block

    std::mutex mutex_;
    std::condition_variable has_arrived_;
    std::condition_variable was_written_;
    std::deque<block> arrived_;
    std::size_t unread_bytes_ = 0;
    std::vector<std::shared_ptr<connection>> stopped_; ///< are read again when the application has taken what arrived
    std::vector<block> to_write_;
    std::size_t unwritten_ = 0;
    bool has_lost_one_ = false;

    std::thread thread_{[this] { io_.run(); }};
};

} // namespace bench

#endif
