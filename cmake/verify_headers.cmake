# SPDX-License-Identifier: BSL-1.0
# The target all_verify_interface_header_sets compiles every header alone, as strictly as the project's own programs are,
# without exceptions and without run-time type information. (With both, they are compiled by the consumer projects.)
add_library(tofu_bare_headers INTERFACE)
target_sources(tofu_bare_headers INTERFACE FILE_SET HEADERS BASE_DIRS include FILES ${tofu_headers})
target_link_libraries(tofu_bare_headers INTERFACE tofu tofu_warnings)
target_compile_options(tofu_bare_headers INTERFACE -fno-exceptions -fno-rtti -O0)
set_target_properties(tofu_bare_headers PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
