// SPDX-License-Identifier: BSL-1.0
// A mistake: a pool policy whose storage can be moved.
#include "compile_fail/use.hpp"

#include <tofu/tofu.hpp>

#include <memory>
#include <vector>

//[mistake
struct my_pool { // grows as it likes
    using category = tofu::pool_category;

    template <class Slot>
    class storage {
    public:
        bool open(my_pool&) noexcept { return true; }
        Slot* acquire() noexcept {
            slots_.push_back(std::make_unique<Slot>(tofu::slot_identity{static_cast<std::uint32_t>(slots_.size()), 1}));
            return slots_.back().get();
        }
        void release(Slot& slot) noexcept { slots_[slot.identity().index].reset(); }
        Slot* at(std::uint32_t index) const noexcept { return index < slots_.size() ? slots_[index].get() : nullptr; }
        template <class Visit>
        void for_each(Visit visit) noexcept {
            for (auto& slot : slots_)
                if (slot) visit(*slot);
        }
        std::size_t used() const noexcept { return slots_.size(); }
        std::size_t reserved() const noexcept { return slots_.size(); }
        std::size_t capacity() const noexcept { return 65534; }
        void abandon() noexcept {
            for (auto& slot : slots_) static_cast<void>(slot.release());
        }

    private:
        std::vector<std::unique_ptr<Slot>> slots_;
    };
};

using my_reactor = tofu::basic_reactor<tofu::default_poll, my_pool>;
//]

int main() {
    // expect: PoolPolicy: its storage must not be movable: the addresses of slots are stable
    my_reactor engine;
    tofu_test::use(engine);
}
