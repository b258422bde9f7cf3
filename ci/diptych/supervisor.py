"""Start one command and end everything that it started; a program of its own, run by :mod:`diptych.process`.

A process that leaves its process group or session (setsid(2)) is out of killpg's reach, and a run that is killed can
end nobody. So this program stands between a run and its command: on Linux, what the command started and left behind
becomes its child (prctl(2), PR_SET_CHILD_SUBREAPER), and when the run asks for it, or is gone, it ends all of them. It
has inherited the run's locks, the command does not get them: a daemon holds no lock, and the lock of a killed run is
held until nothing of it runs.

It starts for each command, so it imports little. Its words come as ``-I -S supervisor.py REQUEST REPLY``, two
descriptors. The request: fields that end in NUL, as argument lists and environments are made of anyway; see
:func:`_request`. One more byte asks it to interrupt the command, the end of the stream to end it. The reply: ``exit
STATUS``, negative for a signal, or ``errno NUMBER`` when the command could not be started; then the ids of what could
not be ended.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

_PR_SET_CHILD_SUBREAPER = 36
_FORCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.02
_CHUNK = 65536

INTERRUPT = b"i"


class _Command:
    """The command as it runs.

    Attributes:
        pid: its process, not yet reaped, so that the number stays its own.
        alone: whether it has a session of its own; else it shares the terminal's group with the run.
        grace: seconds between the polite signal and the other.
        interrupted: whether the terminal has sent its interrupt to the group, the command included.
    """

    def __init__(self, *, pid: int, alone: bool, grace: float) -> None:
        self.pid = pid
        self.alone = alone
        self.grace = grace
        self.interrupted = False


def _request(descriptor: int) -> tuple[bool, float, bytes, list[bytes], dict[bytes, bytes]]:
    """Read ``ALONE GRACE CWD COUNT ARGUMENT… NAME=VALUE… (empty)``; return all but the count."""
    read = b""
    while not read.endswith(b"\0\n"):
        chunk = os.read(descriptor, _CHUNK)
        if not chunk:
            raise SystemExit(1)
        read += chunk
    alone, grace, cwd, count, *rest = read[:-2].split(b"\0")
    words, variables = rest[: int(count)], rest[int(count) :]
    env = dict(one.split(b"=", 1) for one in variables)
    return alone == b"1", float(grace), cwd, words, env


def _start(words: list[bytes], env: dict[bytes, bytes], cwd: bytes, *, alone: bool) -> int:
    """Fork and execute; nothing but the three standard streams is passed on.

    Raises:
        OSError: there is no such folder, or the program cannot be executed.
    """
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 -- pathlib takes longer to import than all of this to run
        if int(name) > 2:  # noqa: PLR2004 -- the standard streams
            try:
                os.set_inheritable(int(name), False)  # noqa: FBT003 -- positional-only in CPython
            except OSError:  # the listing's own
                continue
    failed, fails = os.pipe()
    child = os.fork()  # one thread runs here, so that this is safe
    if child == 0:
        try:
            if alone:
                os.setsid()
            os.chdir(cwd)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            os.execve(words[0], words, env)  # noqa: S606 -- there is no shell to want
        except OSError as error:
            os.write(fails, str(error.errno).encode())
        finally:
            os._exit(127)
    os.close(fails)
    fault = os.read(failed, _CHUNK)
    os.close(failed)
    if fault:
        os.waitpid(child, 0)
        raise OSError(int(fault), "")
    return child


def _children() -> dict[int, list[int]]:
    """Map each process to its children; those that have ended and wait to be reaped are none."""
    found: dict[int, list[int]] = {}
    for pid, parent, state in _from_proc() if sys.platform == "linux" else _from_ps():
        if state != "Z":
            found.setdefault(parent, []).append(pid)
    return found


def _from_proc() -> list[tuple[int, int, str]]:
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208 -- as above
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 -- as above
                    # proc_pid_stat(5): the name of the program is in brackets, and may hold any character.
                    state, parent = file.read().rpartition(b")")[2].split()[:2]
            except OSError:  # ended meanwhile
                continue
            found.append((int(name), int(parent), state.decode()))
    return found


def _from_ps() -> list[tuple[int, int, str]]:
    with os.popen("ps -axo pid=,ppid=,stat=") as listing:  # noqa: S605, S607 -- macOS has no /proc
        rows = [line.split() for line in listing]
    found = [(int(row[0]), int(row[1]), row[2][:1]) for row in rows if len(row) == 3]  # noqa: PLR2004 -- columns
    return [row for row in found if _there(row[0])]  # the listing shows itself


def _there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _descendants() -> list[int]:
    """Return every process below this one, parents before their children."""
    children = _children()
    pending, found = [os.getpid()], []
    while pending:
        below = children.get(pending.pop(0), [])
        found += below
        pending += below
    return found


def _send(number: int, pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError:  # it ended meanwhile, or belongs to somebody else
            continue


def _send_group(command: _Command, number: int) -> None:
    """Signal the command's own group; its number is taken as long as the command is not reaped."""
    if command.alone:
        try:
            os.killpg(command.pid, number)
        except OSError:  # as above
            return


