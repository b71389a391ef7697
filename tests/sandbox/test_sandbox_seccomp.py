"""The filter of system calls, run by a small interpreter of its own: for machines not at hand, too.

Whether a kernel takes it and holds to it is shown by the hostile programs.
"""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
from collections.abc import Iterator

import pytest

from orket_lib.sandbox.seccomp import call_filter

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOWED, KILLED = "allowed", "killed"


def lines_of(program: bytes) -> list[tuple[int, int, int, int]]:
    return list(struct.iter_unpack("=HBBI", program))


def verdict(
    program: bytes,
    call: int,
    first: int = 0,
    architecture: int = 0,
    third: int = 0,
    fourth: int = 0,
    second: int = 0,
) -> str | int:
    """Return what the filter says to a call: allowed, killed, or the number of an error."""
    data = struct.pack("=IIQQQQQ", call, architecture, 0, first, second, third, fourth)
    lines, at, register = lines_of(program), 0, 0
    while True:
        code, if_true, if_false, value = lines[at]
        at += 1
        if code == 0x20:
            (register,) = struct.unpack_from("=I", data, value)
        elif code == 0x06:
            action, detail = value & 0xFFFF0000, value & 0xFFFF
            return {0x7FFF0000: ALLOWED, 0x80000000: KILLED}.get(action, detail)
        else:
            true = {
                0x15: register == value,
                0x35: register >= value,
                0x45: bool(register & value),
            }[code]
            at += if_true if true else if_false


@pytest.fixture(params=sorted(ARCHITECTURES))
def machine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def judge(machine: str) -> Iterator[object]:
    program = call_filter(machine)
    assert program is not None

    def ask(calls: dict[str, int], first: int = 0, third: int = 0, fourth: int = 0) -> str | int:
        return verdict(program, calls[machine], first, ARCHITECTURES[machine], third, fourth)

    yield ask


READ = {"x86_64": 0, "aarch64": 63}
EXECVE = {"x86_64": 59, "aarch64": 221}
PTRACE = {"x86_64": 101, "aarch64": 117}
MEMFD = {"x86_64": 319, "aarch64": 279}
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = {"x86_64": 435, "aarch64": 435}
SOCKET = {"x86_64": 41, "aarch64": 198}
PRLIMIT = {"x86_64": 302, "aarch64": 261}
MADVISE = {"x86_64": 28, "aarch64": 233}
MMAP = {"x86_64": 9, "aarch64": 222}
SETSOCKOPT = {"x86_64": 54, "aarch64": 208}
FCNTL = {"x86_64": 72, "aarch64": 25}
SHARED = {
    "inotify_init1": {"x86_64": 294, "aarch64": 26},
    "fanotify_init": {"x86_64": 300, "aarch64": 262},
    "io_setup": {"x86_64": 206, "aarch64": 0},
    "flock": {"x86_64": 73, "aarch64": 32},
}


def test_every_jump_lands_in_the_program_and_every_way_ends(machine: str) -> None:
    lines = lines_of(call_filter(machine) or b"")
    for number, (code, if_true, if_false, _) in enumerate(lines):
        if code in (0x15, 0x35, 0x45):
            assert number + 1 + max(if_true, if_false) < len(lines)
    assert lines[-1][0] == 0x06
    assert len(lines) < 4096


def test_calls_by_number(judge: object) -> None:
    assert callable(judge)
    assert judge(READ) == judge(EXECVE) == ALLOWED
    assert judge(PTRACE) == judge(MEMFD) == errno.EPERM
    assert judge(CLONE3) == errno.ENOSYS


@pytest.mark.parametrize("flag", range(32))
def test_new_namespaces_are_refused_and_threads_are_not(judge: object, flag: int) -> None:
    assert callable(judge)
    namespaces = {17, 25, 26, 27, 28, 29, 30}
    assert judge(CLONE, 1 << flag) == (errno.EPERM if flag in namespaces else ALLOWED)
    assert judge(CLONE, 0x003D0F00) == ALLOWED  # what a thread is started with
    assert judge(CLONE, 0x003D0F00 | 1 << 28) == errno.EPERM


@pytest.mark.parametrize("family", range(46))
def test_only_families_that_a_namespace_bounds(judge: object, family: int) -> None:
    assert callable(judge)
    assert judge(SOCKET, family) == (ALLOWED if family in (1, 2, 10) else errno.EAFNOSUPPORT)


def test_limits_of_oneself_only(judge: object) -> None:
    assert callable(judge)
    assert judge(PRLIMIT, 0) == ALLOWED
    assert judge(PRLIMIT, 1) == judge(PRLIMIT, 2**31 - 1) == errno.EPERM


def test_memory_stays_where_it_is_counted(judge: object) -> None:
    assert callable(judge)
    advice = [judge(MADVISE, third=number) for number in range(30)]
    assert advice == [errno.EINVAL if number == 21 else ALLOWED for number in range(30)]


@pytest.mark.parametrize("others", [0, 0x10, 0x4000, 0x20000, 0x40000])
def test_a_mapping_is_private_or_of_a_file(judge: object, others: int) -> None:
    assert callable(judge)
    private, shared, validated, anonymous = 2, 1, 3, 0x20
    assert judge(MMAP, fourth=private | anonymous | others) == ALLOWED
    for kind in (private, shared, validated):
        assert judge(MMAP, fourth=kind | others) == ALLOWED
    for kind in (shared, validated):
        assert judge(MMAP, fourth=kind | anonymous | others) == errno.EPERM


@pytest.mark.parametrize("call", ["inotify_init1", "fanotify_init", "io_setup", "flock"])
def test_what_all_users_share_is_refused(judge: object, call: str) -> None:
    assert callable(judge)
    assert judge(SHARED[call]) == errno.EPERM


def test_buffers_of_sockets_keep_their_size(judge: object) -> None:
    assert callable(judge)
    refused = [number for number in range(64) if judge(SETSOCKOPT, third=number) != ALLOWED]
    assert refused == [socket.SO_SNDBUF, socket.SO_RCVBUF, 32, 33]


def test_files_can_be_locked_and_not_leased(judge: object, machine: str) -> None:
    program = call_filter(machine) or b""

    def said(command: int) -> str | int:
        return verdict(program, FCNTL[machine], 0, ARCHITECTURES[machine], second=command)

    assert {said(number) for number in range(64)} == {ALLOWED}
    assert [said(number) for number in range(1024, 1036)].count(errno.EPERM) == 2
    assert said(fcntl.F_SETLEASE) == said(fcntl.F_NOTIFY) == errno.EPERM


def test_calls_of_another_architecture_end_the_process(machine: str) -> None:
    program = call_filter(machine) or b""
    for architecture in (0x40000003, 0x40000028, 0):
        assert verdict(program, 0, architecture=architecture) == KILLED


def test_the_second_set_of_numbers_of_x86_is_closed() -> None:
    program = call_filter("x86_64") or b""
    call = 0x40000000 | 101
    assert verdict(program, call, architecture=ARCHITECTURES["x86_64"]) == KILLED


def test_an_unknown_machine_has_no_filter() -> None:
    assert call_filter("riscv64") is None
