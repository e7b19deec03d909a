# SPDX-License-Identifier: BSL-1.0
# The suites of an engine's groups.
tofu_test(group_registry UNIT memory)
