"""What a failure means: a property of the cell, which is sealed, or something that may pass."""

from __future__ import annotations

import json

import pytest

from orket_lib.measure.failures import SeenFailure, judge_failure
from orket_lib.vocabulary.errors import LoadError, ProviderError
from orket_lib.vocabulary.failures import (
    Cause,
    Ending,
    FailureEvidence,
    Holder,
    MemoryEvidence,
    Phase,
    Shortage,
    Starved,
)
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import RunStatus

LOADING, SERVING = Phase.LOADING, Phase.SERVING
SEGFAULT, KILLED = Ending(-11, 3.0), Ending(-9, 3.0)
LIMIT_MIB = 16000.0


def seen(
    cause: Cause, phase: Phase = SERVING, ending: Ending | None = None, **more: object
) -> SeenFailure:
    memory = more.pop("memory", None)
    assert memory is None or isinstance(memory, MemoryEvidence)
    return SeenFailure(FailureEvidence(cause, phase, ending, **more), memory)  # type: ignore[arg-type]


def memory(
    ours: float | Null = 500.0, holder: float = 100.0, by_kernel: bool = False
) -> MemoryEvidence:
    return MemoryEvidence(
        place="main memory",
        limit_mib=LIMIT_MIB,
        free_mib=8000.0,
        ours_mib=ours,
        others_mib=holder,
        holder=Holder("firefox", holder),
        needed_mib=Null("NOT_ESTIMATED"),
        killed_by_kernel=by_kernel,
    )


def starving(holder: float = 100.0, ours: float = 500.0) -> SeenFailure:
    return seen(
        Cause.ENDED,
        LOADING,
        Ending(1, 3.0),
        starved=Starved.MAIN,
        memory=memory(holder=holder, ours=ours),
    )


def short(needed: float, total: float | None) -> SeenFailure:
    return seen(Cause.NO_ROOM, LOADING, shortage=Shortage(needed, 1000.0, total))


def judged(failure: SeenFailure, *earlier: SeenFailure) -> tuple[RunStatus, bool]:
    kind = LoadError if failure.evidence.phase is LOADING else ProviderError
    error = kind("it failed", failure.evidence)
    found = judge_failure(error, failure, earlier)
    assert found.reason.startswith("it failed")
    return found.status, found.may_pass


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (seen(Cause.UNREADABLE, LOADING), RunStatus.LOAD_FAILED),
        (seen(Cause.SMALLER_CONTEXT, LOADING), RunStatus.LOAD_FAILED),
        (seen(Cause.ELSEWHERE, LOADING), RunStatus.LOAD_FAILED),
        (seen(Cause.NOT_LOADED, LOADING), RunStatus.LOAD_FAILED),
        (seen(Cause.ENDED, LOADING, Ending(1, 0.2)), RunStatus.LOAD_FAILED),
        (short(20000.0, LIMIT_MIB), RunStatus.OUT_OF_MEMORY),
        (starving(ours=0.95 * LIMIT_MIB), RunStatus.OUT_OF_MEMORY),
    ],
)
def test_what_the_model_or_the_machine_is_counts_the_first_time(
    failure: SeenFailure, status: RunStatus
) -> None:
    assert judged(failure) == (status, False)


@pytest.mark.parametrize(
    "cause",
    [
        Cause.NO_FILE,
        Cause.NOT_SET_UP,
        Cause.PORT_TAKEN,
        Cause.OCCUPIED,
        Cause.NOT_OFFERED,
        Cause.GONE,
        Cause.INSTRUMENT,
        Cause.TIMEOUT,
        Cause.ANSWERED,
        Cause.UNKNOWN,
    ],
)
@pytest.mark.parametrize("phase", [LOADING, SERVING])
def test_what_others_can_change_may_pass_however_often_it_was_seen(
    cause: Cause, phase: Phase
) -> None:
    once = seen(cause, phase)
    assert judged(once, once, once)[1] is True


def test_a_crash_by_itself_is_a_property_the_second_time() -> None:
    crash = seen(Cause.ENDED, SERVING, SEGFAULT)
    assert judged(crash) == (RunStatus.CRASHED, True)
    assert judged(crash, crash) == (RunStatus.CRASHED, False)


def test_a_crash_after_another_kind_of_failure_is_the_first_of_its_kind() -> None:
    crash = seen(Cause.ENDED, SERVING, SEGFAULT)
    assert judged(crash, seen(Cause.ENDED, SERVING, KILLED), seen(Cause.TIMEOUT))[1] is True


@pytest.mark.parametrize("ending", [KILLED, Ending(0, 3.0), Ending(-15, 3.0), Ending(None, 3.0)])
def test_t35_what_was_ended_from_outside_may_pass_however_often(ending: Ending) -> None:
    killed = seen(Cause.ENDED, SERVING, ending, memory=memory())
    assert judged(killed, killed, killed) == (RunStatus.CRASHED, True)


def test_a_server_that_does_not_come_back_has_crashed() -> None:
    died = seen(Cause.ENDED, SERVING, SEGFAULT)
    again = seen(Cause.ENDED, LOADING, SEGFAULT)
    assert judged(again, died)[0] is RunStatus.CRASHED
    assert judged(again)[0] is RunStatus.LOAD_FAILED


def test_too_little_free_memory_may_pass_where_the_machine_has_enough() -> None:
    assert judged(short(8000.0, LIMIT_MIB)) == (RunStatus.OUT_OF_MEMORY, True)


def test_a_server_that_got_no_memory_is_judged_by_who_holds_it() -> None:
    held = starving(holder=0.5 * LIMIT_MIB)
    assert judged(held, held) == (RunStatus.OUT_OF_MEMORY, True)
    alone = starving()
    assert judged(alone) == (RunStatus.OUT_OF_MEMORY, True)
    assert judged(alone, alone) == (RunStatus.OUT_OF_MEMORY, False)


def test_a_kill_by_the_kernel_is_for_want_of_memory() -> None:
    killed = seen(Cause.ENDED, SERVING, KILLED, memory=memory(by_kernel=True))
    assert judged(killed) == (RunStatus.OUT_OF_MEMORY, True)
    assert judged(killed, killed) == (RunStatus.OUT_OF_MEMORY, False)


def test_another_file_than_the_one_that_was_to_be_served_says_nothing_of_the_cell() -> None:
    swapped = seen(Cause.UNREADABLE, LOADING, file_changed=True)
    assert judged(swapped, swapped)[1] is True


def test_a_failure_comes_back_from_the_journal_as_it_was_seen() -> None:
    for failure in (starving(), short(1.0, None), seen(Cause.ENDED, SERVING, KILLED)):
        assert SeenFailure.recalled(json.loads(json.dumps(failure.recorded()))) == failure
