# SPDX-License-Identifier: BSL-1.0
# Warnings for this project's own programs. A user of the library never sees them.
option(TOFU_WARNINGS_AS_ERRORS "Treat warnings as errors; switch it off for an untested compiler" ON)
add_library(tofu_warnings INTERFACE)
if(MSVC)
    target_compile_options(tofu_warnings INTERFACE /W4 $<$<BOOL:${TOFU_WARNINGS_AS_ERRORS}>:/WX>)
else()
    target_compile_options(tofu_warnings INTERFACE
        -Wall -Wextra -Wpedantic -Wconversion -Wshadow $<$<BOOL:${TOFU_WARNINGS_AS_ERRORS}>:-Werror>)
endif()

# More warnings, for the headers only: users compile the headers with the warnings of their own projects.
# doc/compiling.md lists the same flags and exceptions for users.
add_library(tofu_strict_warnings INTERFACE)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(tofu_strict_warnings INTERFACE
        -Wcast-align=strict -Wdouble-promotion -Wduplicated-branches -Wduplicated-cond -Wextra-semi -Wformat=2
        -Wlogical-op -Wnon-virtual-dtor -Wnull-dereference -Wold-style-cast -Woverloaded-virtual -Wredundant-decls
        -Wsign-conversion -Wundef -Wuseless-cast)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND NOT CMAKE_CROSSCOMPILING)
    target_compile_options(tofu_strict_warnings INTERFACE -Weverything
        # The library needs C++20; these ask for compatibility with older standards.
        -Wno-c++98-compat -Wno-c++98-compat-pedantic -Wno-c++98-compat-local-type-template-args
        -Wno-pre-c++14-compat -Wno-pre-c++17-compat -Wno-pre-c++20-compat -Wno-pre-c++20-compat-pedantic
        -Wno-c++20-compat
        -Wno-padded # a report on the layout, not a defect
        -Wno-weak-vtables # status_error_category has virtual functions, and a header-only library has no other place
        -Wno-ctad-maybe-unsupported # std::lock_guard and std::unique_lock, which support the deduction
        -Wno-switch-enum) # a default covers the enumerators without a case of their own, on purpose
    if(CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 16)
        target_compile_options(tofu_strict_warnings INTERFACE
            -Wno-unsafe-buffer-usage # buffers of the system come as pointer and length
            $<$<VERSION_GREATER_EQUAL:${CMAKE_CXX_COMPILER_VERSION},18>:-Wno-switch-default>) # contradicts -Wcovered-switch-default
    endif()
endif()
