// SPDX-License-Identifier: BSL-1.0
// A job to be printed. Its pages are made up from a seed whenever they are needed, so a queue of jobs takes no memory.
#ifndef TOFU_EXAMPLE_PRINT_SHOP_PRINT_JOB_HPP
#define TOFU_EXAMPLE_PRINT_SHOP_PRINT_JOB_HPP

#include "checksums.hpp"
#include "protocol.hpp"

#include <tofu/binary_header.hpp>
#include <tofu/byte_buffer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>

namespace print_shop {

class print_job {
public:
    /// The same number and seed always make the same job. At least one page.
    print_job(std::uint32_t number, language pdl, std::uint32_t pages, std::uint64_t seed)
        : number_(number), pages_(pages), seed_(seed), pdl_(pdl) {
        tofu::byte_buffer page;
        for (std::uint32_t n = 1; n <= pages_; ++n) {
            make_page(n, page);
            contents_.add(page.bytes());
        }
    }

    [[nodiscard]] std::uint32_t number() const { return number_; }
    [[nodiscard]] language pdl() const { return pdl_; }
    [[nodiscard]] std::uint32_t pages() const { return pages_; }
    [[nodiscard]] std::uint64_t bytes() const { return contents_.bytes(); }
    [[nodiscard]] std::string digest() const { return contents_.text(); }

    /// Replaces the content of `page` by page `n`, counted from 1.
    void make_page(std::uint32_t n, tofu::byte_buffer& page) const {
        std::seed_seq mixed{static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32), number_, n};
        std::mt19937_64 random(mixed);
        if (!page.resize(size_of(n, random()))) tofu::throw_status(tofu::status::allocation_failed, "page");
        for (std::size_t at = 0; at < page.size(); at += sizeof(std::uint64_t)) {
            const std::uint64_t word = random();
            std::memcpy(page.data() + at, &word, std::min(sizeof word, page.size() - at));
        }
    }

private:
    /// The first page has the largest possible size, and the second has one byte. Later pages have sizes of every order
    /// of magnitude.
    [[nodiscard]] static std::size_t size_of(std::uint32_t n, std::uint64_t any) {
        if (n == 1) return tofu::max_part_length;
        if (n == 2) return 1;
        const auto part = static_cast<std::size_t>(any / 4);
        switch (any % 4) {
        case 0: return 1 + part % 100;
        case 1: return 100 + part % 4'000;
        default: return 4'000 + part % (tofu::max_part_length - 4'000 + 1);
        }
    }

    std::uint32_t number_;
    std::uint32_t pages_;
    std::uint64_t seed_;
    language pdl_;
    running_digest contents_;
};

} // namespace print_shop

#endif
