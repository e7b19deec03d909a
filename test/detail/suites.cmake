# SPDX-License-Identifier: BSL-1.0
# The suites of include/tofu/detail.
tofu_test(intrusive_list UNIT memory)
tofu_test(deadline UNIT channels)
