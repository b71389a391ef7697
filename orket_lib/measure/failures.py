"""Whether a failure is a property of the cell, or may pass.

A property is data: it costs one row and is not tried again. What may pass says nothing of the
model: what was measured stays, and the same command tries again. So a failure is a property where
something shows that it is: the file, the server's own words, numbers, or that it comes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

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

OUR_SHARE = 0.9  # of the limit: who has so much of it can blame no other program


@dataclass(frozen=True)
class Failure:
    """What a failure means for its cell.

    Attributes:
        status: Of the cell.
        reason: What was seen, and why it is judged so.
        may_pass: Whether the cell is due again; else the failure is a property of it.
    """

    status: RunStatus
    reason: str
    may_pass: bool


@dataclass(frozen=True)
class SeenFailure:
    """A failure as it was seen.

    Attributes:
        evidence: Of the failure itself.
        memory: What there was of it just after; None where that has nothing to do with it.
    """

    evidence: FailureEvidence
    memory: MemoryEvidence | None = None

    def recorded(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        recorded: dict[str, Any] = _SEEN.dump_python(self, mode="json")
        return recorded

    @classmethod
    def recalled(cls, record: object) -> SeenFailure:
        """Return what was recorded."""
        return _SEEN.validate_python(record)


_SEEN = TypeAdapter(SeenFailure)

# What is so whenever it is tried, and what others or we have to change first.
_PROPERTIES = (Cause.UNREADABLE, Cause.SMALLER_CONTEXT, Cause.ELSEWHERE)
_PASSING = {
    Cause.NO_FILE: "the file may come to be there",
    Cause.NOT_SET_UP: "what is missing can be set up",
    Cause.PORT_TAKEN: "the port may be free the next time",
    Cause.OCCUPIED: "the server may be free the next time",
    Cause.NOT_OFFERED: "the server may be given the model",
    Cause.GONE: "the server is not ours, and may be started again",
    Cause.INSTRUMENT: "what we measure with failed, which says nothing of the model",
}


def evidence_of(error: OrketError) -> FailureEvidence:
    """Return what was seen of an error; all but a server's are of what we measure with."""
    if isinstance(error, ProviderError):
        return error.evidence
    return FailureEvidence(Cause.INSTRUMENT)


def judge_failure(
    error: OrketError,
    seen: SeenFailure,
    earlier: Sequence[SeenFailure] = (),
    words: str | None = None,
) -> Failure:
    """Return what a failure means for its cell.

    Args:
        error: Which ended the measurement, or a session of it.
        seen: The failure as it was seen.
        earlier: Failures of this cell before it, also those of earlier starts.
        words: The error with what else is known in words; None is the error's own.
    """
    status = _status(error, seen.evidence, earlier)
    judged = _judged(seen, earlier)
    if judged.starved:
        status = RunStatus.OUT_OF_MEMORY
    reason = words or str(error)
    return Failure(status, f"{reason}; {judged.why}" if judged.why else reason, judged.may_pass)


@dataclass(frozen=True)
class _Judged:
    """Whether a failure may pass, why that is so, and whether memory is what it was about."""

    may_pass: bool
    why: str = ""
    starved: bool = False


def _judged(seen: SeenFailure, earlier: Sequence[SeenFailure]) -> _Judged:
    evidence = seen.evidence
    cause, again = evidence.cause, [item for item in earlier if _alike(item, seen)]
    if evidence.file_changed:
        return _Judged(True, "may pass: the file is not the one that was to be served")
    if cause in _PASSING:
        return _Judged(True, f"may pass: {_PASSING[cause]}")
    if cause in _PROPERTIES:
        return _Judged(False)
    if cause is Cause.NO_ROOM:
        return _no_room(seen)
    ending = evidence.ending
    if evidence.starved or (ending is not None and ending.signal and not ending.by_itself):
        return _for_want_of_memory(seen, again)
    if cause is Cause.NOT_LOADED:
        return _Judged(False)
    if ending is not None:
        return _ended(evidence.phase, ending, again)
    if cause is Cause.TIMEOUT:
        return _Judged(True, "may pass: the machine may have been busy with something else")
    # An error that a server answers with may be gone with its cause; only crashes count by number.
    return _Judged(True, "may pass: the server may answer the next time")


def _status(
    error: OrketError, evidence: FailureEvidence, earlier: Sequence[SeenFailure]
) -> RunStatus:
    """Return the status that a failure gives where memory is not what it was about."""
    died = evidence.ending is not None or evidence.cause is Cause.GONE
    loading = evidence.phase is Phase.LOADING and isinstance(error, ProviderError)
    if loading and any(item.evidence.phase is Phase.SERVING for item in earlier if _died(item)):
        return RunStatus.CRASHED  # it died before, and did not come back
    if loading:
        return RunStatus.LOAD_FAILED
    return RunStatus.CRASHED if died else RunStatus.INCOMPLETE


def _no_room(seen: SeenFailure) -> _Judged:
    """Return what too little memory means: more than the machine has is a property."""
    short = seen.evidence.shortage
    if short is None or short.total_mib is None:
        return _Judged(False, "", True)
    if short.needed_mib > short.total_mib:
        return _Judged(False, f"there are {short.total_mib:.0f} MiB in all", True)
    return _Judged(True, "may pass: others have taken memory that would suffice", True)


def _for_want_of_memory(seen: SeenFailure, again: Sequence[SeenFailure]) -> _Judged:
    """Return what it means that a server was killed, or says that it got no memory."""
    memory, said = seen.memory, seen.evidence.starved is not None
    if memory is None:
        return _whether_it_comes_again(again) if said else _Judged(True, "may pass: it was killed")
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
        return _Judged(True, "may pass: the kernel killed it for want of memory", True)
    if said:
        return _Judged(not again, "" if again else "may pass: memory may be free", True)
    return _Judged(True, "may pass: it was killed from outside")


def _ended(phase: Phase, ending: Ending, again: Sequence[SeenFailure]) -> _Judged:
    """Return what it means that a server ended of its own accord."""
    if not ending.by_itself:
        return _Judged(True, "may pass: something ended it from outside")
    if phase is Phase.LOADING:
        return _Judged(False)
    return _whether_it_comes_again(again)


def _whether_it_comes_again(again: Sequence[SeenFailure]) -> _Judged:
    if again:
        return _Judged(False, "for the second time")
    return _Judged(True, "may pass: it was seen once")


def _alike(one: SeenFailure, other: SeenFailure) -> bool:
    """Tell whether two failures are of one kind, and so speak for a property of the cell."""

    def kind(seen: SeenFailure) -> tuple[object, ...]:
        ending = seen.evidence.ending
        return seen.evidence.cause, ending is not None and ending.by_itself

    return kind(one) == kind(other)


def _died(seen: SeenFailure) -> bool:
    return seen.evidence.ending is not None
