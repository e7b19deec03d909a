# SPDX-License-Identifier: BSL-1.0
# Sourced by the scripts that run example programs. Limits the time of a script, and ends all its processes.
# shellcheck shell=bash

# shellcheck source=tools/emulator.sh
. "${BASH_SOURCE[0]%/*}/../tools/emulator.sh"

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

# Ends the script when it still runs after SECONDS, multiplied by TOFU_TEST_TIMEOUT_FACTOR (see cmake/timeouts.cmake).
# The background process that does this ends when no process holds its pipe any more.
limit_time() { # SECONDS
    local limit=$(($1 * ${TOFU_TEST_TIMEOUT_FACTOR:-1}))
    exec 9> >(
        code=0
        read -r -t "$limit" || code=$?
        [ "$code" -gt 128 ] || exit 0
        echo "$me: not over after $limit s" >&2
        kill -TERM $$
    )
}

# A program is named without its ending. A program for Windows is run by Wine, whose Windows is in WINEPREFIX. Wine's
# background processes outlive a program and keep its inherited descriptors. So they must not get a pipe that is read to
# its end.
is_for_windows() { [ ! -e "$1" ] && [ -e "$1.exe" ]; } # PROGRAM

# When a process is killed, Wine 8 keeps its sockets open one time in twenty, as long as its other programs run. Then no
# peer can see that the process is gone. So a process that will be killed is started with `mortal=yes`. It gets a
# Windows of its own that ends with it: the same disk, other background processes.
enter_own_windows() {
    local twin=$work/windows.$BASHPID
    mkdir -p "$twin/dosdevices"
    cp "$WINEPREFIX"/*.reg "$WINEPREFIX/.update-timestamp" "$twin"
    ln -s "$(cd "$WINEPREFIX/drive_c" && pwd)" "$twin/dosdevices/c:"
    ln -s / "$twin/dosdevices/z:"
    export WINEPREFIX=$twin
}

# Replaces this shell by the program: call it in a subshell.
become() { # PROGRAM ARGUMENTS...
    local program=$1 emulator
    if ! is_for_windows "$program"; then
        emulator=$(emulator_of "$program")
        exec ${emulator:+"$emulator"} "$@"
    fi
    shift
    export WINEDEBUG=-all WINEDLLOVERRIDES='mscoree=;mshtml=;winemenubuilder.exe='
    unset DISPLAY WAYLAND_DISPLAY
    if [ -n "${mortal-}" ]; then enter_own_windows; fi
    exec wine "$program.exe" "$@" </dev/null
}

# Makes Wine's Windows where there is none yet. Nothing to do for programs that do not need it.
prepare() { # PROGRAMS...
    local program
    for program in "$@"; do
        if ! is_for_windows "$program"; then continue; fi
        "${BASH_SOURCE[0]%/*}/../tools/wine-run" "${WINEPREFIX:?is not set}" cmd /c exit || fail 'there is no Wine'
        return 0
    done
}

# Runs a program to its end, and then shows its output.
run_program() { # PROGRAM ARGUMENTS...
    local code=0
    (become "$@") >"$work/run.out" 2>&1 9>&- || code=$?
    tr -d '\r' <"$work/run.out"
    return "$code"
}

# The lines of a file that a process writes to, as they come, until the process has ended.
follow_file() { # FILE PID
    exec tail -n +1 -s 0.05 -f --pid="$2" "$1" 9>&-
}

# Starts a program whose lines `next_line` reads, one at a time, as it writes them. Its id is then in $pid.
start_and_listen() { # PROGRAM ARGUMENTS...
    if is_for_windows "$1"; then
        : >"$work/listened.out" # the file must exist before follow_file reads it
        become "$@" >"$work/listened.out" 2>"$work/complaints.out" 9>&- &
        pid=$! started+=("$pid")
        exec 3< <(follow_file "$work/listened.out" "$pid")
        return 0
    fi
    [ -p "$work/says" ] || mkfifo "$work/says"
    become "$@" >"$work/says" 9>&- &
    pid=$! started+=("$pid")
    exec 3<"$work/says"
}

# Starts a program whose output goes to a file. Its id is then in $pid.
start_quietly() { # NAME PROGRAM ARGUMENTS...
    local name=$1
    shift
    : >"$work/$name.out"
    become "$@" >"$work/$name.out" 2>&1 9>&- &
    pid=$! started+=("$pid")
}

# Waits until a process from start_quietly has written a matching line.
await_word() { # NAME PID REGULAR_EXPRESSION
    grep -qE "$3" < <(follow_file "$work/$1.out" "$2") || fail "$1 never says $3"
}

# Reads the next line into $line. False: there will be none.
next_line() {
    IFS= read -r line <&3 || return 1
    line=${line%$'\r'}
    printf '%s\n' "$line" >>"$work/said.out"
}

# Reads on to a line that matches. BASH_REMATCH holds the captured parts.
await_line() { # REGULAR_EXPRESSION
    while next_line; do
        if [[ $line =~ $1 ]]; then return 0; fi
    done
    fail "no line matches $1"
}

# Reads the print spool's lines about its two addresses into $tcp and $uds. Both are the same if the system has no Unix
# domain sockets.
await_addresses() {
    local way
    tcp='' uds=''
    while [ -z "$tcp" ] || [ -z "$uds" ]; do
        await_line '^(not )?listening on ((tcp|uds)\|.*)$'
        way=${BASH_REMATCH[1]}${BASH_REMATCH[3]}
        case $way in
        tcp) tcp=${BASH_REMATCH[2]} ;;
        uds) uds=${BASH_REMATCH[2]} ;;
        'not uds') uds=none ;;
        *) fail "$line" ;;
        esac
    done
    if [ "$uds" = none ]; then uds=$tcp; fi
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
