"""Decides whether a failure is a property of the cell, or may be transient.

A property is a result: the cell gets a failed row and is not tried again. A transient failure says
nothing about the model: what was measured is kept, and the same command tries again. A failure
counts as a property only with evidence: the file, the server's messages, memory figures, or that it
happened before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from orket_lib.providers.llama_cpp.log import errors_in, starved_in, tail_of
from orket_lib.vocabulary.errors import OrketError, ProviderError
from orket_lib.vocabulary.failures import (
    Cause,
    Ending,
    FailureEvidence,
    MemoryEvidence,
    Phase,
)
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import RunStatus

OUR_SHARE = 0.9  # of the limit: with so much, the server itself is the cause


@dataclass(frozen=True)
class Failure:
    """What a failure means for its cell.

    Attributes:
        status: Status of the cell.
        reason: What happened, and why it is judged so.
        may_pass: Whether the cell is tried again; else the failure is a property of it.
    """

    status: RunStatus
    reason: str
    may_pass: bool


@dataclass(frozen=True)
class SeenFailure:
    """A failure with its evidence.

    Attributes:
        evidence: Of the failure itself.
        memory: Memory right after the failure; None if memory is not involved.
    """

    evidence: FailureEvidence
    memory: MemoryEvidence | None = None

    def recorded(self) -> dict[str, Any]:
        """Return it as JSON data."""
        recorded: dict[str, Any] = _SEEN.dump_python(self, mode="json")
        return recorded

    @classmethod
    def recalled(cls, record: object) -> SeenFailure:
        """Return the failure in a record."""
        return _SEEN.validate_python(record)


_SEEN = TypeAdapter(SeenFailure)

# Causes that are always a property of the cell, and those that never are.
_PROPERTIES = (Cause.UNREADABLE, Cause.SMALLER_CONTEXT, Cause.ELSEWHERE)
_PASSING = {
    Cause.NO_FILE: "the file may exist later",
    Cause.NOT_SET_UP: "the missing part can be installed",
    Cause.PORT_TAKEN: "the port may be free the next time",
    Cause.OCCUPIED: "the server may be free the next time",
    Cause.NOT_OFFERED: "the server may be given the model",
    Cause.GONE: "the server is not ours, and may be started again",
    Cause.INSTRUMENT: "the measurement itself failed, not the model",
}


def evidence_of(error: OrketError) -> FailureEvidence:
    """Return the evidence of an error; if it is not a provider's, our own part failed."""
    if isinstance(error, ProviderError):
        return error.evidence
    return FailureEvidence(Cause.INSTRUMENT)


def failure_status(status: RunStatus, log: Path) -> RunStatus:
    """Return `OUT_OF_MEMORY` if the server's log says so, else `status`."""
    return RunStatus.OUT_OF_MEMORY if starved_in(tail_of(log)) else status


def with_log_errors(error: OrketError, log: Path) -> str:
    """Return an error's message with the errors in the server's log, and the path of the log."""
    said, message = errors_in(tail_of(log)), str(error)
    words = f": {said}" if said and said not in message else ""
    return f"{message}{words} (see {log.as_posix()})"


def judge_failure(
    error: OrketError,
    seen: SeenFailure,
    earlier: Sequence[SeenFailure] = (),
    words: str | None = None,
) -> Failure:
    """Return what a failure means for its cell.

    Args:
        error: The error that ended the measurement, or a session of it.
        seen: The failure with its evidence.
        earlier: Earlier failures of this cell, including earlier starts.
        words: The message; None means the error's own.
    """
    status = _status(error, seen.evidence, earlier)
    judged = _judged(seen, earlier)
    if judged.starved:
        status = RunStatus.OUT_OF_MEMORY
    reason = words or str(error)
    return Failure(status, f"{reason}; {judged.why}" if judged.why else reason, judged.may_pass)


@dataclass(frozen=True)
class _Judged:
    """Whether a failure may be transient, why, and whether the cause is a lack of memory."""

    may_pass: bool
    why: str = ""
    starved: bool = False


