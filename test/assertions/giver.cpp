// SPDX-License-Identifier: BSL-1.0
// A unit that hands an object of tofu to another unit (see check-link).
#include <tofu/message.hpp>

void take(const tofu::message& m);

int main() {
    const tofu::message m;
    take(m);
}
