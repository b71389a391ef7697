"""The seccomp filter: system calls that no graded program needs and that namespaces don't cover.

Memory that belongs to no process would escape the memory limit: `memfd_create`, System V segments,
and shared mappings without a file, which exist until their last page is unmapped. The same holds
for memory that a process has moved to swap (`MADV_PAGEOUT`), and for buffers of sockets, which the
supervisor counts by their usual size: a program must not enlarge them. Watches, asynchronous
requests and locks of files are limited for all users of the machine together, so a program could
take them from others. Calls that set another process's limits, priority or CPUs would reach the
supervisor, which has the same user. A socket of a family without network namespaces (vsock) would
reach the host of a virtual machine. Calls that mostly serve to attack a kernel (new namespaces,
mounts, io_uring, bpf, keys) are not needed.

The filter is a denylist: different versions of the interpreter use different calls, and an
allowlist with a gap would fail right answers.
"""

from __future__ import annotations

import errno
import struct

# Calls by name: number on x86_64, number on aarch64. None: the architecture has no such call.
_FORBIDDEN: dict[str, tuple[int | None, int | None]] = {
    # memory that belongs to no process
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "vmsplice": (278, 75),  # one page in a pipe keeps its whole huge page
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
    # what all users of the machine share: places for watches and requests, locks of its files
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
    "io_setup": (206, 0),
    "flock": (73, 32),
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
# Calls that are forbidden for certain arguments only.
_CLONE = (56, 220)
_CLONE3 = (435, 435)
_SOCKET = (41, 198)
_SOCKETPAIR = (53, 199)
_PRLIMIT = (302, 261)
_MADVISE = (28, 233)
_MMAP = (9, 222)
_SETSOCKOPT = (54, 208)
_FCNTL = (72, 25)

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_NEW_NAMESPACES = 0x7E020000
_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6
_PAGEOUT = 21
_SHARED, _ANONYMOUS = 1, 0x20  # MAP_SHARED_VALIDATE has the bit of MAP_SHARED as well
_BUFFERS = (7, 8, 32, 33)  # SO_SNDBUF, SO_RCVBUF, and both with FORCE
_LEASES = (1024, 1026)  # F_SETLEASE, F_NOTIFY
_X32_BIT = 0x40000000

# Offsets in `struct seccomp_data`, and the BPF instructions.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000

_Line = tuple[int, int, int, int]  # instruction, lines to skip if true, if false, value


def call_filter(machine: str) -> bytes | None:
    """Return the filter for a `platform.machine()`; None if we have none."""
    if machine not in _MACHINES:
        return None
    column, architecture = _MACHINES[machine]
    lines: list[_Line] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),  # another architecture has other numbers
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        lines += [(_AT_LEAST, 0, 1, _X32_BIT), (_RETURN, 0, 0, _KILL)]
    for numbers in _FORBIDDEN.values():
        number = numbers[column]
        if number is not None:
            lines += _refuse(number, errno.EPERM)
    # A filter can't see its flags; on ENOSYS, libraries fall back to clone.
    lines += _refuse(_CLONE3[column], errno.ENOSYS)
    lines += _if_call(_CLONE[column], 0, (_ANY_BIT, 0, 1, _NEW_NAMESPACES), _error(errno.EPERM))
    families: list[_Line] = [
        (_EQUAL, len(_FAMILIES) - index, 0, family) for index, family in enumerate(_FAMILIES)
    ]
    for call in (_SOCKET, _SOCKETPAIR):
        lines += _if_call(call[column], 0, *families, _error(errno.EAFNOSUPPORT))
    lines += _if_call(_PRLIMIT[column], 0, (_EQUAL, 1, 0, 0), _error(errno.EPERM))
    lines += _if_call(_MADVISE[column], 2, (_EQUAL, 0, 1, _PAGEOUT), _error(errno.EINVAL))
    shared: tuple[_Line, ...] = ((_ANY_BIT, 0, 2, _SHARED), (_ANY_BIT, 0, 1, _ANONYMOUS))
    lines += _if_call(_MMAP[column], 3, *shared, _error(errno.EPERM))
    for call, argument, values in ((_SETSOCKOPT, 2, _BUFFERS), (_FCNTL, 1, _LEASES)):
        last = len(values) - 1
        same: list[_Line] = [
            (_EQUAL, last - index, index == last, value) for index, value in enumerate(values)
        ]
        lines += _if_call(call[column], argument, *same, _error(errno.EPERM))
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _error(number: int) -> _Line:
    return (_RETURN, 0, 0, _ERROR | number)


def _refuse(call: int, number: int) -> list[_Line]:
    return [(_EQUAL, 0, 1, call), _error(number)]


def _if_call(call: int, argument: int, *body: _Line) -> list[_Line]:
    """Return lines that judge a call by the low half of an argument; it is allowed at their end."""
    load = (_LOAD, 0, 0, _ARGUMENTS + 8 * argument)
    return [(_EQUAL, 0, len(body) + 2, call), load, *body, (_RETURN, 0, 0, _ALLOW)]
