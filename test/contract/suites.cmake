# SPDX-License-Identifier: BSL-1.0
# The suites of include/tofu/contract.
tofu_test(nothrow_vector UNIT memory)
