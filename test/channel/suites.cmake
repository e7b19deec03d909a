# SPDX-License-Identifier: BSL-1.0
# The suites of channels and groups.
tofu_test(channel_word UNIT memory)
tofu_test(channel_directory CONCURRENT UNIT channels)
tofu_test(group_registry UNIT memory)
tofu_test(admission CONCURRENT UNIT channels)
tofu_test(channel_states UNIT channels)
tofu_test(channel_limits UNIT channels)
tofu_test(read_budget UNIT channels)
tofu_test(accept_pace UNIT channels)
