# SPDX-License-Identifier: BSL-1.0
# The suites of the protocol: bytes and rules, without a socket or a thread.
tofu_test(frame_reader UNIT channels)
tofu_test(frame_writer UNIT memory)
tofu_test(conversation_rules UNIT channels)
