// SPDX-License-Identifier: BSL-1.0
// Includes the headers that most programs need, except memory_bound.hpp and some policies; see policies.hpp. With the
// compiled library policies.hpp is not included either.
#ifndef TOFU_TOFU_HPP
#define TOFU_TOFU_HPP

#include <tofu/address.hpp>
#include <tofu/binary_header.hpp>
#include <tofu/channel_group.hpp>
#include <tofu/config.hpp>
#include <tofu/message.hpp>
#include <tofu/message_ptr.hpp>
#include <tofu/options.hpp>
#include <tofu/reactor.hpp>
#include <tofu/reason.hpp>
#include <tofu/stats.hpp>
#include <tofu/status.hpp>
#include <tofu/text_headers.hpp>

#if !TOFU_COMPILED
#include <tofu/policies.hpp>
#endif

#endif
