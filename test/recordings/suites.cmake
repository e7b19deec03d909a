# SPDX-License-Identifier: BSL-1.0
# The suite of the recorded conversations.
tofu_test(recordings CONCURRENT TIMEOUT 180 UNIT conversations)
