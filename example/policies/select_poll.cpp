// SPDX-License-Identifier: BSL-1.0
// An engine that waits with select talks to an engine with the default poller, and refuses a socket for which select
// has no room.
#include "select_poll.hpp"
#include "talk.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

namespace {

using select_engine = tofu::reactor_with<example::select_poll>;

/// Takes every descriptor below FD_SETSIZE, as long as it lives.
class crowd {
public:
    crowd() {
        int taken = 0;
        while (taken >= 0 && taken < FD_SETSIZE) {
            taken = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
            if (taken >= 0) taken_.push_back(taken);
        }
    }
    crowd(const crowd&) = delete;
    crowd& operator=(const crowd&) = delete;
    ~crowd() {
        for (const int taken : taken_) ::close(taken);
    }

private:
    std::vector<int> taken_;
};

bool may_open_more_than_fit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < FD_SETSIZE + 100) return false;
    limit.rlim_cur = FD_SETSIZE + 100;
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

void refuse_what_does_not_fit() {
    tofu::reactor server_engine;
    select_engine client_engine;
    auto server = server_engine.create_group();
    auto client = client_engine.create_group();
    const tofu::address where = example::listen(server_engine, server);
    {
        const crowd all_taken;
        example::call(client_engine, client, where);
        const tofu::message_ptr refused = example::expect(client, tofu::op_code::hello_response);
        std::cout << "refused: " << to_string(refused->status()) << ", " << refused->headers().find(tofu::reason_header)
                  << '\n';
        example::check(refused->status() == tofu::status::connect_failed, "a socket too high must be refused");
    }
    example::call(client_engine, client, where); // nothing was harmed
    example::answer(server, example::expect(server, tofu::op_code::hello_request), tofu::op_code::hello_response);
    example::expect(client, tofu::op_code::hello_response);
}

void wait_with_select() {
    select_engine one;
    select_engine other;
    tofu::reactor usual;
    example::talk(one, other);
    example::talk(one, usual);
    example::talk(usual, one);

    select_engine mine({}, tofu::driven_by::caller);
    example::talk(mine, mine);

    if (may_open_more_than_fit())
        refuse_what_does_not_fit();
    else
        std::cout << "not tried: a descriptor as high as FD_SETSIZE, this process may not have one\n";
}

} // namespace

int main() { return example::run(wait_with_select); }
