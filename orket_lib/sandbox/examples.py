"""Calls an untrusted function with the arguments of graded examples.

One sandbox per source, one process per call. The process is forked from a supervisor that has never
run a line of the source, loads the source and makes one call. A crash, an exit, a patched builtin
or a leftover thread affects only that call, and the order of the examples doesn't matter. If a call
changed the working folder, the remaining ones get a new sandbox.

A result is a claim about a value, made by a process that untrusted code controls. The expected
values never enter the sandbox, so the code can return a right value only by computing it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orket_lib.sandbox.equality import same_value
from orket_lib.sandbox.inside.calls import RAISED, RETURNED
from orket_lib.sandbox.inside.values import decode, encode
from orket_lib.sandbox.jobs import CallEnd, CallJob, Ending, Limits, Outcome, Sandbox


@dataclass(frozen=True)
class Call:
    """The arguments of one call: plain Python values, nested as needed.

    Raises:
        ValueError: An argument is not a plain value (None, bool, int, float, complex, str, bytes,
            bytearray, list, tuple, dict, set, frozenset).
    """

    arguments: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = (self.arguments, dict(self.named))
        if not same_value(given, decode(self.encoded())):
            raise ValueError(f"no plain values: {given!r}")

    def encoded(self) -> bytes:
        """Return the arguments as the sandbox receives them."""
        return encode((self.arguments, dict(self.named)))


def can_be_returned(value: Any) -> bool:
    """Return whether a call could return a value that is the same as this one."""
    try:
        _, back = decode(encode((RETURNED, value)))
    except (ValueError, RecursionError):
        return False
    return same_value(value, back)


@dataclass(frozen=True)
class Returned:
    """A call returned a value; compare it with `same_value`."""

    value: Any
    ending: Ending


@dataclass(frozen=True)
class Raised:
    """A call, or loading the source for it, raised an exception.

    Attributes:
        names: Names of the exception's class and its base classes; never empty.
        loading: Whether it was raised before the call: the source doesn't parse, raises when it is
            loaded, or has no such function.
    """

    names: tuple[str, ...]
    message: str
    loading: bool
    ending: Ending


@dataclass(frozen=True)
class NotReturned:
    """A call gave no readable answer; `reason` is a message for the user."""

    reason: str
    ending: Ending


CallResult = Returned | Raised | NotReturned


def call_examples(
    sandbox: Sandbox,
    source: str,
    function: str,
    calls: Sequence[Call],
    files: Mapping[str, bytes] | None = None,
    limits: Limits | None = None,
) -> list[CallResult]:
    """Return the result of every call, in order.

    Args:
        sandbox: Where the calls are made.
        source: Python source that defines the function.
        function: Its name.
        calls: The arguments of each call.
        files: Contents of the working folder, which the source can import and read.
        limits: Limits of each call.

    Raises:
        RefusedName: A name in `files` is invalid or leads out of the folder.
        SandboxError: A sandbox did not start, which is not the source's fault.
    """
    encoded = [call.encoded() for call in calls]
    results: list[CallResult] = []
    while len(results) < len(encoded):
        remaining = encoded[len(results) :]
        job = CallJob(source, function, remaining, files or {}, limits or Limits())
        results += map(_result, sandbox.call(job))
    return results


def _result(end: CallEnd) -> CallResult:
    ending = end.ending
    if ending.outcome is not Outcome.EXITED:
        how = f" ({ending.signal})" if ending.signal is not None else ""
        return NotReturned(f"the call ended with `{ending.outcome}`{how}", ending)
    if not end.answer:
        status = ending.exit_status
        return NotReturned(f"the process ended itself with status {status}", ending)
    try:
        match decode(end.answer):
            case (str(kind), value) if kind == RETURNED:
                return Returned(value, ending)
            case (str(kind), [str(), *_] as names, str(message), bool(loading)) if kind == RAISED:
                if all(isinstance(name, str) for name in names):
                    return Raised(tuple(names), message, loading, ending)
    except ValueError:
        pass
    return NotReturned("what it sent back is no answer", ending)
