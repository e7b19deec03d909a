# SPDX-License-Identifier: BSL-1.0
# Installs the headers, a package description for find_package (targets tofu::tofu and, if built, tofu::compiled) and one
# for pkg-config. CPack makes a Debian package of the headers.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(tofu_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/tofu")

install(TARGETS tofu EXPORT tofu-targets FILE_SET HEADERS COMPONENT headers)
foreach(platform IN LISTS foreign_platforms)
    install(DIRECTORY include/tofu/platform/${platform} DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tofu/platform"
        COMPONENT headers OPTIONAL)
endforeach()
install(EXPORT tofu-targets NAMESPACE tofu:: DESTINATION "${tofu_package_dir}" COMPONENT headers)

configure_package_config_file(cmake/tofu-config.cmake.in tofu-config.cmake
    INSTALL_DESTINATION "${tofu_package_dir}" PATH_VARS CMAKE_INSTALL_LIBDIR NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(tofu-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/tofu-config.cmake" "${PROJECT_BINARY_DIR}/tofu-config-version.cmake"
        cmake/tofu-atomics.cmake
    DESTINATION "${tofu_package_dir}" COMPONENT headers)

# tofu.pc gives the prefix relative to its own folder, so an installed tree can be moved.
set(tofu_pc_dir "${CMAKE_INSTALL_DATADIR}/pkgconfig")
file(RELATIVE_PATH tofu_pc_prefix "/${tofu_pc_dir}" "/")
set(tofu_pc_libraries "-pthread")
if(WIN32)
    string(APPEND tofu_pc_libraries " -lws2_32 -liphlpapi -lntdll")
elseif(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    # The installed headers serve all processors, and some need libatomic; see tofu-atomics.cmake.
    string(APPEND tofu_pc_libraries " -ldl -Wl,--push-state,--as-needed -latomic -Wl,--pop-state")
endif()
set(tofu_pc_include "${CMAKE_INSTALL_INCLUDEDIR}")
if(NOT IS_ABSOLUTE "${tofu_pc_include}")
    string(PREPEND tofu_pc_include "\${prefix}/")
endif()
configure_file(cmake/tofu.pc.in tofu.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/tofu.pc" DESTINATION "${tofu_pc_dir}" COMPONENT headers)

if(TOFU_INSTALL_COMPILED)
    # A separate export file, so that the package of the headers works without the library.
    set_target_properties(tofu_compiled PROPERTIES EXCLUDE_FROM_ALL OFF)
    install(TARGETS tofu_compiled EXPORT tofu-compiled-targets COMPONENT compiled)
    install(EXPORT tofu-compiled-targets NAMESPACE tofu:: DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/tofu"
        COMPONENT compiled)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME libtofu-dev)
set(CPACK_PACKAGE_CONTACT "tofu maintainers <tofu@example.org>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
# The headers alone: they are the same for all processors.
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL headers)
set(CPACK_DEBIAN_HEADERS_PACKAGE_NAME libtofu-dev)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libboost-dev (>= 1.74)")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
if(PROJECT_IS_TOP_LEVEL)
    include(CPack)
endif()
