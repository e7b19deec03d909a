# SPDX-License-Identifier: BSL-1.0
# The version of the Boost of this system, whose headers are shown to the compiler; see ../guests.cmake.
file(STRINGS /usr/include/boost/version.hpp line REGEX "#define BOOST_LIB_VERSION \"")
string(REGEX REPLACE ".*\"([0-9]+)_([0-9]+).*" "\\1.\\2.0" PACKAGE_VERSION "${line}")
set(PACKAGE_VERSION_COMPATIBLE FALSE)
if(PACKAGE_VERSION VERSION_GREATER_EQUAL PACKAGE_FIND_VERSION)
    set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
