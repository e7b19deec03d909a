# SPDX-License-Identifier: BSL-1.0
# Boost's headers, for find_package(Boost) with the toolchain file beside this folder.
if(NOT TARGET Boost::headers)
    add_library(Boost::headers INTERFACE IMPORTED)
    set_target_properties(Boost::headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${TOFU_GUEST_HEADERS}")
endif()
if(NOT TARGET Boost::boost)
    add_library(Boost::boost INTERFACE IMPORTED)
    target_link_libraries(Boost::boost INTERFACE Boost::headers)
endif()
