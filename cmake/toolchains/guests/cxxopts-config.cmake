# SPDX-License-Identifier: BSL-1.0
# The header cxxopts.hpp, for find_package(cxxopts) with the toolchain file beside this folder.
if(NOT TARGET cxxopts::cxxopts)
    add_library(cxxopts::cxxopts INTERFACE IMPORTED)
    set_target_properties(cxxopts::cxxopts PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${TOFU_GUEST_HEADERS}")
endif()
