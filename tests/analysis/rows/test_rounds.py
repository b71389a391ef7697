"""Rounds add to what was measured; differences between them are reported."""

from __future__ import annotations

import pytest
from builders import STRICT, probe, report, run, session, spec
from contract_examples import example

from orket_lib.analysis.baselines.records import baselines_of
from orket_lib.analysis.rows.rounds import as_one, round_figures
from orket_lib.analysis.rows.row import build_row
from orket_lib.artifacts.measurements.gpu import GpuSummary
from orket_lib.artifacts.measurements.host import HostSummary
from orket_lib.artifacts.views.run_report import Observation, RunReport
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane, Outcome, RunStatus, SidecarStatus

PATHS = ["d/run.json", "d/round-2/run.json"]
MIXTURE = Observation.of(Reason.QUANT_IDENTITY_MISMATCH, "build differs")


def second(**changes: object) -> RunReport:
    """A second round: two loads, a slower probe, one task wrong once."""
    values: dict[str, object] = {
        "sessions": (session(), session(index=1)),
        "hosts": report().hosts * 2,
        "probes": (probe(0, decode_seconds=3.0), probe(1, session=1, decode_seconds=3.0)),
        "test_runs": (run(1, 0), run(2, 0), run(1, 1), run(2, 1, Outcome.FAIL, answer="9")),
        "measured_at": "2026-01-01T02:00:00Z",
    }
    return report(**(values | changes))


def test_one_round_is_what_it_is() -> None:
    alone = report()
    assert as_one([alone]) == alone


def test_every_load_probe_and_run_of_all_rounds_is_there_under_a_number_of_its_own() -> None:
    whole = as_one([report(), second()])
    assert [item.index for item in whole.sessions] == [0, 1, 2]
    assert len(whole.hosts) == 3
    assert [(item.index, item.session) for item in whole.probes] == [(0, 0), (1, 0), (2, 1), (3, 2)]
    asked = [(item.task_id, item.run_index) for item in whole.test_runs]
    assert sorted(asked) == [(task, index) for task in (1, 2) for index in range(4)]
    assert [item.session for item in whole.test_runs] == [0] * 4 + [1] * 4


def test_rounds_make_no_other_baseline_but_a_fuller_one() -> None:
    revisions = {"add-0001": "r", "add-0002": "r"}
    one, whole = (
        baselines_of(measured, revisions, clean=True)["add-0002"]
        for measured in (report(), as_one([report(), second()]))
    )
    assert whole.baseline_metadata == one.baseline_metadata
    assert (one.gold_telemetry.runs, whole.gold_telemetry.runs) == (2, 4)
    assert whole.gold_telemetry.adherence_score == 0.75


def test_a_row_is_judged_over_all_rounds() -> None:
    reports = [report(), second()]
    whole = as_one(reports, [MIXTURE])
    rounds = round_figures(reports, PATHS)
    row = build_row(
        whole, STRICT, Lane.LAB, {}, SidecarStatus.NOT_APPLICABLE, PATHS[0], rounds=rounds
    )
    assert row.test_runs == 8
    assert row.adherence_score == pytest.approx((1 + 3 / 4) / 2)
    assert row.determinism_rate == 0.5  # the wrong answer of one round tells
    assert row.generation_tokens_per_second == pytest.approx(4 * 127 / (2 * 1.0 + 2 * 3.0))
    assert not row.valid
    assert [item.evidence for item in row.run_quality_reasons] == ["build differs"]
    assert [item.generation_tokens_per_second for item in row.rounds] == [
        pytest.approx(127.0),
        pytest.approx(127 / 3),
    ]
    assert [(item.round, item.report_path) for item in row.rounds] == [(1, PATHS[0]), (2, PATHS[1])]


def test_a_round_that_failed_is_named() -> None:
    broken = second(status=RunStatus.CRASHED, status_reason="the server died", sessions=())
    whole = as_one([report(), broken])
    assert (whole.status, whole.status_reason) == (RunStatus.CRASHED, "round 2: the server died")
    figures = round_figures([report(), broken], PATHS)[1]
    assert figures.total_latency is None
    assert set(figures.null_reasons.values()) == {"STATUS_CRASHED"}


def test_rounds_of_different_measurements_are_refused() -> None:
    with pytest.raises(ArtifactError, match="different measurements"):
        as_one([report(), report(spec=spec(n_ctx=1024))])


def test_heat_is_that_of_all_loads_of_a_round() -> None:
    unseen = dict.fromkeys(HostSummary.readings(), Null("NOT_SAMPLED"))
    hosts = tuple(
        HostSummary.of(
            samples=0, **(unseen | {"temperature_start_c": start, "temperature_max_c": most})
        )
        for start, most in ((40.0, 45.0), (60.0, 91.0))
    )
    (figures, _) = round_figures([second(hosts=hosts), report()], PATHS)
    assert (figures.temperature_start_c, figures.temperature_max_c) == (40, 91)
    assert figures.temperature_of == "cpu"


def test_heat_of_several_gpus_is_that_of_the_hottest() -> None:
    gpus = tuple(
        GpuSummary.model_validate(
            example(GpuSummary, whole=True)
            | {"session": session, "used": used}
            | {"temperature_start_c": start, "temperature_max_c": start + 5}
        )
        for session, used, start in (
            (0, False, 90.0),
            (0, True, 40.0),
            (0, True, 55.0),
            (1, True, 70.0),
        )
    )
    (figures, _) = round_figures([second(gpus=gpus), report()], PATHS)
    assert (figures.temperature_start_c, figures.temperature_max_c) == (55, 75)
    assert figures.temperature_of == "gpu"


def test_what_the_rounds_ran_with_is_listed_where_it_differs() -> None:
    first = report(platform={"kernel": "6.1", "smt": "on"})
    later = second(platform={"kernel": "6.2", "smt": "on"})
    assert as_one([first, later]).platform == {"kernel": "6.1, then 6.2", "smt": "on"}
