# SPDX-License-Identifier: BSL-1.0
# Reads the version from include/tofu/version.hpp into tofu_version.
cmake_path(SET tofu_version_header NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../include/tofu/version.hpp")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${tofu_version_header}")
file(STRINGS "${tofu_version_header}" lines REGEX "#define TOFU_VERSION_(MAJOR|MINOR|PATCH) [0-9]+$")
list(TRANSFORM lines REPLACE ".* " "")
list(JOIN lines "." tofu_version)
if(NOT tofu_version MATCHES "^[0-9]+\\.[0-9]+\\.[0-9]+$")
    message(FATAL_ERROR "include/tofu/version.hpp has no version that CMake can read: ${tofu_version}")
endif()
