# SPDX-License-Identifier: BSL-1.0
# Sourced by the scripts that run example programs: nothing lasts longer than it may, nothing is left running.
# shellcheck shell=bash

me=${0##*/}
work=$(mktemp -d)
started=()
trap clean_up EXIT

say() { printf '\n== %s\n' "$*"; }

fail() {
    echo "$me: $*" >&2
    tail -n 20 "$work"/*.out >&2 2>/dev/null || true
    exit 1
}

clean_up() {
    local pid
    for pid in ${started[@]+"${started[@]}"}; do kill -KILL "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}

# Ends the script when it is not over after so many seconds. The watchman is gone when nobody holds his pipe any more.
limit_time() { # SECONDS
    exec 9> >(
        code=0
        read -r -t "$1" || code=$?
        [ "$code" -gt 128 ] || exit 0
        echo "$me: not over after $1 s" >&2
        kill -TERM $$
    )
}

# Starts a process whose lines `next_line` reads, one at a time, as it writes them. Its id is then in $pid.
start_and_listen() { # COMMAND...
    [ -p "$work/says" ] || mkfifo "$work/says"
    "$@" >"$work/says" 9>&- &
    pid=$! started+=("$pid")
    exec 3<"$work/says"
}

# Starts a process whose output goes to a file. Its id is then in $pid.
start_quietly() { # NAME COMMAND...
    local name=$1
    shift
    "$@" >"$work/$name.out" 2>&1 9>&- &
    pid=$! started+=("$pid")
}

# The next line in $line; false when there will be none any more.
next_line() {
    IFS= read -r line <&3 || return 1
    printf '%s\n' "$line" >>"$work/said.out"
}

# Reads on to a line that matches; what it captured is in BASH_REMATCH.
await_line() { # REGULAR_EXPRESSION
    while next_line; do
        if [[ $line =~ $1 ]]; then return 0; fi
    done
    fail "no line matches $1"
}

# Waits for the end of a process, and compares its exit code.
expect_end() { # NAME PID CODE
    local code=0
    wait "$2" 2>/dev/null || code=$?
    [ "$code" -eq "$3" ] || fail "$1 ended with $code instead of $3"
}

# SIGKILL leaves a process no time to say bye.
kill_at_once() { # NAME PID
    kill -KILL "$2" 2>/dev/null || fail "$1 had ended by itself"
    expect_end "$1" "$2" 137
}
