# SPDX-License-Identifier: BSL-1.0
# The suites of what passes between threads.
tofu_test(handoff CONCURRENT UNIT channels)
tofu_test(wait_gate CONCURRENT UNIT channels)
tofu_test(loan CONCURRENT UNIT channels)
tofu_test(loop_command UNIT channels)
tofu_test(brief_lock CONCURRENT UNIT memory)
