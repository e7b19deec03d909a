# SPDX-License-Identifier: BSL-1.0
# Warnings for this project's own programs. A user of the library never sees them.
option(TOFU_WARNINGS_AS_ERRORS "A warning ends the build; off for compilers that nobody has tried yet" ON)
add_library(tofu_warnings INTERFACE)
if(MSVC)
    target_compile_options(tofu_warnings INTERFACE /W4 $<$<BOOL:${TOFU_WARNINGS_AS_ERRORS}>:/WX>)
else()
    target_compile_options(tofu_warnings INTERFACE
        -Wall -Wextra -Wpedantic -Wconversion -Wshadow $<$<BOOL:${TOFU_WARNINGS_AS_ERRORS}>:-Werror>)
endif()
