"""A process in a Windows job object. Written from the documentation; never run so far.

The job limits memory, CPU time and the number of processes, and blocks the clipboard, the desktop
and other processes' windows. When its last handle is closed, which the system does when we end, all
its processes end. It doesn't restrict files or the network.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Mapping
from ctypes import wintypes
from typing import IO

from orket_lib.processes.json_child import kill
from orket_lib.sandbox.jobs import Limits

assert sys.platform == "win32"

_EXTENDED_LIMITS, _UI_RESTRICTIONS = 9, 4  # classes of information about a job
_LIMIT_FLAGS = (
    0x0004  # CPU time of the job
    | 0x0008  # processes
    | 0x0100  # memory of one process
    | 0x0200  # memory of all
    | 0x0400  # an unhandled error ends the process instead of showing a dialogue
    | 0x2000  # closing the last handle ends all
)
_ALL_UI_RESTRICTIONS = 0xFF
_CREATE_SUSPENDED = 0x00000004
_HANDLE_RIGHTS = 0x0001 | 0x0100 | 0x0800  # end, set quota, suspend and resume
_UNIT_S = 1e-7
# Environment variables that Windows itself needs.
_INDISPENSABLE = ("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR")

_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_ntdll = ctypes.WinDLL("ntdll")
_kernel32.CreateJobObjectW.restype = wintypes.HANDLE
_kernel32.CreateJobObjectW.argtypes = (wintypes.LPVOID, wintypes.LPCWSTR)
_kernel32.SetInformationJobObject.argtypes = (
    wintypes.HANDLE,
    ctypes.c_int,
    wintypes.LPVOID,
    wintypes.DWORD,
)
_kernel32.OpenProcess.restype = wintypes.HANDLE
_kernel32.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
_kernel32.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
_kernel32.TerminateJobObject.argtypes = (wintypes.HANDLE, wintypes.UINT)
_kernel32.CloseHandle.argtypes = (wintypes.HANDLE,)
_ntdll.NtResumeProcess.argtypes = (wintypes.HANDLE,)


class _BasicLimits(ctypes.Structure):
    _fields_ = (
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", wintypes.DWORD),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", wintypes.DWORD),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", wintypes.DWORD),
        ("SchedulingClass", wintypes.DWORD),
    )


class _ExtendedLimits(ctypes.Structure):
    _fields_ = (
        ("BasicLimitInformation", _BasicLimits),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


class LimitedProcess:
    """A running command in a job; its output is unread."""

    def __init__(
        self, command: list[str], limits: Limits, environment: Mapping[str, str], stdin: IO[bytes]
    ) -> None:
        self._job: int | None = _new_job(limits)
        needed = {name: os.environ[name] for name in _INDISPENSABLE if name in os.environ}
        # Suspended, so that it can't start a process before it is in the job.
        self.process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**needed, **environment, "TEMP": environment["TMPDIR"]},
            creationflags=_CREATE_SUSPENDED | subprocess.CREATE_NO_WINDOW,
        )
        try:
            _enter_and_resume(self._job, self.process.pid)
        except OSError:
            self.process.kill()
            self.end()
            raise

    def end(self) -> None:
        """End everything in the job."""
        job, self._job = self._job, None
        if job is not None:
            _kernel32.TerminateJobObject(job, 1)
            _kernel32.CloseHandle(job)
        kill(self.process)


def _new_job(limits: Limits) -> int:
    job = _kernel32.CreateJobObjectW(None, None)
    if not job:
        raise ctypes.WinError(ctypes.get_last_error())
    asked = _ExtendedLimits()
    asked.BasicLimitInformation.LimitFlags = _LIMIT_FLAGS
    asked.BasicLimitInformation.PerJobUserTimeLimit = int(limits.cpu_s / _UNIT_S)
    asked.BasicLimitInformation.ActiveProcessLimit = limits.processes
    asked.ProcessMemoryLimit = asked.JobMemoryLimit = limits.memory_bytes
    _set(job, _EXTENDED_LIMITS, asked)
    _set(job, _UI_RESTRICTIONS, wintypes.DWORD(_ALL_UI_RESTRICTIONS))
    return int(job)


def _set(job: int, kind: int, information: ctypes.Structure | wintypes.DWORD) -> None:
    size = ctypes.sizeof(information)
    if not _kernel32.SetInformationJobObject(job, kind, ctypes.byref(information), size):
        raise ctypes.WinError(ctypes.get_last_error())


def _enter_and_resume(job: int, pid: int) -> None:
    process = _kernel32.OpenProcess(_HANDLE_RIGHTS, False, pid)
    if not process:
        raise ctypes.WinError(ctypes.get_last_error())
    try:
        if not _kernel32.AssignProcessToJobObject(job, process):
            raise ctypes.WinError(ctypes.get_last_error())
        if _ntdll.NtResumeProcess(process) < 0:
            raise OSError("the process could not be resumed")
    finally:
        _kernel32.CloseHandle(process)
