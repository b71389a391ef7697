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

from orket_lib.vocabulary.errors import LoadError, OrketError, ProviderError, ServerCrashed
from orket_lib.vocabulary.failures import Cause, FailureEvidence, MemoryEvidence, Phase
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import RunStatus

OUR_SHARE = 0.9  # of the limit: who has so much of it can blame no other program
_KILLED = "SIGKILL"  # the only signal of the kernel, and of a cgroup, that is out of memory


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
    status = _status(error, earlier)
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
    evidence, ending = seen.evidence, seen.evidence.ending
    cause, again = evidence.cause, [item for item in earlier if _kind(item) == _kind(seen)]
    if evidence.file_changed:
        return _Judged(True, "may pass: the file is not the one that was to be served")
    if cause in _PASSING:
        return _Judged(True, f"may pass: {_PASSING[cause]}")
    if cause in _PROPERTIES:
        return _Judged(False)
    if cause is Cause.NO_ROOM:
        return _no_room(seen, again)
    if evidence.starved or (ending is not None and ending.signal and not ending.crashed):
        return _killed_or_starved(seen, again)
    if cause is Cause.NOT_LOADED:
        return _Judged(False)
    if cause is Cause.TIMEOUT and evidence.phase is Phase.LOADING:
        return _Judged(True, "may pass: the machine may have been busy with something else")
    if (
        ending is not None
        and evidence.phase is Phase.LOADING
        and not ending.crashed
        and ending.code
    ):
        return _Judged(False)  # its exit status says that it doesn't load
    if ending is not None and evidence.phase is Phase.SERVING and ending.from_outside:
        return _Judged(True, "may pass: it ended as servers do that are asked to")
    return _whether_it_comes_again(again)


def _kind(seen: SeenFailure) -> str:
    """Return what two failures must share for the second one to be the first one again."""
    evidence, ending = seen.evidence, seen.evidence.ending
    if evidence.starved or evidence.cause is Cause.NO_ROOM:
        return "memory"
    if ending is None:
        return evidence.cause
    if ending.signal and not ending.crashed:
        return "memory" if ending.signal == _KILLED else ending.signal
    return "crash"


def _whether_it_comes_again(again: Sequence[SeenFailure]) -> _Judged:
    if again:
        return _Judged(False, "it failed in the same way before")
    return _Judged(True, "may pass: it was the first time")


def _no_room(seen: SeenFailure, again: Sequence[SeenFailure]) -> _Judged:
    """Judge a model that was not loaded, because it would take more than was free."""
    shortage, memory = seen.evidence.shortage, seen.memory
    if shortage is None:
        return _judged_by_memory(seen, again, ran_out=True)
    limit = shortage.total_mib or _number(memory.limit_mib if memory else None)
    if limit is not None and shortage.needed_mib > limit:
        return _Judged(False, f"there are {limit:.0f} MiB in all", starved=True)
    return _Judged(True, f"may pass: memory may be free the next time{_held(memory)}", starved=True)


def _killed_or_starved(seen: SeenFailure, again: Sequence[SeenFailure]) -> _Judged:
    """Judge a server that was killed, or that said that it could not get memory."""
    ending, memory = seen.evidence.ending, seen.memory
    killed = ending is not None and ending.from_outside
    recorded = memory is not None and memory.killed_by_kernel is True
    # Words in the log of a server that was killed may be of anything that it overcame.
    ran_out = recorded if killed else True
    return _judged_by_memory(seen, again, ran_out)


def _judged_by_memory(seen: SeenFailure, again: Sequence[SeenFailure], ran_out: bool) -> _Judged:
    """Judge by who had the memory.

    Args:
        seen: The failure.
        again: Earlier ones of its kind.
        ran_out: Whether it is known that memory ran out.
    """
    memory = seen.memory
    if memory is not None and (why := _took_it_all(memory, ran_out, _kind(seen) == "memory")):
        return _Judged(False, why, starved=True)
    if _kind(seen) == "memory" and again and not any(map(_another_had_it, (*again, seen))):
        why = "it failed in the same way before, when no other program had the memory either"
        return _Judged(False, why, starved=ran_out)
    cause = "memory may be free the next time" if ran_out else "something else ended it"
    return _Judged(True, f"may pass: {cause}{_peak(memory)}{_held(memory)}", starved=ran_out)


def _took_it_all(memory: MemoryEvidence, ran_out: bool, killed: bool) -> str | None:
    """Return by what our own tree of processes had all the memory; None where it hadn't.

    Args:
        memory: What there was of it.
        ran_out: Whether it is known that memory ran out.
        killed: It was killed, or ran out: then an estimate of what it takes counts, too.
    """
    limit, ours = _number(memory.limit_mib), _number(memory.ours_mib)
    needed, others = _number(memory.needed_mib), _number(memory.others_mib)
    if limit is None:
        return None
    of_all = f"of the {limit:.0f} MiB of {memory.place}"
    if ours is not None and ours >= OUR_SHARE * limit:
        return f"our own processes took {ours:.0f} {of_all}"
    if killed and needed is not None and needed > limit:
        return f"it takes about {needed:.0f} MiB, and there are {limit:.0f} MiB of {memory.place}"
    if ran_out and others is not None and others < (1 - OUR_SHARE) * limit:
        return f"memory ran out while all other processes had {others:.0f} {of_all}"
    return None


def _another_had_it(seen: SeenFailure) -> bool:
    """Tell whether another program held memory that would have sufficed."""
    memory = seen.memory
    if memory is None or isinstance(memory.holder, Null):
        return False
    limit, free = _number(memory.limit_mib), _number(memory.free_mib)
    needed, ours = _number(memory.needed_mib), _number(memory.ours_mib)
    if limit is None or free is None or memory.holder.mib < (1 - OUR_SHARE) * limit:
        return False
    takes = needed if needed is not None else ours
    return takes is None or takes <= free + memory.holder.mib


def _peak(memory: MemoryEvidence | None) -> str:
    ours, limit = (_number(memory.ours_mib), _number(memory.limit_mib)) if memory else (None, None)
    if memory is None or ours is None or limit is None:
        return ""
    return f"; our own processes had {ours:.0f} of the {limit:.0f} MiB of {memory.place}"


def _held(memory: MemoryEvidence | None) -> str:
    if memory is None or isinstance(memory.holder, Null):
        return ""
    return f"; {memory.holder.name} held {memory.holder.mib:.0f} MiB"


def _number(value: float | Null | None) -> float | None:
    return None if isinstance(value, Null) else value


def _status(error: OrketError, earlier: Sequence[SeenFailure]) -> RunStatus:
    """Return the status that a failure gives where memory is not what it was about."""
    served = any(item.evidence.phase is Phase.SERVING for item in earlier)
    if isinstance(error, ServerCrashed) or (isinstance(error, LoadError) and served):
        return RunStatus.CRASHED  # also where it died before, and did not come back
    return RunStatus.LOAD_FAILED if isinstance(error, LoadError) else RunStatus.INCOMPLETE
