# SPDX-License-Identifier: BSL-1.0
# The suites of all combinations of policies.
tofu_test(policy_product CONCURRENT TIMEOUT 180 EARLY UNIT life) # a case for each combination
tofu_test(mixed_sets CONCURRENT UNIT life)
