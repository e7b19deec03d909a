// SPDX-License-Identifier: BSL-1.0
// One of two translation units that include the whole library, as a user's program would.
#include "talk.hpp"

#include <tofu/tofu.hpp>

int main() {
    const tofu::options opts;
    tofu::reactor engine(opts);
    tofu::channel_group group = consumer::make_group(engine, opts);
    return consumer::talk_to_itself(group);
}
