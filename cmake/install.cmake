# SPDX-License-Identifier: BSL-1.0
# Installs the headers and a package description, so that find_package(tofu) gives the target tofu::tofu.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(tofu_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/tofu")

install(TARGETS tofu EXPORT tofu-targets FILE_SET HEADERS)
foreach(platform IN LISTS foreign_platforms)
    install(DIRECTORY include/tofu/platform/${platform} DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tofu/platform" OPTIONAL)
endforeach()
install(EXPORT tofu-targets NAMESPACE tofu:: DESTINATION "${tofu_package_dir}")

configure_package_config_file(cmake/tofu-config.cmake.in tofu-config.cmake
    INSTALL_DESTINATION "${tofu_package_dir}" NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(tofu-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/tofu-config.cmake" "${PROJECT_BINARY_DIR}/tofu-config-version.cmake"
        cmake/tofu-atomics.cmake
    DESTINATION "${tofu_package_dir}")
