# SPDX-License-Identifier: BSL-1.0
# The suites of channel numbers and channel states.
tofu_test(channel_word UNIT memory)
tofu_test(channel_directory CONCURRENT UNIT channels)
