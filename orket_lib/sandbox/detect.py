"""Finds a sandbox that works on this machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from orket_lib.artifacts.measurements.spec import WITH_WALLS
from orket_lib.sandbox.jobs import Limits, Outcome, Program, Sandbox
from orket_lib.sandbox.uncontained import UncontainedSandbox
from orket_lib.vocabulary.errors import SandboxError

_PROBE = Program.python("print(6 * 7)", limits=Limits(wall_s=30.0))
_KINDS = ("bubblewrap", "namespaces", "rlimits", "job_object")


@dataclass(frozen=True)
class Unavailable:
    """Why there is no sandbox: one clause for each kind that was tried."""

    reason: str


def find_sandbox(allowed: Sequence[str] = WITH_WALLS) -> Sandbox | Unavailable:
    """Return the first sandbox of the allowed kinds that passes a trial run.

    Args:
        allowed: `bubblewrap` and `namespaces` (Linux) have walls; `rlimits` (Linux) and
            `job_object` (Windows) have limits only; they are used only if they are named.

    Raises:
        ValueError: An unknown kind.
    """
    reasons = []
    for name in allowed:
        if name not in _KINDS:
            raise ValueError(f"no sandbox `{name}`; there are {', '.join(_KINDS)}")
        try:
            sandbox = _sandbox(name)
            _try_out(sandbox)
        except SandboxError as error:
            reasons.append(f"{name}: {error}")
        else:
            return sandbox
    return Unavailable("; ".join(reasons) or "no kind of sandbox is allowed")


def _try_out(sandbox: Sandbox) -> None:
    result = sandbox.run(_PROBE)
    if result.ending.outcome is not Outcome.EXITED or result.stdout.split() != [b"42"]:
        said = result.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise SandboxError(f"an interpreter does not run in it ({said or result.ending.outcome})")


def _sandbox(kind: str) -> Sandbox:
    needed, platform = ("Windows", "win32") if kind == "job_object" else ("Linux", "linux")
    if sys.platform != platform:
        raise SandboxError(f"needs {needed}, and this is {sys.platform}")
    if kind not in WITH_WALLS:
        return UncontainedSandbox(kind, f"limits without walls, {needed}")
    from orket_lib.sandbox import kinds  # loads on Linux only

    return kinds.bubblewrap() if kind == "bubblewrap" else kinds.namespaces()
