# SPDX-License-Identifier: BSL-1.0
# Configures, builds and runs one consumer project from an empty folder, as a user does: against an install, or against
# the sources. Every step of it is printed.
# Expects: tofu_source tofu_build consumer generator compiler program; when it is for another system: toolchain emulator
set(work "${tofu_build}/package/${consumer}")
file(REMOVE_RECURSE "${work}")

function(run)
    execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY COMMAND_ECHO STDOUT)
endfunction()

set(how -G "${generator}" "-DCMAKE_CXX_COMPILER=${compiler}")
if(toolchain)
    set(how -G "${generator}" "-DCMAKE_TOOLCHAIN_FILE=${toolchain}")
endif()
# Boost's headers are all that a user needs: with these switches find_package does not find other libraries.
list(APPEND how -DCMAKE_DISABLE_FIND_PACKAGE_cxxopts=ON -DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON
    -DCMAKE_DISABLE_FIND_PACKAGE_spdlog=ON)
if(consumer STREQUAL "compiled_shared")
    list(APPEND how -DBUILD_SHARED_LIBS=ON -DCMAKE_CXX_VISIBILITY_PRESET=hidden -DCMAKE_VISIBILITY_INLINES_HIDDEN=ON)
endif()
string(REGEX REPLACE "_shared$" "" project "${consumer}")
set(where "-DTOFU_SOURCE_DIR=${tofu_source}")
if(consumer MATCHES "find_package|compiled|pkg_config")
    # A build of its own, with the defaults: a user has neither Boost.Test nor cxxopts nor fmt.
    set(options "")
    if(consumer MATCHES "compiled")
        set(options -DTOFU_INSTALL_COMPILED=ON)
    endif()
    run("${CMAKE_COMMAND}" -S "${tofu_source}" -B "${work}/tofu" ${how} ${options})
    run("${CMAKE_COMMAND}" --build "${work}/tofu")
    run("${CMAKE_COMMAND}" --install "${work}/tofu" --prefix "${work}/prefix")
    set(where "-DCMAKE_PREFIX_PATH=${work}/prefix")
endif()

if(consumer STREQUAL "pkg_config")
    set(ENV{PKG_CONFIG_PATH} "${work}/prefix/share/pkgconfig")
    execute_process(COMMAND pkg-config --cflags --libs tofu OUTPUT_VARIABLE flags COMMAND_ERROR_IS_FATAL ANY
        OUTPUT_STRIP_TRAILING_WHITESPACE)
    separate_arguments(flags UNIX_COMMAND "${flags}")
    run("${compiler}" -std=c++20 "${tofu_source}/test/package/main.cpp" "${tofu_source}/test/package/other_part.cpp"
        "${tofu_source}/test/package/listener.cpp"
        ${flags} -o "${work}/${program}")
    run("${work}/${program}")
    return()
endif()

run("${CMAKE_COMMAND}" -S "${tofu_source}/test/package/${project}" -B "${work}/build" ${how} "${where}")
run("${CMAKE_COMMAND}" --build "${work}/build")
run(${emulator} "${work}/build/${program}")

# A unit that uses the compiled library contains no engine.
if(consumer MATCHES "compiled" AND nm)
    file(GLOB_RECURSE objects "${work}/build/*main.cpp.o*")
    execute_process(COMMAND "${nm}" -C --defined-only ${objects} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
    if(NOT symbols MATCHES "main" OR symbols MATCHES "engine_core<.*>::|::loop<")
        message(FATAL_ERROR "main.cpp contains the engine, or has no symbols:\n${symbols}")
    endif()
endif()

# A project that contains tofu installs what it wants to install, and nothing of tofu.
if(consumer MATCHES "add_subdirectory|fetch_content")
    run("${CMAKE_COMMAND}" --install "${work}/build" --prefix "${work}/prefix")
    file(GLOB_RECURSE installed RELATIVE "${work}/prefix" "${work}/prefix/*")
    if(NOT installed STREQUAL "bin/${program}")
        message(FATAL_ERROR "tofu installs itself with the project that contains it: ${installed}")
    endif()
endif()
