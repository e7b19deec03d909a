// SPDX-License-Identifier: BSL-1.0
// Plug-ins that use the library are unloaded: after their engines, while a look-up runs, before a fork. Arguments: the
// files of two plug-ins. Exits with 0 when all was right.
#include "plugin.hpp"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace {

void require(bool right, const char* what) {
    if (right) return;
    std::fprintf(stderr, "unload: %s\n", what);
    std::exit(1);
}

/// Knows when a look-up has begun and when its thread has ended, and lets it wait in between.
class held_look_up : public look_up_gate {
public:
    held_look_up() : look_up_gate{[](look_up_gate* self) { static_cast<held_look_up*>(self)->hold(); }} {
        // The thread runs code of the plug-in up to its end, and after that the destructors of its keys.
        require(::pthread_key_create(&end_, [](void* self) { static_cast<held_look_up*>(self)->enter(ended); }) == 0,
                "no key for the end of the thread");
    }
    held_look_up(const held_look_up&) = delete;
    held_look_up& operator=(const held_look_up&) = delete;
    ~held_look_up() { ::pthread_key_delete(end_); }

    void await_begin() { await(begun); }
    void release() { enter(released); }
    void await_end() { await(ended); }

private:
    enum state { none, begun, released, ended };

    void hold() {
        ::pthread_setspecific(end_, this);
        enter(begun);
        await(released);
    }
    void enter(state next) {
        const std::lock_guard lock(mutex_);
        state_ = next;
        changed_.notify_all();
    }
    void await(state wanted) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return state_ >= wanted; });
    }

    pthread_key_t end_{};
    std::mutex mutex_;
    std::condition_variable changed_;
    state state_ = none;
};

/// A plug-in while it is loaded.
class plugin {
public:
    plugin(const char* file, int scope) : file_(file), handle_(::dlopen(file, RTLD_NOW | scope)) {
        if (handle_ == nullptr) std::fprintf(stderr, "unload: %s\n", ::dlerror());
        require(handle_ != nullptr, "a plug-in cannot be loaded");
        using entry = decltype(&tofu_test_plugin);
        calls_ = reinterpret_cast<entry>(::dlsym(handle_, "tofu_test_plugin"))();
    }
    const plugin_calls* operator->() const { return calls_; }

    void unload() { require(::dlclose(handle_) == 0, "a plug-in cannot be unloaded"); }
    [[nodiscard]] bool is_loaded() const {
        void* const still = ::dlopen(file_, RTLD_NOW | RTLD_NOLOAD);
        if (still != nullptr) ::dlclose(still);
        return still != nullptr;
    }

private:
    const char* file_;
    void* handle_;
    const plugin_calls* calls_ = nullptr;
};

/// True if `right` returns true in a forked child.
template <class Right>
bool holds_in_a_child(Right right) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(20);
        ::_exit(right() ? 0 : 1);
    }
    int status = -1;
    return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}
bool fork_works() {
    return holds_in_a_child([] { return true; });
}

/// A plug-in that looked up no name leaves no thread and no fork handler.
void a_plugin_is_unloaded_after_its_engine(const char* file) {
    plugin one(file, RTLD_LOCAL);
    require(one->make_engine(), "the plug-in's engine does not listen");
    require(holds_in_a_child([&] { return one->is_inherited(); }), "a forked child takes the engine for its own");
    one->destroy_engine();
    one.unload();
    require(!one.is_loaded(), "a plug-in that has looked nothing up stays loaded");
    require(fork_works(), "no fork after a plug-in was unloaded");
}

/// The first plug-in is RTLD_GLOBAL, so the second uses its symbols. Unloading the second must not remove the first
/// one's fork handler.
void a_plugin_that_goes_leaves_the_other_one_its_forks(const char* stays, const char* goes) {
    plugin first(stays, RTLD_GLOBAL);
    plugin second(goes, RTLD_LOCAL);
    require(second->make_engine(), "the second plug-in's engine does not listen");
    second->destroy_engine();
    second.unload();
    require(first->make_engine(), "the first plug-in's engine does not listen");
    require(holds_in_a_child([&] { return first->is_inherited(); }),
            "a forked child takes the other engine for its own");
    first->destroy_engine();
    first.unload();
    require(fork_works(), "no fork after both plug-ins were unloaded");
}

void a_look_up_outlives_the_plugin(const char* file) {
    held_look_up look_up;
    plugin one(file, RTLD_LOCAL);
    require(one->make_engine(), "the plug-in's engine does not listen");
    require(one->look_up(&look_up), "the plug-in does not look up");
    look_up.await_begin();
    one->destroy_engine();
    one.unload();
    look_up.release();
    look_up.await_end();
    require(one.is_loaded(), "a plug-in that has looked something up is gone");
    require(fork_works(), "no fork after a look-up");
}

} // namespace

int main(int count, char** words) {
    ::alarm(60);
    require(count == 3, "usage: unload PLUGIN PLUGIN");
    a_plugin_is_unloaded_after_its_engine(words[1]);
    a_plugin_that_goes_leaves_the_other_one_its_forks(words[1], words[2]);
    a_look_up_outlives_the_plugin(words[1]);
}
