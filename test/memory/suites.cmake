# SPDX-License-Identifier: BSL-1.0
# The suites of the messages' memory.
tofu_test(message_pool CONCURRENT UNIT memory)
tofu_test(alive_limit CONCURRENT UNIT channels)