def _judged(seen: SeenFailure, earlier: Sequence[SeenFailure]) -> _Judged:
    evidence = seen.evidence
    cause, again = evidence.cause, [item for item in earlier if _alike(item, seen)]
    if evidence.file_changed:
        return _Judged(True, "may pass: the file was changed")
    if cause in _PASSING:
        return _Judged(True, f"may pass: {_PASSING[cause]}")
    if cause in _PROPERTIES:
        return _Judged(False)
    if cause is Cause.NO_ROOM:
        return _no_room(seen)
    ending = evidence.ending
    if evidence.starved or (ending is not None and ending.signal and not ending.by_itself):
        return _out_of_memory(seen, again)
    if cause is Cause.NOT_LOADED:
        return _Judged(False)
    if ending is not None:
        return _ended(evidence.phase, ending, again)
    if cause is Cause.TIMEOUT:
        return _Judged(True, "may pass: the machine may have been busy with something else")
    # An error response may have a transient cause; only repeated crashes count.
    return _Judged(True, "may pass: the server may answer the next time")


def _status(
    error: OrketError, evidence: FailureEvidence, earlier: Sequence[SeenFailure]
) -> RunStatus:
    """Return the status for a failure with a cause other than memory."""
    died = evidence.ending is not None or evidence.cause is Cause.GONE
    loading = evidence.phase is Phase.LOADING and isinstance(error, ProviderError)
    if loading and any(item.evidence.phase is Phase.SERVING for item in earlier if _died(item)):
        return RunStatus.CRASHED  # it crashed before, and does not load again
    if loading:
        return RunStatus.LOAD_FAILED
    return RunStatus.CRASHED if died else RunStatus.INCOMPLETE


def _no_room(seen: SeenFailure) -> _Judged:
    """Judge a lack of memory: it is a property only if the machine has too little in total."""
    short = seen.evidence.shortage
    if short is None or short.total_mib is None:
        return _Judged(False, "", True)
    if short.needed_mib > short.total_mib:
        return _Judged(False, f"there are {short.total_mib:.0f} MiB in all", True)
    return _Judged(True, "may pass: other programs hold the memory that it needs", True)


def _out_of_memory(seen: SeenFailure, again: Sequence[SeenFailure]) -> _Judged:
    """Judge a server that was killed, or says that an allocation failed."""
    memory, said = seen.memory, seen.evidence.starved is not None
    if memory is None:
        return _by_repetition(again) if said else _Judged(True, "may pass: it was killed")
    ours, limit = memory.ours_mib, memory.limit_mib
    if not isinstance(ours, Null) and not isinstance(limit, Null) and ours >= OUR_SHARE * limit:
        return _Judged(False, f"it had {ours:.0f} of {limit:.0f} MiB of {memory.place}", True)
    by_kernel = memory.killed_by_kernel is True
    holder = memory.holder
    if (said or by_kernel) and not isinstance(holder, Null) and not isinstance(limit, Null):
        if holder.mib >= (1 - OUR_SHARE) * limit:
            return _Judged(True, f"may pass: {holder.name} holds {holder.mib:.0f} MiB", True)
        if again:
            return _Judged(False, "for the second time, and no other program holds as much", True)
    if by_kernel:
        return _Judged(True, "may pass: it was killed by the OOM killer", True)
    if said:
        return _Judged(not again, "" if again else "may pass: memory may be free", True)
    return _Judged(True, "may pass: it was killed from outside")


def _ended(phase: Phase, ending: Ending, again: Sequence[SeenFailure]) -> _Judged:
    """Judge a server that ended by itself."""
    if not ending.by_itself:
        return _Judged(True, "may pass: something ended it from outside")
    if phase is Phase.LOADING:
        return _Judged(False)
    return _by_repetition(again)


def _by_repetition(again: Sequence[SeenFailure]) -> _Judged:
    if again:
        return _Judged(False, "for the second time")
    return _Judged(True, "may pass: it was seen once")


def _alike(one: SeenFailure, other: SeenFailure) -> bool:
    """Return whether two failures are of the same kind, which indicates a property."""

    def kind(seen: SeenFailure) -> tuple[object, ...]:
        ending = seen.evidence.ending
        return seen.evidence.cause, ending is not None and ending.by_itself

    return kind(one) == kind(other)


def _died(seen: SeenFailure) -> bool:
    return seen.evidence.ending is not None
