// SPDX-License-Identifier: BSL-1.0
// The version of the library. The build and the packages read it from here.
#ifndef TOFU_VERSION_HPP
#define TOFU_VERSION_HPP

// The version as three numbers, and as one for comparisons: major * 10000 + minor * 100 + patch.
#define TOFU_VERSION_MAJOR 0
#define TOFU_VERSION_MINOR 1
#define TOFU_VERSION_PATCH 0
#define TOFU_VERSION (TOFU_VERSION_MAJOR * 10000 + TOFU_VERSION_MINOR * 100 + TOFU_VERSION_PATCH)

#endif
