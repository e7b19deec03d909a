# SPDX-License-Identifier: BSL-1.0
# The headers of fmt, which need no library then, for find_package(fmt) with the toolchain file beside this folder.
if(NOT TARGET fmt::fmt)
    add_library(fmt::fmt INTERFACE IMPORTED)
    set_target_properties(fmt::fmt PROPERTIES
        INTERFACE_INCLUDE_DIRECTORIES "${TOFU_GUEST_HEADERS}"
        INTERFACE_COMPILE_DEFINITIONS FMT_HEADER_ONLY)
endif()
