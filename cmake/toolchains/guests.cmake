# SPDX-License-Identifier: BSL-1.0
# The headers of this system that a compiler for another system may see. Included by toolchain files.
#
# The compiler must never see /usr/include, which is another system's. The few headers that are the same everywhere are
# shown to it through links in a folder of their own, and packages of ours lead there.
get_property(tofu_tries_to_compile GLOBAL PROPERTY IN_TRY_COMPILE)
if(NOT tofu_tries_to_compile)
    set(TOFU_GUEST_HEADERS "${CMAKE_BINARY_DIR}/guest-headers" CACHE INTERNAL "Headers that are the same on all systems")
    file(MAKE_DIRECTORY "${TOFU_GUEST_HEADERS}")
    foreach(guest IN ITEMS boost cxxopts.hpp fmt)
        if(EXISTS "/usr/include/${guest}" AND NOT EXISTS "${TOFU_GUEST_HEADERS}/${guest}")
            file(CREATE_LINK "/usr/include/${guest}" "${TOFU_GUEST_HEADERS}/${guest}" SYMBOLIC)
        endif()
    endforeach()
    foreach(package IN ITEMS Boost cxxopts fmt)
        set(${package}_DIR "${CMAKE_CURRENT_LIST_DIR}/guests" CACHE PATH "Where ${package} is found")
    endforeach()
endif()
