// SPDX-License-Identifier: BSL-1.0
// Commands to the loop: each runs until it is complete, in its order, and its caller is told then.
#include <boost/test/unit_test.hpp>

#include <tofu/engine/threads/loop_command.hpp>

#include <vector>

BOOST_AUTO_TEST_SUITE(loop_command)

namespace {

using tofu::engine::command_list;

/// The loop on which the commands run.
struct fake_loop {
    std::vector<int> ran;
};

/// A call that is complete when it has run `times` times.
struct call : tofu::engine::loop_command {
    call(int which, int times) : loop_command(&call::step, this), name(which), left(times) {}

    static bool step(void* loop, void* context) noexcept {
        call& self = *static_cast<call*>(context);
        static_cast<fake_loop*>(loop)->ran.push_back(self.name);
        self.was_done = self.was_done || self.done;
        return --self.left == 0;
    }

    int name;
    int left;
    bool was_done = false; ///< it ran after its caller had been told
};

using names = std::vector<int>;

} // namespace

BOOST_AUTO_TEST_CASE(a_command_is_a_node_that_can_be_told_from_messages) {
    const call c(1, 1);
    BOOST_TEST((c.kind == tofu::detail::node_kind::command));
    BOOST_TEST(!c.done);
}

BOOST_AUTO_TEST_CASE(a_command_that_completes_at_once_is_done_and_not_kept) {
    fake_loop loop;
    command_list commands;
    BOOST_TEST(commands.empty());
    call c(1, 1);
    commands.run(&loop, c);
    BOOST_TEST(c.done);
    BOOST_TEST(commands.empty());
    commands.run_again(&loop);
    BOOST_TEST((loop.ran == names{1}));
}

BOOST_AUTO_TEST_CASE(a_command_runs_once_a_turn_until_it_is_complete) {
    fake_loop loop;
    command_list commands;
    call c(1, 3);
    commands.run(&loop, c);
    for (int turn = 0; turn < 2; ++turn) {
        BOOST_TEST(!c.done);
        BOOST_TEST(!commands.empty());
        commands.run_again(&loop);
    }
    BOOST_TEST(c.done);
    BOOST_TEST(commands.empty());
    commands.run_again(&loop);
    BOOST_TEST((loop.ran == names{1, 1, 1}));
    BOOST_TEST(!c.was_done);
}

BOOST_AUTO_TEST_CASE(commands_run_again_in_the_order_in_which_they_came) {
    fake_loop loop;
    command_list commands;
    call first(1, 3);
    call second(2, 2);
    call third(3, 3);
    for (call* each : {&first, &second, &third}) commands.run(&loop, *each);
    commands.run_again(&loop);
    BOOST_TEST(second.done);
    commands.run_again(&loop);
    BOOST_TEST((loop.ran == names{1, 2, 3, 1, 2, 3, 1, 3}));
    BOOST_TEST(first.done);
    BOOST_TEST(third.done);
    BOOST_TEST(commands.empty());
}

BOOST_AUTO_TEST_CASE(a_completion_is_reported_once) {
    fake_loop loop;
    command_list commands;
    call slow(1, 2);
    call quick(2, 1);
    BOOST_TEST(!commands.take_completed());
    commands.run(&loop, slow);
    BOOST_TEST(!commands.take_completed());
    commands.run(&loop, quick);
    BOOST_TEST(commands.take_completed());
    BOOST_TEST(!commands.take_completed());
    commands.run_again(&loop);
    BOOST_TEST(commands.take_completed());
    BOOST_TEST(!commands.take_completed());
}

BOOST_AUTO_TEST_CASE(a_command_that_comes_while_others_run_again_waits_behind_them) {
    fake_loop loop;
    command_list commands;
    struct nested : tofu::engine::loop_command {
        nested(command_list& all, call& which) : loop_command(&nested::step, this), commands(all), inner(which) {}
        static bool step(void* loop, void* context) noexcept {
            nested& self = *static_cast<nested*>(context);
            if (++self.runs == 2) self.commands.run(loop, self.inner);
            return self.runs == 3;
        }
        command_list& commands;
        call& inner;
        int runs = 0;
    };
    call last(1, 2);
    call inner(2, 2);
    nested outer(commands, inner);
    commands.run(&loop, outer);
    commands.run(&loop, last);
    commands.run_again(&loop);
    BOOST_TEST((loop.ran == names{1, 2, 1})); // the inner command once
    BOOST_TEST(last.done);
    commands.run_again(&loop);
    BOOST_TEST((loop.ran == names{1, 2, 1, 2}));
    BOOST_TEST(outer.done);
    BOOST_TEST(commands.empty());
}

BOOST_AUTO_TEST_SUITE_END()
