# SPDX-License-Identifier: BSL-1.0
# The target all_verify_interface_header_sets compiles every header alone, as strictly as the project's own programs are
# compiled, without exceptions and without run-time type information. (As a user does it, with both and without our
# warnings, is what the consumer projects in test/package are for.)
add_library(tofu_bare_headers INTERFACE)
target_sources(tofu_bare_headers INTERFACE FILE_SET HEADERS BASE_DIRS include FILES ${tofu_headers})
target_link_libraries(tofu_bare_headers INTERFACE tofu tofu_warnings)
target_compile_options(tofu_bare_headers INTERFACE -O0 -fno-exceptions -fno-rtti)
set_target_properties(tofu_bare_headers PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
