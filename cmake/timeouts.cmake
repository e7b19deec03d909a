# SPDX-License-Identifier: BSL-1.0
# Longer time limits for tests whose programs run in an emulator.
set(TOFU_TEST_TIMEOUT_FACTOR 1 CACHE STRING "Multiplies the time limit of each test; for slow processors")

# Last in each directory that has tests: multiplies the time limits of its tests.
function(tofu_scale_timeouts)
    get_property(names DIRECTORY PROPERTY TESTS)
    foreach(name IN LISTS names)
        get_test_property(${name} TIMEOUT timeout)
        if(timeout)
            math(EXPR timeout "${timeout} * ${TOFU_TEST_TIMEOUT_FACTOR}")
            set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout})
        endif()
    endforeach()
endfunction()
