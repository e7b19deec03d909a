# SPDX-License-Identifier: BSL-1.0
# The suites of what a user reads and writes: messages, addresses, options, statuses.
tofu_test(status UNIT values)
tofu_test(reason UNIT values)
tofu_test(binary_header UNIT values)
tofu_test(byte_buffer UNIT memory)
tofu_test(text_headers UNIT values)
tofu_test(address UNIT values)
tofu_test(message UNIT values)
tofu_test(options UNIT values)
