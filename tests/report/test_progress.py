"""How far a running sweep is and how long it will take, from its progress file."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from orket_lib.artifacts.progress import Due, Event, MeasuringKind, Start
from orket_lib.report.progress import FailureText, SweepProgress, failure_texts

CELLS = ("F16", "Q8_0", "Q4_K_M", "Q2_K")


def sweep(seconds: float | None = 100.0, others: int = 0, at_most: bool = False) -> SweepProgress:
    """Return a sweep of four cells, none of which has begun, at time 0."""
    due = {tag: Due(kind="cell", title=f"nano {tag}", seconds=seconds) for tag in CELLS}
    start = Start(
        sweep="small",
        pid=1,
        started_s=0.0,
        at_s=0.0,
        measuring=due,
        others=others,
        at_most=at_most,
    )
    return SweepProgress(start)


def happen(progress: SweepProgress, at_s: float, kind: Any, **fields: Any) -> None:
    progress.add(Event(kind=kind, at_s=at_s, **fields))


def measure(progress: SweepProgress, tag: str, begin_s: float, end_s: float) -> None:
    """Let a cell be measured in 10 steps, half of its time being the load."""
    happen(progress, begin_s, "started", job=tag)
    half = (end_s - begin_s) / 2
    happen(progress, begin_s + half, "plan", title=f"nano {tag}", total=10)
    for step in range(1, 11):
        happen(progress, begin_s + half + step * half / 10, "step")
    happen(progress, end_s, "finished", job=tag)


def test_before_anything_is_measured_the_estimates_are_added() -> None:
    assert sweep().left_s(0.0) == 400.0
    assert sweep().time_left(0.0) == "about 7 min left"
    assert sweep(at_most=True).time_left(0.0) == "at most about 7 min left"


def test_a_measured_cell_corrects_the_estimates_of_the_others() -> None:
    progress = sweep()
    measure(progress, "F16", 0.0, 200.0)  # twice as long as expected
    assert progress.left_s(200.0) == pytest.approx(600.0)
    assert (progress.count(), progress.share(200.0)) == ("1 of 4", pytest.approx(0.25))


def test_without_an_estimate_the_first_cell_gives_one_while_it_is_measured() -> None:
    progress = sweep(seconds=None)
    assert progress.time_left(0.0) == "time left: not known yet"
    happen(progress, 0.0, "started", job="F16")
    happen(progress, 50.0, "plan", title="nano F16", total=10)
    for step in range(1, 6):
        happen(progress, 50.0 + 10.0 * step, "step")
    # Half of its steps are done, which took 50 s; before, it took 50 s to load.
    assert progress.left_s(100.0) == pytest.approx(50.0 + 3 * 150.0)
    happen(progress, 150.0, "finished", job="F16")
    assert progress.left_s(150.0) == pytest.approx(3 * 150.0)


def test_a_cell_that_the_store_has_says_nothing_about_the_others() -> None:
    progress = sweep()
    happen(progress, 0.0, "started", job="F16")
    happen(progress, 1.0, "finished", job="F16")
    assert progress.left_s(1.0) == pytest.approx(300.0)


def test_the_time_between_steps_counts_down() -> None:
    progress = sweep(seconds=None)
    measure(progress, "F16", 0.0, 100.0)
    before, after = progress.left_s(100.0), progress.left_s(100.0)
    assert before == after == pytest.approx(300.0)
    happen(progress, 100.0, "started", job="Q8_0")
    assert progress.left_s(130.0) == pytest.approx(270.0)


def test_a_wait_for_the_device_is_no_part_of_the_measurement() -> None:
    progress = sweep()
    happen(progress, 0.0, "started", job="F16")
    happen(progress, 1.0, "say", title="nano F16", text="waiting for the cpu: process 7")
    assert progress.left_s(500.0) == pytest.approx(400.0)
    happen(progress, 500.0, "say", title="nano F16", text="warming up")
    happen(progress, 550.0, "plan", title="nano F16", total=1)
    happen(progress, 600.0, "step")
    happen(progress, 600.0, "finished", job="F16")
    assert progress.left_s(600.0) == pytest.approx(300.0)


def test_other_jobs_count_by_what_they_have_taken_so_far() -> None:
    progress = sweep(others=10)
    for number in range(5):
        happen(progress, 2.0 * number, "started", job=f"view {number}")
        happen(progress, 2.0 * number + 2.0, "finished", job=f"view {number}")
    assert progress.left_s(10.0) == pytest.approx(400.0 + 5 * 2.0)


def test_a_place_is_the_cell_and_its_step() -> None:
    progress = sweep()
    assert progress.place() == "0 of 4 measurements, 0 of 0 results"
    happen(progress, 0.0, "started", job="Q8_0")
    assert progress.place() == "nano Q8_0"
    happen(progress, 1.0, "plan", title="nano Q8_0", total=123, done=46)
    happen(progress, 2.0, "step")
    assert progress.place() == "nano Q8_0, 47 of 123"


def test_the_next_measurement_of_a_job_begins_anew() -> None:
    progress = sweep()
    happen(progress, 0.0, "started", job="Q8_0")
    happen(progress, 1.0, "plan", title="nano Q8_0 at 256", total=2)
    happen(progress, 2.0, "step")
    happen(progress, 3.0, "say", title="nano Q8_0 at 512", text="warming up")
    assert progress.current
    assert (progress.place(), progress.current.words) == ("nano Q8_0 at 512", "warming up")


def test_what_ends_after_the_user_has_stopped_the_sweep_is_no_failure() -> None:
    progress = sweep()
    happen(progress, 0.0, "failed", job="F16", title="measure_cell", text="disk full")
    happen(progress, 1.0, "stopped")
    happen(progress, 2.0, "failed", job="Q8_0", title="measure_cell", text="interrupted")
    assert [event.text for event in progress.failed] == ["disk full"]


def test_cells_that_a_failed_canary_stops_are_one_line() -> None:
    refused = "error: not measured, because the canary failed: see results/a/canary/verdict.json"
    failed = [Event(kind="failed", title="measure_cell", text=refused) for _ in CELLS]
    failed.insert(2, Event(kind="failed", title="pass_canary", text="error: canary failed:\n  0.7"))
    assert failure_texts(failed, "log") == [
        FailureText("failed: pass canary", "canary failed:\n  0.7"),
        FailureText(
            "",
            "4 measurements were not made, because the canary failed: "
            "see results/a/canary/verdict.json",
        ),
    ]


def test_equal_failures_are_one_and_a_silent_one_names_the_log() -> None:
    failed = [
        Event(kind="failed", title="check_needs", text="error: no such file"),
        Event(kind="failed", title="pass_preflight", text="error: no such file"),
        Event(kind="failed", title="make_row", text=""),
    ]
    assert failure_texts(failed, ".snakemake/log") == [
        FailureText("failed: check needs, pass preflight", "no such file"),
        FailureText("failed: make row", "see .snakemake/log"),
    ]


@dataclass(frozen=True)
class Job:
    """A job of a simulated sweep: how long it takes, and how long that was estimated to be."""

    name: str
    kind: MeasuringKind | None
    seconds: float
    estimate: float
    steps: int


def simulated(error: float, random: Random) -> list[Job]:
    """Return the jobs of a sweep of seven quants whose machine is `error` times as slow."""
    jobs = [Job("preflight", None, 1.0, 0.8, 0)]
    for tag, bits in zip("ABCDEFG", (16, 8.5, 6.6, 5.7, 4.9, 4.0, 3.4), strict=True):
        expected = 15.0 + 168 * 0.1 * bits
        took = expected * error * random.uniform(0.8, 1.25)
        jobs.append(Job(f"cell {tag}", "cell", took, expected, 168))
    jobs += [Job(f"view {it}", None, random.uniform(0.5, 2.0), 0.8, 0) for it in range(28)]
    for kind in ("context", "thermal"):
        jobs.append(Job(kind, kind, 60.0 * error * random.uniform(0.8, 1.25), 60.0, 0))
    return jobs


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("error", [0.3, 1.0, 4.0])
def test_half_way_the_remaining_time_is_right_within_a_quarter(error: float, seed: int) -> None:
    jobs = simulated(error, Random(seed))
    due = {it.name: Due(kind=it.kind, title=it.name, seconds=it.estimate) for it in jobs if it.kind}
    whole_s, half_s = sum(it.seconds for it in jobs), sum(it.seconds for it in jobs) / 2
    progress = SweepProgress(
        Start(
            sweep="simulated",
            pid=1,
            started_s=0.0,
            at_s=0.0,
            measuring=due,
            others=len(jobs) - len(due),
            at_most=False,
        )
    )
    begin_s = 0.0
    for job in jobs:
        end_s = begin_s + job.seconds
        load_s = 0.15 * job.seconds
        events: list[tuple[float, Any, dict[str, Any]]] = [(begin_s, "started", {"job": job.name})]
        if job.kind:
            plan = {"title": job.name, "total": job.steps}
            events.append((begin_s + load_s, "plan", plan))
        for step in range(job.steps):
            share = (step + 1) / job.steps
            events.append((begin_s + load_s + share * (job.seconds - load_s), "step", {}))
        events.append((end_s, "finished", {"job": job.name}))
        for at_s, kind, fields in events:
            if at_s <= half_s:
                happen(progress, at_s, kind, **fields)
        begin_s = end_s
    left_s = progress.left_s(half_s)
    assert left_s == pytest.approx(whole_s - half_s, rel=0.25)
