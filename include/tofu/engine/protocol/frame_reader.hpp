// SPDX-License-Identifier: BSL-1.0
// Cuts a byte stream into messages. Sans-I/O: it takes bytes and says what they completed.
#ifndef TOFU_ENGINE_PROTOCOL_FRAME_READER_HPP
#define TOFU_ENGINE_PROTOCOL_FRAME_READER_HPP

#include <tofu/config.hpp>
#include <tofu/contract/io.hpp>
#include <tofu/message.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>

namespace tofu::inline TOFU_ABI::engine {

/// The reading half of one connection. The reader keeps the 16 header bytes itself, so an idle peer costs no message.
/// The caller supplies a message only when a header is complete, and may do so later: the reader waits in step::header.
/// One thread at a time.
class frame_reader {
public:
    enum class step : std::uint8_t {
        need_bytes, ///< all bytes were consumed
        header,     ///< a header is complete: answer with `store_in` or `skip`
        message     ///< a message is complete: answer with `take`
    };

    /// Consumes from the front of `input`, until the caller has to answer or `input` is empty.
    [[nodiscard]] step consume(std::span<const std::byte>& input) noexcept {
        for (;;) {
            switch (phase_) {
            case phase::header:
                if (!fill_header(input)) return step::need_bytes;
                break;
            case phase::decision: return step::header;
            case phase::parts:
                if (!fill_parts(input)) return step::need_bytes;
                break;
            case phase::skipping:
                if (!drop(input)) return step::need_bytes;
                break;
            case phase::complete: return step::message;
            }
        }
    }

    /// The header that waits for its answer, or the header of the message in progress.
    [[nodiscard]] const binary_header& header() const noexcept { return header_; }

    /// Call only in step::header. Stores the incoming message in `m`; the reader owns `m` until `take` or `abandon`.
    /// allocation_failed: memory for the parts is short, and `m` stays with the caller.
    [[nodiscard]] status store_in(message& m) noexcept {
        TOFU_ASSERT(phase_ == phase::decision && message_ == nullptr);
        if (!m.headers().buffer().resize(header_.text_headers_length) || !m.body().resize(header_.body_length))
            return status::allocation_failed;
        m.header() = header_;
        message_ = &m;
        filled_ = 0;
        phase_ = total() == 0 ? phase::complete : phase::parts;
        return status::success;
    }

    /// Call only in step::header. The reader drops the parts of the message as they arrive.
    void skip() noexcept {
        TOFU_ASSERT(phase_ == phase::decision && message_ == nullptr);
        filled_ = 0;
        phase_ = phase::skipping;
    }

    /// Call only in step::message. Returns the complete message; the caller owns it again.
    [[nodiscard]] message* take() noexcept {
        TOFU_ASSERT(phase_ == phase::complete && message_ != nullptr);
        return abandon();
    }

    /// Gives up the message in progress. Returns the object that `store_in` received; the caller owns it again. Null:
    /// none was stored.
    [[nodiscard]] message* abandon() noexcept {
        phase_ = phase::header;
        filled_ = 0;
        return std::exchange(message_, nullptr);
    }

    /// The memory for the next bytes: the rest of the header buffer, or the rest of the message's text headers and
    /// body. A read can go straight there. There is no place while the reader waits in step::header or step::message,
    /// or skips a message.
    [[nodiscard]] std::array<mutable_buffer, 2> places() noexcept {
        if (phase_ == phase::header) return {{{wire_.data() + filled_, wire_.size() - filled_}, {}}};
        if (phase_ != phase::parts) return {};
        const std::size_t text = header_.text_headers_length;
        byte_buffer& headers = message_->headers().buffer();
        if (filled_ >= text) return {{{message_->body().data() + (filled_ - text), total() - filled_}, {}}};
        return {{{headers.data() + filled_, text - filled_}, {message_->body().data(), header_.body_length}}};
    }

    /// Call after `bytes` bytes were read into the places.
    void advance(std::size_t bytes) noexcept {
        TOFU_ASSERT(bytes <= places()[0].size + places()[1].size);
        filled_ += bytes;
        if (phase_ == phase::header && filled_ == wire_.size()) decide();
        if (phase_ == phase::parts && filled_ == total()) phase_ = phase::complete;
    }

    /// True: a header is complete and waits for its answer.
    [[nodiscard]] bool awaits_storage() const noexcept { return phase_ == phase::decision; }
    /// True: a message is stored, whole or in part, and was not taken.
    [[nodiscard]] bool holds_message() const noexcept { return message_ != nullptr; }
    [[nodiscard]] bool message_complete() const noexcept { return phase_ == phase::complete; }
    /// True: at least one byte has arrived of a message that was not taken, skipped to its end, or abandoned.
    [[nodiscard]] bool in_progress() const noexcept { return phase_ != phase::header || filled_ != 0; }
    /// The bytes of text headers and body that the header announces.
    [[nodiscard]] std::size_t total() const noexcept {
        return std::size_t{header_.text_headers_length} + header_.body_length;
    }

private:
    enum class phase : std::uint8_t { header, decision, parts, skipping, complete };

    void decide() noexcept {
        header_ = decode(wire_);
        filled_ = 0;
        phase_ = phase::decision;
    }

    bool fill_header(std::span<const std::byte>& input) noexcept {
        if (filled_ == 0 && input.size() >= wire_.size()) { // the usual case: `input` holds the whole header
            header_ = decode(input.first<binary_header::wire_size>());
            input = input.subspan(wire_.size());
            phase_ = phase::decision;
            return true;
        }
        const std::size_t n = (std::min)(input.size(), wire_.size() - filled_);
        if (n != 0) std::memcpy(wire_.data() + filled_, input.data(), n);
        input = input.subspan(n);
        filled_ += n;
        if (filled_ < wire_.size()) return false;
        decide();
        return true;
    }

    bool fill_parts(std::span<const std::byte>& input) noexcept {
        for (const mutable_buffer& place : places()) {
            const std::size_t n = (std::min)(input.size(), place.size);
            if (n != 0) std::memcpy(place.data, input.data(), n);
            input = input.subspan(n);
            filled_ += n;
        }
        if (filled_ < total()) return false;
        phase_ = phase::complete;
        return true;
    }

    bool drop(std::span<const std::byte>& input) noexcept {
        const std::size_t n = (std::min)(input.size(), total() - filled_);
        input = input.subspan(n);
        filled_ += n;
        if (filled_ < total()) return false;
        filled_ = 0;
        phase_ = phase::header;
        return true;
    }

    std::array<std::byte, binary_header::wire_size> wire_{};
    binary_header header_;
    message* message_ = nullptr;
    std::size_t filled_ = 0; // of the header, or of text headers and body together
    phase phase_ = phase::header;
};

} // namespace tofu::inline TOFU_ABI::engine

#endif
