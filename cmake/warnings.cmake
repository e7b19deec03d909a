# SPDX-License-Identifier: BSL-1.0
# Warnings for this project's own programs. A user of the library never sees them.
add_library(tofu_warnings INTERFACE)
target_compile_options(tofu_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
