// SPDX-License-Identifier: BSL-1.0
// A unit without exceptions that instantiates every member function, also those that it does not use. The linker may
// take any of these definitions for the units that have exceptions.
#include <tofu/tofu.hpp>

template class tofu::basic_channel_group<tofu::reactor::policies>;
#if !defined(_WIN32) // the default poller of Windows has no descriptor for native_handle
template class tofu::basic_reactor<>;
#endif
