# SPDX-License-Identifier: BSL-1.0
# Sets tofu_atomics_library to the library that atomic objects of one byte and of 64 bits need, or to nothing. On
# riscv64 g++ 12 calls libatomic for one byte. On 32-bit processors without a 64-bit atomic instruction, compilers call
# libatomic for 64 bits. The package contains this file, because an installed tofu is used for other processors, too.
include(CheckCXXSourceCompiles)
check_cxx_source_compiles("
    #include <atomic>
    #include <cstdint>
    std::atomic<bool> flag{false};
    std::atomic<std::uint64_t> count{0};
    int main() { return flag.exchange(true) || count.fetch_add(1) != 0; }
" TOFU_ATOMICS_ARE_BUILT_IN)
set(tofu_atomics_library "")
if(NOT TOFU_ATOMICS_ARE_BUILT_IN)
    set(tofu_atomics_library atomic)
endif()
