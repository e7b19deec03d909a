# SPDX-License-Identifier: BSL-1.0
# Sourced by the other tools. Installs missing packages on a bare Debian 12, and does not call apt for installed ones.
# shellcheck shell=bash

# Takes pairs: a proof that something is installed, and the package that contains it. The proof is a command's name, a
# file's absolute path, a library's file name, or - for the package itself. DEMO_NEEDS is for the demonstration,
# BUILD_NEEDS for every build with tests.
# shellcheck disable=SC2034
DEMO_NEEDS=(cmake cmake ninja ninja-build g++ g++ /usr/include/boost/mp11.hpp libboost-dev
    /usr/include/cxxopts.hpp libcxxopts-dev /usr/include/fmt/core.h libfmt-dev)
# shellcheck disable=SC2034
BUILD_NEEDS=("${DEMO_NEEDS[@]}" git git patch patch pkg-config pkg-config
    libboost_unit_test_framework.so libboost-test-dev /usr/include/spdlog/spdlog.h libspdlog-dev
    /etc/ssl/certs/ca-certificates.crt ca-certificates)
# For programs that run on Windows, and for running them here. (The package wine64 alone brings no command wine.)
# shellcheck disable=SC2034
WINDOWS_NEEDS=(x86_64-w64-mingw32-g++-posix g++-mingw-w64-x86-64-posix /usr/lib/wine/wineserver64 wine64 wine wine
    ld.lld lld)

# For Linux programs of other processors: arm64, big-endian s390x, riscv64 and 32-bit x86. All but the last are run by
# qemu-user.
# shellcheck disable=SC2034
PROCESSOR_NEEDS=(qemu-s390x qemu-user aarch64-linux-gnu-g++ g++-aarch64-linux-gnu
    s390x-linux-gnu-g++ g++-s390x-linux-gnu riscv64-linux-gnu-g++ g++-riscv64-linux-gnu
    i686-linux-gnu-g++ g++-i686-linux-gnu)

is_there() {
    case $1 in
    /*) [ -e "$1" ] ;;
    lib*.so) compgen -G "/usr/lib/$1" >/dev/null || compgen -G "/usr/lib/*/$1" >/dev/null ;;
    -) [ "$(dpkg-query -W -f='${db:Status-Status}' "$2" 2>/dev/null)" = installed ] ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

install_missing() {
    local missing=() root=() log
    while [ $# -gt 0 ]; do
        is_there "$1" "$2" || missing+=("$2")
        shift 2
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    if ! command -v apt-get >/dev/null 2>&1; then
        echo "missing: ${missing[*]} - this system has no apt-get; install the like of them yourself" >&2
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "missing: ${missing[*]} - run this as root, or: apt-get install ${missing[*]}" >&2
            return 1
        fi
        root=(sudo)
    fi
    echo "installing: ${missing[*]}"
    log=$(mktemp)
    if ! { ${root[@]+"${root[@]}"} apt-get update &&
        ${root[@]+"${root[@]}"} env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}
