# SPDX-License-Identifier: BSL-1.0
# tofu_standards: the C++ standards that the library supports and the compiler knows, oldest first.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 17
    AND NOT CMAKE_CXX26_STANDARD_COMPILE_OPTION)
    # clang has the option since version 17; CMake 3.25 does not know that.
    set(CMAKE_CXX26_STANDARD_COMPILE_OPTION -std=c++26)
    set(CMAKE_CXX26_EXTENSION_COMPILE_OPTION -std=gnu++26)
endif()
set(tofu_standards "")
foreach(standard IN ITEMS 20 23 26)
    if(CMAKE_CXX${standard}_STANDARD_COMPILE_OPTION)
        list(APPEND tofu_standards ${standard})
    endif()
endforeach()
