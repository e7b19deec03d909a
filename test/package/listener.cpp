// SPDX-License-Identifier: BSL-1.0
// The third translation unit: it includes the header of the group only. It can be compiled without exceptions.
#include "talk.hpp"

#include <tofu/channel_group.hpp>

#include <system_error>

int consumer::talk_to_itself(tofu::channel_group& group) {
    std::error_code error;
    group.update_receiver(error);
    return !error && status_of(group.wait_receive(error)) == tofu::status::receiver_update ? 0 : 1;
}

tofu::status consumer::status_of(const tofu::message_ptr& m) {
    return m->status();
}
