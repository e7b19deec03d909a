# SPDX-License-Identifier: BSL-1.0
# The suites of the loop and of the engine around it.
tofu_test(limits CONCURRENT UNIT conversations)
tofu_test(expiry_gate UNIT channels)
tofu_test(partial_messages UNIT channels)
tofu_test(refusals UNIT channels)
tofu_test(starvation UNIT channels)
tofu_test(delivery UNIT channels)
tofu_test(application_timers UNIT memory)
tofu_test(engine_core CONCURRENT UNIT engines)
