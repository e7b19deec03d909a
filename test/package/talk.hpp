// SPDX-License-Identifier: BSL-1.0
// A user's header that only names types of tofu.
#ifndef TOFU_TEST_PACKAGE_TALK_HPP
#define TOFU_TEST_PACKAGE_TALK_HPP

#include <tofu/fwd.hpp>

namespace consumer {

int talk_to_itself(tofu::channel_group& group);
tofu::status status_of(const tofu::message_ptr& m);
tofu::channel_group make_group(tofu::reactor& engine, const tofu::options& opts);

} // namespace consumer

#endif
