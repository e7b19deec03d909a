# SPDX-License-Identifier: BSL-1.0
# The suites of the loop and of the engine around it.
tofu_test(limits CONCURRENT UNIT conversations)
tofu_test(expiry_gate UNIT channels)
tofu_test(engine_core CONCURRENT UNIT engines)
