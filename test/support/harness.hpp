// SPDX-License-Identifier: BSL-1.0
// Includes the common parts of the behaviour tests: the settings, an engine with two groups that talk to each other,
// and raw peers that send and expect bytes.
#ifndef TOFU_TEST_SUPPORT_HARNESS_HPP
#define TOFU_TEST_SUPPORT_HARNESS_HPP

#include "any_reactor.hpp"
#include "dialogue.hpp"
#include "raw_peer.hpp"
#include "script.hpp"
#include "setting.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#endif
