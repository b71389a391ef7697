"""Linux calls that drop rights, which the standard library lacks.

Loaded inside a sandbox, where each import adds to the start time of every program.
"""

from __future__ import annotations

import ctypes
import os
import sys

assert sys.platform == "linux"

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_SLAVE = 0x1000, 0x4000, 0x80000
MNT_DETACH = 2
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV = 1, 2, 4

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION_3 = 0x20080522
_SIGINT, _SIGKILL, _SIGPIPE, _SIGXFSZ = 2, 9, 13, 25
# Newer calls have one number on every architecture.
_SYS_PIDFD_OPEN = 434
_SYS_CLOSE_RANGE = 436
_SYS_MOUNT_SETATTR = 442
_AT_RECURSIVE = 0x8000
_AF_UNIX, _SOCK_STREAM = 1, 1

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Move into new namespaces.

    Raises:
        OSError: Names the call; all functions of this module raise it.
    """
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount a file system, or bind-mount a file or folder."""
    arguments = [text.encode() or None for text in (source, target, kind)]
    done = _libc.mount(*arguments, ctypes.c_ulong(flags), options.encode() or None)
    _check(done, f"mount {target}")


def restrict_mount(path: str, attributes: int, recursive: bool = True) -> None:
    """Restrict a mount and, if `recursive`, all mounts below it."""
    record = (ctypes.c_uint64 * 4)(attributes, 0, 0, 0)
    done = _libc.syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_long(-1),
        path.encode(),
        ctypes.c_long(_AT_RECURSIVE if recursive else 0),
        record,
        ctypes.c_long(ctypes.sizeof(record)),
    )
    _check(done, f"mount_setattr {path}")


def enter_root(path: str) -> None:
    """Make a folder the root of the file system, and unmount the old root."""
    os.chdir(path)
    _check(_libc.pivot_root(b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", ctypes.c_int(MNT_DETACH)), "umount of the old root")
    os.chdir("/")


def set_host_name(name: str) -> None:
    """Set the host name in this namespace."""
    _check(_libc.sethostname(name.encode(), ctypes.c_size_t(len(name))), "sethostname")


def die_with_parent() -> None:
    """Have this process killed when its parent dies; a change of user resets this."""
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)


def give_up_rights() -> None:
    """Drop all capabilities; no program started from here can regain any."""
    for capability in range(64):
        if _libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), *_zeros(3)) < 0:
            break  # not permitted, or past the last one; NO_NEW_PRIVS below covers both
    _libc.prctl(_PR_CAP_AMBIENT, ctypes.c_ulong(_PR_CAP_AMBIENT_CLEAR_ALL), *_zeros(3))
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def hide_memory() -> None:
    """Hide this process's memory and files from other processes of the same user."""
    _prctl(_PR_SET_DUMPABLE, 0)


def show_memory() -> None:
    """Undo `hide_memory`, so that the process can read its own entry in /proc."""
    _prctl(_PR_SET_DUMPABLE, 1)


def reset_signals() -> None:
    """Restore the default signal handlers: only a signal that PID 1 handles can reach it."""
    for number in (_SIGINT, _SIGPIPE, _SIGXFSZ):
        _libc.signal(ctypes.c_int(number), None)


def filter_calls(program: bytes) -> None:
    """Install a seccomp filter for this process and all that it starts."""

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))

    installed = Program(len(program) // 8, program)
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(installed))


def pidfd_open(pid: int) -> int:
    """Return a file descriptor that becomes readable when a process ends."""
    descriptor: int = _libc.syscall(
        ctypes.c_long(_SYS_PIDFD_OPEN), ctypes.c_long(pid), ctypes.c_long(0)
    )
    _check(descriptor, "pidfd_open")
    os.set_inheritable(descriptor, False)
    return descriptor


def drop_lost_descriptors() -> None:
    """Have the kernel close descriptors that are in flight in unreachable sockets.

    A socket that was sent through itself keeps everything sent with it (pipe ends, files) open
    after every process has ended, until any local socket on this machine is closed.
    """
    pair = (ctypes.c_int * 2)()
    if _libc.socketpair(_AF_UNIX, _SOCK_STREAM, 0, pair) == 0:
        for descriptor in pair:
            os.close(descriptor)


def close_from(first: int) -> None:
    """Close all file descriptors from `first` on."""
    every = (ctypes.c_long(first), ctypes.c_long(0xFFFFFFFF), ctypes.c_long(0))
    _check(_libc.syscall(ctypes.c_long(_SYS_CLOSE_RANGE), *every), "close_range")


def _prctl(option: int, value: int, extra: int = 0) -> None:
    arguments = (ctypes.c_ulong(value), ctypes.c_ulong(extra), *_zeros(2))
    _check(_libc.prctl(ctypes.c_int(option), *arguments), f"prctl {option}")


def _zeros(count: int) -> tuple[ctypes.c_ulong, ...]:
    return (ctypes.c_ulong(0),) * count


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
