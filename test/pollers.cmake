# SPDX-License-Identifier: BSL-1.0
# The pollers the tests run with; nothing else in test/ has to name a new one. From this list come pollers.hpp, the
# engines of the behaviour suites (a file each), the product of all policies, and the entry of the poller's own suite.
#
# tofu_poller(NAME POLICY [HEADER header] [PARTS_ONLY] [STAND_IN] [ATTACHES_ONCE] [NO_SUITE])
#   NAME           the name in test cases; policies/NAME.cpp is its suite
#   POLICY         the poll policy over `Network`
#   HEADER         the header of POLICY, if it is not <tofu/policies/poll/NAME.hpp>
#   PARTS_ONLY     only the suites of pollers use it; no engine of the behaviour suites does
#   STAND_IN       it runs on something else than its own system, so it is not part of the product of all policies
#   ATTACHES_ONCE  a socket that was attached once cannot be attached again
#   NO_SUITE       there is no such suite, or it runs on another system
# The first one must be the poller of tofu::default_poll.
function(tofu_poller name policy)
    cmake_parse_arguments(PARSE_ARGV 2 arg "PARTS_ONLY;STAND_IN;ATTACHES_ONCE;NO_SUITE" "HEADER" "")
    if(NOT arg_HEADER)
        set(arg_HEADER "<tofu/policies/poll/${name}.hpp>")
    endif()
    set(poller_includes "${poller_includes}#include ${arg_HEADER}\n" PARENT_SCOPE)
    if(NOT arg_NO_SUITE)
        set(poller_suites ${poller_suites} ${name} PARENT_SCOPE)
    endif()
    if(NOT arg_PARTS_ONLY)
        set(engine_pollers ${engine_pollers} ${name} PARENT_SCOPE)
    endif()
    set(types_all ${types_all} "${policy}" PARENT_SCOPE)
    foreach(what IN ITEMS PARTS_ONLY STAND_IN ATTACHES_ONCE)
        if(NOT arg_${what})
            set(types_not_${what} ${types_not_${what}} "${policy}" PARENT_SCOPE)
        endif()
    endforeach()
endfunction()

# The settings of a poller that only one option brings to the behaviour suites.
set(unless_direct PARTS_ONLY)
set(unless_emulated PARTS_ONLY)
if(TOFU_TEST_AFD_DIRECT)
    set(unless_direct "")
endif()
if(TOFU_TEST_EMULATED_KQUEUE)
    set(unless_emulated "")
endif()

if(WIN32)
    tofu_poller(afd_iocp "tofu::basic_afd_iocp<Network>")
    # A poll on a socket's own handle binds the socket to one completion port for all its life.
    tofu_poller(afd_iocp_direct "tofu::basic_afd_iocp<Network, tofu::afd_on_sockets>"
        HEADER <tofu/policies/poll/afd_iocp.hpp> ATTACHES_ONCE NO_SUITE ${unless_direct})
elseif(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    tofu_poller(linux_epoll "tofu::basic_linux_epoll<Network>")
    tofu_poller(posix_poll "tofu::basic_posix_poll<Network>" NO_SUITE)
    tofu_poller(linux_io_uring "tofu::basic_linux_io_uring<Network>")
    tofu_poller(bsd_kqueue "kqueue_over_emulation<Network>"
        HEADER "\"support/emulated_kqueue.hpp\"" STAND_IN ${unless_emulated})
elseif(CMAKE_SYSTEM_NAME MATCHES "Darwin|FreeBSD")
    tofu_poller(bsd_kqueue "tofu::basic_bsd_kqueue<Network>" NO_SUITE) # it needs the emulation of Linux
    tofu_poller(posix_poll "tofu::basic_posix_poll<Network>" NO_SUITE)
else()
    tofu_poller(posix_poll "tofu::basic_posix_poll<Network>" NO_SUITE)
endif()

# ---- what is made from the list ----
foreach(types IN ITEMS types_all types_not_PARTS_ONLY types_not_STAND_IN types_not_ATTACHES_ONCE)
    list(JOIN ${types} ", " ${types})
endforeach()
list(JOIN engine_pollers ", " poller_enumerators)
list(JOIN engine_pollers "\", \"" poller_names)
list(GET engine_pollers 0 default_poller)
configure_file(support/pollers.hpp.in pollers/pollers.hpp @ONLY)
configure_file(support/poller_names.hpp.in pollers/poller_names.hpp @ONLY)
foreach(name IN LISTS engine_pollers)
    configure_file(support/engines/poller.cpp.in pollers/${name}.cpp @ONLY)
    list(APPEND engines "${CMAKE_CURRENT_BINARY_DIR}/pollers/${name}.cpp")
endforeach()
