# SPDX-License-Identifier: BSL-1.0
# Configures, builds and runs one consumer project from scratch, against an install or against the sources.
# Expects: tofu_source tofu_build consumer generator compiler program; when it is for another system: toolchain emulator
set(work "${tofu_build}/package/${consumer}")
file(REMOVE_RECURSE "${work}")

function(run)
    execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

set(where "-DTOFU_SOURCE_DIR=${tofu_source}")
if(consumer STREQUAL "find_package")
    run("${CMAKE_COMMAND}" --install "${tofu_build}" --prefix "${work}/prefix")
    set(where "-DCMAKE_PREFIX_PATH=${work}/prefix")
endif()
set(how "-DCMAKE_CXX_COMPILER=${compiler}")
if(toolchain)
    set(how "-DCMAKE_TOOLCHAIN_FILE=${toolchain}")
endif()
run("${CMAKE_COMMAND}" -S "${tofu_source}/test/package/${consumer}" -B "${work}/build" -G "${generator}"
    ${how} "${where}")
run("${CMAKE_COMMAND}" --build "${work}/build")
run(${emulator} "${work}/build/${program}")
