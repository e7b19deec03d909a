# SPDX-License-Identifier: BSL-1.0
# The suites of the policies, one each, and of the contracts they fulfil.
tofu_test(pollers CONCURRENT)
tofu_test(null_poll CONCURRENT UNIT life)
tofu_test(policy_concepts CONCURRENT UNIT engines)
tofu_test(wait_timeout UNIT channels)
tofu_test(manual_timer CONCURRENT UNIT engines)
tofu_test(no_timers UNIT engines)
tofu_test(simulated_sockets UNIT engines)
tofu_test(simulated_world UNIT engines)
tofu_test(simulated_poll CONCURRENT UNIT engines)
tofu_test(simulated_completions UNIT engines)
tofu_test(channel_pools UNIT memory)
tofu_test(channel_keys UNIT memory)
# The suites of one poller each.
foreach(name IN LISTS poller_suites)
    tofu_test(${name} CONCURRENT)
endforeach()
