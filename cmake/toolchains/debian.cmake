# SPDX-License-Identifier: BSL-1.0
# Builds for a Linux on another processor with a cross compiler of Debian: TOFU_TRIPLET says which, s390x-linux-gnu for
# one. A program names its loader and its libraries by their paths in /usr/TRIPLET, so that it runs here without a
# chroot: a 32-bit one for x86 on the processor itself, the others under qemu-user.
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
# Old tags: the path is for the libraries of the libraries, too.
set(CMAKE_EXE_LINKER_FLAGS_INIT
    "-Wl,--dynamic-linker,${tofu_loader},--disable-new-dtags,-rpath,/usr/${TOFU_TRIPLET}/lib")

include("${CMAKE_CURRENT_LIST_DIR}/guests.cmake")

if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^i[3-6]86$" AND NOT CMAKE_SYSTEM_PROCESSOR STREQUAL CMAKE_HOST_SYSTEM_PROCESSOR)
    set(CMAKE_CROSSCOMPILING_EMULATOR "qemu-${CMAKE_SYSTEM_PROCESSOR}" CACHE STRING "Runs what was built")
    set(TOFU_TEST_TIMEOUT_FACTOR 10 CACHE STRING "Multiplies the time limit of each test; for slow processors")
endif()
