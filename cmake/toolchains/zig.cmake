# SPDX-License-Identifier: BSL-1.0
# Builds for another system with tools/zig-c++: TOFU_ZIG_TARGET says which processor and system, aarch64-macos for one.
# Nothing here runs what is built.
set(TOFU_ZIG_TARGET "" CACHE STRING "PROCESSOR-SYSTEM; the systems are macos and freebsd")
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TOFU_ZIG_TARGET)
if(NOT TOFU_ZIG_TARGET MATCHES "^([a-z0-9_]+)-(macos|freebsd)$")
    message(FATAL_ERROR "TOFU_ZIG_TARGET is '${TOFU_ZIG_TARGET}', neither PROCESSOR-macos nor PROCESSOR-freebsd")
endif()
set(CMAKE_SYSTEM_PROCESSOR "${CMAKE_MATCH_1}")
if(CMAKE_MATCH_2 STREQUAL "macos")
    set(CMAKE_SYSTEM_NAME Darwin)
    # CMake asks for these of Apple, which nothing here needs.
    set(CMAKE_OSX_SYSROOT "" CACHE STRING "")
    set(CMAKE_OSX_DEPLOYMENT_TARGET "" CACHE STRING "")
    set(CMAKE_INSTALL_NAME_TOOL true CACHE STRING "")
else()
    set(CMAKE_SYSTEM_NAME FreeBSD)
endif()
set(CMAKE_CXX_COMPILER "${CMAKE_CURRENT_LIST_DIR}/../../tools/zig-c++" -target "${TOFU_ZIG_TARGET}")
set(CMAKE_DISABLE_PRECOMPILE_HEADERS ON) # reading them, it crashes

# The Boost of Debian 12 has a base class that C++17 took away; its own way to tell so does not know this library.
add_compile_definitions(_LIBCPP_ENABLE_CXX17_REMOVED_UNARY_BINARY_FUNCTION)

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
include("${CMAKE_CURRENT_LIST_DIR}/guests.cmake")
