# SPDX-License-Identifier: BSL-1.0
# Finds out whether atomic objects of one byte and of 64 bits need a library. g++ 12 calls libatomic for the former on
# riscv64, and compilers call it for the latter on 32-bit processors without such an instruction. Sets
# tofu_atomics_library, which is empty where nothing is needed. Installed with the package, as it asks for other
# processors than the one it was installed from.
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
