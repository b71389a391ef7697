"""The verdict on a sweep whose baselines are known to the digit; see test_resampled_sweeps, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import builders
import numpy
import pytest

from orket_lib.analysis.baselines.adherence import examine_adherence, extremes
from orket_lib.analysis.baselines.metrics import ADHERENCE
from orket_lib.analysis.baselines.pairs import Pairs, shared_tasks
from orket_lib.analysis.baselines.records import baselines_of, settings_digest
from orket_lib.analysis.baselines.regression import CellNow, Judged, judge_sweep
from orket_lib.analysis.statistics import against_history, as_many_or_more, chance_of_sum, holm
from orket_lib.artifacts.baseline import Baseline
from orket_lib.artifacts.views.regression import Change, MetricVerdict
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane, Outcome

TASKS = 20
# How much slower than usual the host was: what it does from one day to the next.
HOST = (1.0, 1.01, 0.99, 1.005, 0.995, 1.012, 0.988, 1.003)


def report(
    day: int,
    pace: float,
    slower: Mapping[int, float] | None = None,
    lost: Sequence[int] = (),
    **changes: Any,
) -> RunReport:
    """Return what a host measures that takes `pace` times as long as usual."""
    runs = tuple(
        builders.run(
            task,
            index,
            Outcome.FAIL if task in lost else Outcome.PASS,
            total_latency=0.3 * pace * (slower or {}).get(task, 1.0) * (1 + 0.3 * index),
        )
        for index in range(2)
        for task in range(1, TASKS + 1)
    )
    probes = tuple(
        builders.probe(
            index,
            ttft_ms=510 * pace,
            prefill_seconds=0.5 * pace,
            decode_seconds=pace,
        )
        for index in range(2)
    )
    moment = f"2026-11-{day:02d}T00:00:00Z"
    return builders.report(measured_at=moment, test_runs=runs, probes=probes, **changes)


def records(measured: RunReport, revision: str = "r1", clean: bool = True) -> dict[str, Baseline]:
    return baselines_of(measured, {run.test_id: revision for run in measured.test_runs}, clean)


def histories(*measured: RunReport, clean: bool = True) -> dict[str, list[Baseline]]:
    found: dict[str, list[Baseline]] = {}
    for one in measured:
        for test_id, item in records(one, clean=clean).items():
            found.setdefault(test_id, []).append(item)
    return found


def only(measured: RunReport, *tasks: int) -> RunReport:
    """Return what would have been measured had only these tasks been asked."""
    runs = tuple(run for run in measured.test_runs if run.task_id in tasks)
    return measured.model_copy(update={"test_runs": runs})


def ref_of(measured: RunReport) -> str:
    return next(iter(records(measured).values())).baseline_metadata.test_run_id


USUAL = histories(*(report(day, pace) for day, pace in enumerate(HOST, start=1)))


def judge(
    measured: RunReport,
    against: Mapping[str, Sequence[Baseline]] = USUAL,
    lane: Lane = Lane.LAB,
    ref: str | None = None,
) -> Judged:
    return judge_sweep([CellNow("nano", "Q4_K_M", records(measured))], against, lane, ref)


def metric(judged: Judged, name: str) -> MetricVerdict:
    (found,) = (item for item in judged.cells[0].metrics if item.metric == name)
    return found


def number(item: MetricVerdict, name: str) -> float:
    found = item.reading(name)
    assert not isinstance(found, Null), found
    return found


def test_an_unchanged_sweep_passes_with_every_metric_the_same() -> None:
    judged = judge(report(20, 1.004))

    assert judged.verdict == "PASS"
    assert {item.verdict for item in judged.cells[0].metrics} == {Change.SAME, Change.UNDECIDED}
    assert metric(judged, "peak_vram_mib").null_reasons["effect"] == "NO_GPU_USED"
    assert judged.comparisons == 6


def test_a_slower_sweep_fails_and_says_by_how_much() -> None:
    judged = judge(report(20, 1.1))

    assert judged.verdict == "FAIL"
    for name, effect in {
        "fastest_latency": 0.1,
        "ttft_ms": 0.1,
        "prompt_tokens_per_second": 1 / 1.1 - 1,
        "generation_tokens_per_second": 1 / 1.1 - 1,
    }.items():
        item = metric(judged, name)
        assert item.verdict is Change.REGRESSED
        assert item.effect == pytest.approx(effect, abs=0.005)
        assert number(item, "low") < effect < number(item, "high")
        assert number(item, "p_value") <= number(item, "p_adjusted") <= 0.05
    assert metric(judged, "adherence_score").verdict is Change.SAME
    assert len(judged.failures) == 4
    assert judged.failures[0].startswith("nano Q4_K_M: fastest_latency 0.3001 -> 0.33 (+10.0%")


def test_a_faster_sweep_has_improved() -> None:
    judged = judge(report(20, 0.9))
    assert metric(judged, "fastest_latency").verdict is Change.IMPROVED
    assert metric(judged, "generation_tokens_per_second").verdict is Change.IMPROVED
    assert judged.verdict == "PASS"


def test_what_the_host_does_anyway_is_no_finding() -> None:
    """The same 10 % on a host whose sweeps differ by as much among themselves."""
    restless = histories(
        *(report(day, pace**10) for day, pace in enumerate(HOST, start=1)),
    )
    judged = judge(report(20, 1.1), restless)
    assert judged.verdict == "PASS"
    assert number(metric(judged, "fastest_latency"), "noise") > 0.05


def test_many_runs_inside_a_sweep_do_not_make_up_for_few_sweeps() -> None:
    judged = judge(report(20, 1.5), histories(report(1, 1.0), report(2, 1.01)))

    assert judged.verdict == "NOT_JUDGED"
    assert judged.comparisons == 0
    item = metric(judged, "fastest_latency")
    assert item.verdict is Change.UNDECIDED
    assert item.null_reasons["p_value"] == "FEWER_THAN_3_BASELINES"
    assert "2 of the 3 baselines" in judged.cells[0].detail


def test_two_lost_tasks_are_found_and_named() -> None:
    judged = judge(report(20, 1.0, lost=(3, 7)))

    item = metric(judged, "adherence_score")
    assert item.verdict is Change.REGRESSED
    assert [found.test_id for found in item.findings] == ["add-0003", "add-0007"]
    assert item.effect == pytest.approx(-2 / TASKS)
    assert judged.verdict == "FAIL"
    assert "2 of 20 tasks worse than before: add-0003, add-0007" in judged.failures[0]


def test_one_lost_task_is_shown_and_proves_nothing() -> None:
    item = metric(judge(report(20, 1.0, lost=(3,))), "adherence_score")
    assert item.verdict is Change.SAME
    assert [found.test_id for found in item.findings] == ["add-0003"]


def test_tasks_that_come_and_go_are_no_loss() -> None:
    """Two tasks fail in some of the baselines, so that they fail now says nothing."""
    flaky = histories(*(report(day, 1.0, lost=(3, 7) if day % 3 else ()) for day in range(1, 9)))
    item = metric(judge(report(20, 1.0, lost=(3, 7)), flaky), "adherence_score")
    assert item.verdict is Change.SAME
    assert item.findings == ()


def test_a_host_that_always_loses_some_other_tasks_needs_more_to_be_found() -> None:
    restless = histories(*(report(day, 1.0, lost=(day, day + 8)) for day in range(1, 9)))
    item = metric(judge(report(20, 1.0, lost=(18, 19)), restless), "adherence_score")
    assert len(item.findings) == 2
    assert item.verdict is Change.SAME


def test_a_collapse_is_found_where_every_task_has_failed_before() -> None:
    """No task can be worse than in every baseline: each of them failed in one."""
    restless = histories(*(report(day, 1.0, lost=(2 * day - 1, 2 * day)) for day in range(1, 11)))

    judged = judge(report(20, 1.0, lost=range(1, TASKS + 1)), restless)

    item = metric(judged, "adherence_score")
    assert (item.verdict, judged.verdict) == (Change.REGRESSED, "FAIL")
    assert (item.reading("before"), item.reading("now")) == (pytest.approx(0.9), 0.0)
    assert {found.test_id for found in item.findings} == set(restless)
    assert "20 of 20 tasks worse than before: add-0001, " in judged.failures[0]
    as_usual = metric(judge(report(20, 1.0, lost=(4, 9, 14)), restless), "adherence_score")
    assert (as_usual.verdict, as_usual.findings) == (Change.SAME, ())


def test_answers_that_come_and_go_by_chance_are_rarely_a_finding() -> None:
    """Of a hundred sweeps of a model that passes each task three times in four."""
    random = numpy.random.default_rng(3)
    passed, failed = records(report(1, 1.0)), records(report(1, 1.0, lost=range(1, TASKS + 1)))
    found = 0
    for _ in range(100):
        drawn = [numpy.flatnonzero(random.random(TASKS) > 0.75) + 1 for _ in range(9)]
        pairs = [
            {
                test_id: (failed if task in lost else passed)[test_id].gold_telemetry
                for task, test_id in enumerate(passed, start=1)
            }
            for lost in drawn
        ]
        *earlier, now = pairs
        everyone = tuple(range(len(earlier)))
        both = Pairs(tuple(now), now, tuple(earlier), ("",) * 8, everyone, everyone)
        tested = examine_adherence(both, extremes(both))
        found += tested.p_value <= 0.05 and tested.beyond_noise
    assert found <= 5


def test_a_named_baseline_is_what_answers_are_held_against() -> None:
    """Tasks that failed in another baseline may still be worse than in the named one."""
    good = report(15, 1.0)
    bad_once = report(14, 1.0, lost=range(1, 13))
    against = histories(*(report(day, 1.0) for day in range(1, 11)), bad_once, good)
    mine = report(20, 1.0, lost=range(1, 13))

    named = metric(judge(mine, against, ref=ref_of(good)), "adherence_score")
    as_bad = metric(judge(mine, against, ref=ref_of(bad_once)), "adherence_score")

    assert (named.reading("before"), len(named.findings)) == (1.0, 12)
    assert as_bad.reading("before") == pytest.approx(0.4)
    assert (as_bad.verdict, as_bad.findings) == (Change.SAME, ())
    two = metric(judge(report(20, 1.0, lost=(3, 7)), USUAL, ref=ref_of(report(8, 1.0))), ADHERENCE)
    assert two.verdict is Change.REGRESSED


def test_a_task_that_got_slower_than_all_others_is_named() -> None:
    judged = judge(report(20, 1.0, slower={5: 2.0}))
    (found,) = metric(judged, "fastest_latency").findings
    assert (found.test_id, found.change) == ("add-0005", Change.REGRESSED)
    assert found.effect == pytest.approx(1.0, abs=0.1)


def test_a_smaller_change_than_the_floor_is_no_finding_however_sure() -> None:
    still = histories(*(report(day, 1.0) for day in range(1, 11)))
    item = metric(judge(report(20, 1.015), still), "fastest_latency")
    assert number(item, "p_adjusted") < 0.001
    assert item.verdict is Change.SAME
    assert metric(judge(report(20, 1.025), still), "fastest_latency").verdict is Change.REGRESSED


def test_in_lane_ci_speeds_are_tested_and_gate_nothing() -> None:
    slow = judge(report(20, 1.3), lane=Lane.CI)
    assert metric(slow, "fastest_latency").verdict is Change.REGRESSED
    assert slow.verdict == "PASS"
    assert judge(report(20, 1.3, lost=(3, 7)), lane=Lane.CI).verdict == "FAIL"


def test_only_what_was_measured_before_counts() -> None:
    """So a comparison that is made again, after the sweep was recorded, says the same."""
    mine = report(20, 1.1)
    later = histories(
        *(report(day, pace) for day, pace in enumerate(HOST, start=1)),
        mine,
        *(report(day, 1.1) for day in range(21, 26)),
    )
    assert judge(mine, later) == judge(mine)


def test_a_named_baseline_is_the_centre_and_all_show_the_noise() -> None:
    slow_once = {
        test_id: [*items, *histories(report(15, 1.05))[test_id]] for test_id, items in USUAL.items()
    }
    ref = ref_of(report(15, 1.05))
    item = metric(judge(report(20, 1.05), slow_once, ref=ref), "fastest_latency")
    assert item.effect == pytest.approx(0)
    judged = judge(report(20, 1.05), slow_once, ref="nano/elsewhere")
    assert judged.cells[0].status == "NO_BASELINE"


@pytest.mark.parametrize(
    ("mine", "status"),
    [
        (report(20, 1.0, hardware_fingerprint="another"), "HW_MISMATCH"),
        (report(20, 1.0, spec=builders.spec(n_ctx=4096)), "SETTINGS_MISMATCH"),
        (report(20, 1.0, spec=builders.spec(quant_tag="Q2_K")), "NO_BASELINE"),
    ],
)
def test_what_can_not_be_compared_is_not(mine: RunReport, status: str) -> None:
    judged = judge(mine)
    assert (judged.verdict, judged.cells[0].status) == ("NOT_JUDGED", status)
    assert judged.cells[0].detail


def test_a_task_whose_content_changed_is_left_out_by_name() -> None:
    mine = records(report(20, 1.0)) | {
        "add-0004": records(report(20, 1.0), "r2")["add-0004"],
    }
    (cell,) = judge_sweep([CellNow("nano", "Q4_K_M", mine)], USUAL, Lane.LAB).cells
    assert [(item.status, item.test_ids) for item in cell.unresolved] == [
        ("REV_MISMATCH", ("add-0004",))
    ]
    assert next(item.tasks for item in cell.metrics if item.metric == "fastest_latency") == 19


def test_a_shorter_baseline_takes_no_task_out_of_the_comparison() -> None:
    short = only(report(9, 1.0), *range(1, 11))
    against = histories(*(report(day, pace) for day, pace in enumerate(HOST, start=1)), short)
    judged = judge(report(20, 1.0, lost=(13, 17)), against)
    (cell,) = judged.cells
    assert judged.verdict == "FAIL"
    assert (len(cell.baselines), ref_of(short) in cell.baselines) == (len(HOST), False)
    assert cell.unresolved == ()


def test_tasks_that_few_baselines_have_are_left_out_by_name() -> None:
    older = [only(report(day, 1.0), *range(1, 16)) for day in range(1, 8)]
    (cell,) = judge(report(20, 1.0), histories(*older, report(8, 1.0))).cells
    assert len(cell.baselines) == 8
    assert [(item.status, len(item.test_ids)) for item in cell.unresolved] == [
        ("NOT_IN_ALL_BASELINES", 5)
    ]
    # Of the last measurement alone, all tasks are compared.
    (cell,) = judge(
        report(20, 1.0), histories(*older, report(8, 1.0)), ref=ref_of(report(8, 1.0))
    ).cells
    assert cell.status == "OK"


def test_baselines_without_a_task_in_common_are_no_traceback() -> None:
    first, second = only(report(1, 1.0), 1, 2), only(report(2, 1.0), 3, 4)
    judged = judge(report(20, 1.0), histories(first, second))
    (cell,) = judged.cells
    assert (judged.verdict, cell.baselines) == ("NOT_JUDGED", (ref_of(second),))
    assert {item.status: set(item.test_ids) for item in cell.unresolved} == {
        "NO_BASELINE": {f"add-{number:04d}" for number in range(5, TASKS + 1)},
        "NOT_IN_ALL_BASELINES": {"add-0001", "add-0002"},
    }


@pytest.mark.parametrize("seed", range(20))
def test_what_is_shared_is_shared_whatever_the_history_looks_like(seed: int) -> None:
    random = numpy.random.default_rng(seed)
    refs = [f"r{number}" for number in range(random.integers(1, 12))]
    drawn = random.random((random.integers(1, 30), len(refs))) < random.random()
    holders = {
        f"t{place}": {ref for ref, has in zip(refs, row, strict=True) if has}
        for place, row in enumerate(drawn)
        if row.any()
    } or {"t": {refs[-1]}}
    known = [ref for ref in refs if any(ref in each for each in holders.values())]
    tasks, kept = shared_tasks(holders, known)
    assert tasks
    assert kept
    assert all(ref in holders[task] for task in tasks for ref in kept)
    assert list(kept) == [ref for ref in known if ref in kept]


def test_times_of_a_disturbed_measurement_are_no_evidence_in_lane_lab() -> None:
    """They would make slow look usual, and the noise large; their answers still count."""
    disturbed = histories(*(report(day, 1.0 + day / 10) for day in range(9, 16)), clean=False)
    mixed = {test_id: [*items, *disturbed[test_id]] for test_id, items in USUAL.items()}

    judged = judge(report(20, 1.1), mixed)

    assert metric(judged, "fastest_latency") == metric(judge(report(20, 1.1)), "fastest_latency")
    assert metric(judged, "ttft_ms") == metric(judge(report(20, 1.1)), "ttft_ms")
    assert len(judged.cells[0].baselines) == 15
    alone = judge(report(20, 1.1, lost=(3, 7)), disturbed)
    assert metric(alone, "ttft_ms").null_reasons["effect"] == "FEWER_THAN_3_CLEAN_BASELINES"
    assert metric(alone, ADHERENCE).verdict is Change.REGRESSED
    in_ci = judge(report(20, 1.1), disturbed, lane=Lane.CI)
    assert metric(in_ci, "ttft_ms").verdict is not Change.UNDECIDED


def test_a_newer_runtime_or_file_is_compared_and_named() -> None:
    """Whether they are slower is what baselines are for."""
    newer = report(
        20,
        1.0,
        spec=builders.spec(provider_version="2.0"),
        sessions=(builders.session(served=builders.served(build="new", sha256="c" * 64)),),
    )
    (cell,) = judge(newer).cells
    assert (cell.status, cell.changed) == ("OK", ("model_hash", "build"))


def test_a_cell_that_is_not_valid_is_not_judged() -> None:
    cell = CellNow("nano", "Q4_K_M", invalid_because=("run quality is POLLUTED",))
    judged = judge_sweep([cell], USUAL, Lane.LAB)
    assert judged.verdict == "NOT_JUDGED"
    assert judged.cells[0].detail == "run quality is POLLUTED"


def test_rates_of_two_clocks_are_not_compared() -> None:
    mine = report(20, 1.0)
    probes = tuple(probe.model_copy(update={"rate_source": "client"}) for probe in mine.probes)
    item = metric(judge(mine.model_copy(update={"probes": probes})), "generation_tokens_per_second")
    assert item.verdict is Change.UNDECIDED


def test_more_rounds_or_tasks_are_no_other_settings() -> None:
    one = report(1, 1.0)
    assert settings_digest(one) == settings_digest(
        report(1, 1.0, spec=builders.spec(runs_per_task=5, probe_runs=9))
    )


def test_the_fastest_of_more_runs_is_not_compared_with_that_of_fewer() -> None:
    mine = report(20, 1.0)
    more = mine.model_copy(
        update={"test_runs": (*mine.test_runs, *(run for run in mine.test_runs if run.run_index))}
    )
    judged = judge(more)
    item = metric(judged, "fastest_latency")
    assert item.null_reasons["effect"] == "FEWER_THAN_3_BASELINES_HAVE_IT"
    assert metric(judged, "ttft_ms").verdict is Change.SAME


def test_a_task_that_never_answered_has_no_time() -> None:
    silent = builders.report(test_runs=(builders.run(1, 0, Outcome.TIMEOUT),))
    (item,) = baselines_of(silent, {"add-0001": "r"}, clean=True).values()
    assert item.gold_telemetry.reading("fastest_latency") == Null("NO_RUN_ANSWERED")


def test_holm_as_worked_out_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([]) == ()


def test_a_value_in_the_middle_of_its_history_proves_nothing() -> None:
    found = against_history(2.0, [1.0, 2.0, 3.0])
    assert (found.change, found.p_value, found.spread) == (0.0, 1.0, 1.0)
    assert found.low == -found.high == pytest.approx(-4.302653 * (4 / 3) ** 0.5, rel=1e-6)


def test_a_sum_of_events_as_worked_out_by_hand() -> None:
    # One trial each: an event that was has the chance 3/4, one that was not 1/4.
    found = chance_of_sum(1.0, [1.0, 0.0], 1)
    assert found.as_few == pytest.approx(1 - 3 / 4 * 1 / 4)
    assert found.as_many == pytest.approx(1 - 1 / 4 * 3 / 4)
    half = chance_of_sum(1.5, [1.0, 0.0], 1)
    assert (half.as_few, half.as_many) == (pytest.approx(1.0), pytest.approx(found.as_many))


def test_an_event_that_never_was_is_not_impossible() -> None:
    # Beta(0.5, 10.5), one trial: the chance is the mean of the rate, 0.5 / 11.
    assert as_many_or_more(1, 1, 0, 10) == pytest.approx(0.5 / 11)
    assert as_many_or_more(0, 5, 0, 10) == 1.0
