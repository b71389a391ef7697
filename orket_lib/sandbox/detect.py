"""Which sandbox this machine can offer, out of those that are allowed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orket_lib.artifacts.measurements.spec import WITH_WALLS
from orket_lib.sandbox.jobs import Limits, Outcome, Program, Sandbox
from orket_lib.vocabulary.errors import SandboxError

_PROBE = Program.python("print(6 * 7)", limits=Limits(wall_s=30.0))


@dataclass(frozen=True)
class Unavailable:
    """No sandbox can be had, and why: one clause for each that was tried."""

    reason: str


def find_sandbox(allowed: Sequence[str] = WITH_WALLS) -> Sandbox | Unavailable:
    """Return the first sandbox of the allowed kinds that works here, tried out.

    Args:
        allowed: `bubblewrap` and `namespaces` (Linux) have walls; `rlimits` (Linux) and
            `job_object` (Windows) have limits only, and are never used unless they are named.

    Raises:
        ValueError: A kind that doesn't exist.
    """
    reasons = []
    for name in allowed:
        if name not in _KINDS:
            raise ValueError(f"no sandbox `{name}`; there are {', '.join(_KINDS)}")
        try:
            sandbox = _KINDS[name]()
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


# Each kind's module can be loaded on its own system only.
def _bubblewrap() -> Sandbox:
    if sys.platform != "linux":
        raise _elsewhere("Linux")
    from orket_lib.sandbox import kinds

    return kinds.bubblewrap()


def _namespaces() -> Sandbox:
    if sys.platform != "linux":
        raise _elsewhere("Linux")
    from orket_lib.sandbox import kinds

    return kinds.namespaces()


def _rlimits() -> Sandbox:
    if sys.platform != "linux":
        raise _elsewhere("Linux")
    from orket_lib.sandbox.uncontained import PlainSandbox

    return PlainSandbox("rlimits", "limits without walls, Linux")


def _job_object() -> Sandbox:
    if sys.platform != "win32":
        raise _elsewhere("Windows")
    from orket_lib.sandbox.uncontained import PlainSandbox

    return PlainSandbox("job_object", "limits without walls, Windows")


def _elsewhere(system: str) -> SandboxError:
    return SandboxError(f"needs {system}, and this is {sys.platform}")


_KINDS: dict[str, Callable[[], Sandbox]] = {
    "bubblewrap": _bubblewrap,
    "namespaces": _namespaces,
    "rlimits": _rlimits,
    "job_object": _job_object,
}
