"""The filter of system calls: what no graded program needs, and what the other walls leave open.

Namespaces and limits do the containing; this closes what they can't. Memory that belongs to no
process would escape the memory limit: that of `memfd_create` and System V segments, and that of a
shared mapping without a file, which stays until its last page is unmapped, whoever sees the others.
So would memory that a process has sent out to the swap (`MADV_PAGEOUT`). Calls that set another
process's limits, priority or CPUs would reach the supervisor, which has the same user. A socket of
a family that has no network namespace (vsock) would reach the host of a virtual machine. And what
mostly serves to attack a kernel (new namespaces, mounts, io_uring, bpf, keys) is not needed.

A list of what is forbidden, not of what is allowed: interpreters of different versions use
different calls, and a wrong guess would fail right answers.
"""

from __future__ import annotations

import errno
import struct

# Calls by name: number on x86_64, number on aarch64. None: the architecture has no such call.
_FORBIDDEN: dict[str, tuple[int | None, int | None]] = {
    # memory that is nobody's
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "vmsplice": (278, 75),  # one page in a pipe keeps all of the huge page that it is a part of
    "shmget": (29, 194),
    "shmat": (30, 196),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # namespaces and mounts
    "unshare": (272, 97),
    "setns": (308, 268),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "mount": (165, 40),
    "umount2": (166, 39),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # the kernel itself
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "syslog": (103, 116),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "uselib": (134, None),
}
# Calls whose arguments decide.
_CLONE = (56, 220)
_CLONE3 = (435, 435)
_SOCKET = (41, 198)
_SOCKETPAIR = (53, 199)
_PRLIMIT = (302, 261)
_MADVISE = (28, 233)
_MMAP = (9, 222)

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_NEW_NAMESPACES = 0x7E020000
_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6
_PAGEOUT = 21
_SHARED, _ANONYMOUS = 1, 0x20  # of the two kinds of shared mappings, both have the bit of the first
_X32_BIT = 0x40000000

# Offsets in what the kernel shows a filter, and the words of its language.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000

_Line = tuple[int, int, int, int]  # what to do, lines to skip if true, if false, value


def call_filter(machine: str) -> bytes | None:
    """Return the filter for a machine as `platform.machine()` names it; None: not known here."""
    if machine not in _MACHINES:
        return None
    column, architecture = _MACHINES[machine]
    lines: list[_Line] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),  # the numbers of another architecture mean other calls
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        lines += [(_AT_LEAST, 0, 1, _X32_BIT), (_RETURN, 0, 0, _KILL)]
    for numbers in _FORBIDDEN.values():
        number = numbers[column]
        if number is not None:
            lines += _refuse(number, errno.EPERM)
    # Its flags are out of a filter's sight; told that there is none, libraries fall back to clone.
    lines += _refuse(_CLONE3[column], errno.ENOSYS)
    lines += _if_call(
        _CLONE[column],
        [(_ANY_BIT, 0, 1, _NEW_NAMESPACES), _error(errno.EPERM), (_RETURN, 0, 0, _ALLOW)],
    )
    for call in (_SOCKET, _SOCKETPAIR):
        known: list[_Line] = [
            (_EQUAL, len(_FAMILIES) - index, 0, family) for index, family in enumerate(_FAMILIES)
        ]
        body = [*known, _error(errno.EAFNOSUPPORT), (_RETURN, 0, 0, _ALLOW)]
        lines += _if_call(call[column], body)
    lines += _if_call(
        _PRLIMIT[column],
        [(_EQUAL, 1, 0, 0), _error(errno.EPERM), (_RETURN, 0, 0, _ALLOW)],
    )
    lines += _if_call(
        _MADVISE[column],
        [(_EQUAL, 0, 1, _PAGEOUT), _error(errno.EINVAL), (_RETURN, 0, 0, _ALLOW)],
        argument=2,
    )
    lines += _if_call(
        _MMAP[column],
        [
            (_ANY_BIT, 0, 2, _SHARED),
            (_ANY_BIT, 0, 1, _ANONYMOUS),
            _error(errno.EPERM),
            (_RETURN, 0, 0, _ALLOW),
        ],
        argument=3,
    )
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _error(number: int) -> _Line:
    return (_RETURN, 0, 0, _ERROR | number)


def _refuse(call: int, number: int) -> list[_Line]:
    return [(_EQUAL, 0, 1, call), _error(number)]


def _if_call(call: int, body: list[_Line], argument: int = 0) -> list[_Line]:
    """Return lines that judge one call by the low half of an argument; the body has to return."""
    load = (_LOAD, 0, 0, _ARGUMENTS + 8 * argument)
    return [(_EQUAL, 0, len(body) + 1, call), load, *body]
