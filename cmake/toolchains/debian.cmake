# SPDX-License-Identifier: BSL-1.0
# Builds for Linux on another processor with Debian's cross compiler. TOFU_TRIPLET names the processor, for example
# s390x-linux-gnu. A program names its loader and its libraries by their paths in /usr/TRIPLET, so that the program runs
# without a chroot: a program for 32-bit x86 on this processor, a program for another processor under qemu-user.
set(TOFU_TRIPLET "" CACHE STRING "PROCESSOR-linux-gnu, as in the compiler's name")
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TOFU_TRIPLET)
if(NOT TOFU_TRIPLET MATCHES "^([a-z0-9_]+)-linux-gnu$")
    message(FATAL_ERROR "TOFU_TRIPLET is '${TOFU_TRIPLET}', not PROCESSOR-linux-gnu")
endif()
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR "${CMAKE_MATCH_1}")
set(CMAKE_CXX_COMPILER "${TOFU_TRIPLET}-g++")

set(CMAKE_FIND_ROOT_PATH "/usr/${TOFU_TRIPLET}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)

file(GLOB tofu_loader "/usr/${TOFU_TRIPLET}/lib/ld*.so.[12]")
# --disable-new-dtags: the loader uses the path also to find the libraries that a library needs.
set(CMAKE_EXE_LINKER_FLAGS_INIT
    "-Wl,--dynamic-linker,${tofu_loader},--disable-new-dtags,-rpath,/usr/${TOFU_TRIPLET}/lib")

include("${CMAKE_CURRENT_LIST_DIR}/guests.cmake")

if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^i[3-6]86$" AND NOT CMAKE_SYSTEM_PROCESSOR STREQUAL CMAKE_HOST_SYSTEM_PROCESSOR)
    set(CMAKE_CROSSCOMPILING_EMULATOR "qemu-${CMAKE_SYSTEM_PROCESSOR}" CACHE STRING "Runs what was built")
    set(TOFU_TEST_TIMEOUT_FACTOR 10 CACHE STRING "Multiplies the time limit of each test; for slow processors")
endif()