def _end(command: _Command) -> list[int]:
    """Ask everything below to stop, insist after a while, and return what is left."""
    for number, seconds in ((signal.SIGTERM, command.grace), (signal.SIGKILL, _FORCE_SECONDS)):
        _send_group(command, number)
        _send(number, _descendants())
        deadline = time.monotonic() + seconds
        while left := _descendants():
            if time.monotonic() > deadline:
                break
            if number == signal.SIGKILL:
                _send(number, left)  # what was started meanwhile
            time.sleep(_PAUSE_SECONDS)
        else:
            return []
    return _descendants()


def _reap(command: _Command, *, wait: bool) -> int:
    """Wait for the command, and for what it left in its group, which is ours by now; return the command's status."""
    found = 0
    while True:
        try:
            pid, status = os.waitpid(
                -command.pid if command.alone else command.pid, 0 if wait else os.WNOHANG
            )
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == command.pid:
            found = status


def _wait(command: _Command, descriptor: int, wake: int) -> bool:
    """Wait until the command has ended, and tell so; or until it shall be ended."""
    while True:
        state = os.waitid(os.P_PID, command.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if state is not None:
            return True
        ready, _, _ = select.select([descriptor, wake], [], [])
        if wake in ready:
            os.read(wake, _CHUNK)
        if descriptor in ready:
            if os.read(descriptor, 1) != INTERRUPT:
                return False
            if not command.interrupted:
                _send(signal.SIGINT, [command.pid])


def _listen(command: _Command) -> int:
    """Note the end of children and the terminal's signals; return a descriptor that becomes readable then."""

    def note(number: int, _frame: object) -> None:
        if number == signal.SIGINT:
            command.interrupted = True

    # The run and the command get the terminal's signals themselves; this program ends after both.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(number, note)
    signal.signal(signal.SIGCHLD, note)
    wake, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    return wake


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 -- nothing else in the standard library calls prctl

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def main() -> None:
    """Run the command of the request to its end."""
    descriptor, replies = int(sys.argv[1]), int(sys.argv[2])
    alone, grace, cwd, words, env = _request(descriptor)
    _adopt_orphans()
    command = _Command(pid=0, alone=alone, grace=grace)
    wake = _listen(command)
    try:
        command.pid = _start(words, env, cwd, alone=alone)
    except OSError as error:
        os.write(replies, f"errno {error.errno}".encode())
        return
    left = []
    if _wait(command, descriptor, wake):
        _send_group(command, signal.SIGKILL)  # what it left in its own group is no daemon
    else:
        left = _end(command)
    status = _reap(command, wait=not left)
    words_left = [str(pid) for pid in left]
    try:
        os.write(replies, " ".join(["exit", str(os.waitstatus_to_exitcode(status)), *words_left]).encode())
    except BrokenPipeError:  # the run is gone
        return


if __name__ == "__main__":
    main()
    os._exit(0)  # nothing is open that has to be written: tearing the interpreter down takes milliseconds
