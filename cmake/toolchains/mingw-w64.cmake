# SPDX-License-Identifier: BSL-1.0
# Builds for Windows with Debian's mingw-w64 (the flavour with POSIX threads, which std::thread needs), 64-bit unless
# TOFU_MINGW says i686-w64-mingw32. Programs are statically linked, so that one file is all there is to copy; those for
# 64 bits run here under Wine.
set(TOFU_MINGW x86_64-w64-mingw32 CACHE STRING "Prefix of the compiler's name")
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TOFU_MINGW)
set(CMAKE_SYSTEM_NAME Windows)
string(REGEX REPLACE "-.*" "" CMAKE_SYSTEM_PROCESSOR "${TOFU_MINGW}")
set(CMAKE_CXX_COMPILER "${TOFU_MINGW}-g++-posix")
set(CMAKE_RC_COMPILER "${TOFU_MINGW}-windres")

set(CMAKE_FIND_ROOT_PATH "/usr/${TOFU_MINGW}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)

# Templates make more sections than a PE object has numbers for, unless it is a big one.
add_compile_options(-Wa,-mbig-obj)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")

# Links in seconds what GNU ld links in minutes; see the file in that folder, which the compiler finds there.
find_program(TOFU_LLD ld.lld)
if(TOFU_LLD)
    string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " -B${CMAKE_CURRENT_LIST_DIR}/linker")
endif()

include("${CMAKE_CURRENT_LIST_DIR}/guests.cmake")

get_property(tofu_tries_to_compile GLOBAL PROPERTY IN_TRY_COMPILE)
if(NOT tofu_tries_to_compile)
    set(CMAKE_CROSSCOMPILING_EMULATOR
        "${CMAKE_CURRENT_LIST_DIR}/../../tools/wine-run;${CMAKE_BINARY_DIR}/wine" CACHE STRING "Runs what was built")
endif()
