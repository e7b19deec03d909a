# SPDX-License-Identifier: BSL-1.0
# tofu_standards: the C++ standards that the library supports and the compiler knows, oldest first.
include(CheckCXXCompilerFlag)
if(NOT CMAKE_CXX26_STANDARD_COMPILE_OPTION)
    # CMake 3.25 does not know that clang 19 knows C++26.
    check_cxx_compiler_flag(-std=c++26 TOFU_COMPILER_KNOWS_CXX26)
    if(TOFU_COMPILER_KNOWS_CXX26)
        set(CMAKE_CXX26_STANDARD_COMPILE_OPTION -std=c++26)
        set(CMAKE_CXX26_EXTENSION_COMPILE_OPTION -std=gnu++26)
    endif()
endif()
set(tofu_standards "")
foreach(standard IN ITEMS 20 23 26)
    if(CMAKE_CXX${standard}_STANDARD_COMPILE_OPTION)
        list(APPEND tofu_standards ${standard})
    endif()
endforeach()
