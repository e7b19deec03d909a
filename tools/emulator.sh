# SPDX-License-Identifier: BSL-1.0
# Sourced by scripts that may run programs for another processor.
# shellcheck shell=bash

# Prints the emulator of qemu-user for a program of another processor, and nothing for a program that this processor
# executes itself. Bytes 18 and 19 of an ELF file name its processor (e_machine in elf(5)).
emulator_of() { # PROGRAM
    local processor
    case $(od -An -tx1 -j18 -N2 "$1" 2>/dev/null || true) in
    ' b7 00') processor=aarch64 ;;
    ' f3 00') processor=riscv64 ;;
    ' 00 16') processor=s390x ;;
    *) return 0 ;;
    esac
    [ "$processor" = "$(uname -m)" ] || echo "qemu-$processor"
}
