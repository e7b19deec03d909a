# SPDX-License-Identifier: BSL-1.0
# Builds for macOS with tools/zig-c++, for Apple's own processors unless TOFU_MACOS says x86_64. Nothing here runs what
# is built.
set(TOFU_MACOS aarch64 CACHE STRING "Processor: aarch64 or x86_64")
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TOFU_MACOS)
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_PROCESSOR "${TOFU_MACOS}")
set(CMAKE_CXX_COMPILER "${CMAKE_CURRENT_LIST_DIR}/../../tools/zig-c++" -target "${TOFU_MACOS}-macos")
# CMake asks for these of Apple, which nothing here needs.
set(CMAKE_OSX_SYSROOT "" CACHE STRING "")
set(CMAKE_OSX_DEPLOYMENT_TARGET "" CACHE STRING "")
set(CMAKE_INSTALL_NAME_TOOL true CACHE STRING "")

# The Boost of Debian 12 has a base class that C++17 took away; its own way to tell so does not know this library.
add_compile_definitions(_LIBCPP_ENABLE_CXX17_REMOVED_UNARY_BINARY_FUNCTION)

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
include("${CMAKE_CURRENT_LIST_DIR}/guests.cmake")
