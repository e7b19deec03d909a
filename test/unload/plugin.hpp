// SPDX-License-Identifier: BSL-1.0
// The interface between the program and its plug-ins: C functions, no type of the library.
#ifndef TOFU_TEST_UNLOAD_PLUGIN_HPP
#define TOFU_TEST_UNLOAD_PLUGIN_HPP

extern "C" {

/// The program's code inside a look-up of the plug-in. Called on the look-up's thread.
struct look_up_gate {
    void (*wait)(look_up_gate*);
};

/// The functions of a plug-in.
struct plugin_calls {
    /// Makes the plug-in's engine, with an I/O thread and a listener. False: no engine, or it does not listen.
    bool (*make_engine)();
    /// Has the engine look up a name, which waits at the gate.
    bool (*look_up)(look_up_gate*);
    /// True if the engine knows that the parent of this process made it.
    bool (*is_inherited)();
    void (*destroy_engine)();
};

/// The one symbol of a plug-in.
const plugin_calls* tofu_test_plugin();
}

#endif
