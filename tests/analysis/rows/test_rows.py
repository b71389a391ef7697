from __future__ import annotations

from typing import Any

import pytest
from builders import STRICT, generation, host, probe, report, run, served, session, spec

from orket_lib.analysis.rows.row import build_row
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.run_report import Observation, Reasoning, TestRun
from orket_lib.measure.speed.token_metrics import Tokens
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import (
    Lane,
    Outcome,
    Quality,
    RunStatus,
    SidecarStatus,
    TokenStatus,
)

PASS, FAIL, ERROR, TIMEOUT = Outcome.PASS, Outcome.FAIL, Outcome.ERROR, Outcome.TIMEOUT


def row(**changes: Any) -> RowMetrics:
    options: dict[str, Any] = {
        "policy": STRICT,
        "lane": Lane.LAB,
        "quant_bits": {},
        "sidecar": SidecarStatus.NOT_APPLICABLE,
        "report_path": "run.json",
    }
    for name in options:
        options[name] = changes.pop(name, options[name])
    return build_row(report(**changes), **options)


def tolerant(**limits: float) -> Any:
    return STRICT.model_copy(update=limits)


def test_a_clean_report_is_a_valid_row() -> None:
    found = row()
    assert found.valid
    assert found.invalid_because == ()
    assert found.adherence_score == 1.0
    assert found.run_quality_status is Quality.CLEAN
    assert found.token_metrics_status is TokenStatus.OK
    assert found.quant_rank == pytest.approx(490)
    assert (found.test_runs, found.failed_runs) == (4, 0)
    assert found.polluted_run_rate == 0.0
    assert found.init_latency == 0.5


def test_an_unsteady_machine_costs_the_times_and_not_the_answers() -> None:
    unsteady = Observation.of(Reason.CANARY_LATENCY, "firefox used 58% of the cores")
    probes = (probe(0, observations=(unsteady,)), probe(1))
    busy = row(probes=probes)
    assert (busy.ttft_ms, busy.generation_tokens_per_second) == (None, None)
    assert busy.null_reasons["generation_tokens_per_second"] == "CANARY_LATENCY"
    assert busy.total_latency is not None  # that of the answers, which were not disturbed
    assert (busy.valid, busy.quality_valid, busy.speed_valid) == (False, True, False)
    assert busy.speed_spoiled_by is not None
    assert "firefox used 58% of the cores" in busy.speed_spoiled_by[0]
    assert busy.latency_spoiled_by == ()
    late = row(test_runs=(run(1, run_quality_reasons=(unsteady,)),))
    assert (late.total_latency, late.null_reasons["total_latency"]) == (None, "CANARY_LATENCY")
    assert (late.speed_valid, late.ttft_ms is not None) == (True, True)


def test_a_failed_run_counts_zero_and_its_time_does_not_count() -> None:
    runs = (
        run(1, 0, PASS, total_latency=1.0),
        run(1, 1, TIMEOUT),
        run(2, 0, FAIL, answer="9", total_latency=3.0),
        run(2, 1, ERROR),
    )
    found = row(test_runs=runs)
    assert found.adherence_score == 0.25
    assert found.total_latency == 2.0
    assert found.orchestration_overhead_ratio == pytest.approx(0.0625)
    assert (found.test_runs, found.failed_runs) == (4, 2)


def test_adherence_is_the_mean_over_tasks_of_the_mean_over_runs() -> None:
    runs = (run(1, 0), run(1, 1), run(1, 2), run(2, 0, FAIL))
    assert row(test_runs=runs).adherence_score == 0.5


def test_a_cell_in_which_nothing_answered_has_no_latency() -> None:
    found = row(test_runs=tuple(run(1, index, TIMEOUT) for index in range(2)))
    assert found.adherence_score == 0.0
    assert found.total_latency is None
    assert found.null_reasons["total_latency"] == "NO_RUN_ANSWERED"


def test_adherence_is_told_for_each_family() -> None:
    runs = (run(1, family="sort"), run(2, 0, FAIL, family="sort"), run(3, family="add"))
    families = row(test_runs=runs).adherence_by_family
    assert [(f.family, f.adherence_score, f.tasks) for f in families] == [
        ("add", 1.0, 1),
        ("sort", 0.5, 2),
    ]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        pytest.param((run(1, 0), run(1, 1)), 1.0, id="same answer"),
        pytest.param((run(1, 0, answer="1"), run(1, 1, answer=" 1\n")), 1.0, id="same normalised"),
        pytest.param((run(1, 0), run(1, 1, FAIL, answer="2")), 0.0, id="other answer"),
        pytest.param(
            (run(1, 0, FAIL, answer="7"), run(1, 1, FAIL, answer="7")), 1.0, id="same wrong answer"
        ),
        pytest.param(
            (run(1, 0), run(1, 1, total_latency=99.0, peak_memory_rss=1.0)), 1.0, id="other times"
        ),
        pytest.param((run(1, 0), run(1, 1, TIMEOUT)), 0.0, id="one without an answer"),
        pytest.param((run(1, 0, ERROR), run(1, 1, ERROR)), 0.0, id="no answer at all"),
        pytest.param(
            (run(1, 0), run(2, 0), run(1, 1), run(2, 1, answer="8")), 0.5, id="one task of two"
        ),
        pytest.param((run(1, 0), run(2, 0)), None, id="one run per task"),
        pytest.param((run(1, 0), run(1, 1), run(2, 0)), None, id="one task with one run"),
    ],
)
def test_determinism_compares_normalised_answers(runs: Any, expected: float | None) -> None:
    found = row(test_runs=runs)
    assert found.determinism_rate == expected
    if expected is None:
        assert found.null_reasons["determinism_rate"] == "ONE_RUN_PER_TASK"


def test_rates_are_total_tokens_over_total_time() -> None:
    slow = probe(1, decode_seconds=9.0, prefill_seconds=1.5)
    found = row(probes=(probe(0), slow))
    assert found.generation_tokens_per_second == pytest.approx(254 / 10)
    assert found.prompt_tokens_per_second == pytest.approx(1024 / 2)
    assert found.rate_source == "server"
    # The mean of the two rates would be another number.
    assert found.generation_tokens_per_second != pytest.approx((127 + 127 / 9) / 2)


def test_cached_tokens_are_not_prefilled() -> None:
    found = row(probes=(probe(0, cached_tokens=256), probe(1, cached_tokens=256)))
    assert found.prompt_tokens_per_second == pytest.approx(512 / 1.0)


def test_rates_of_two_clocks_are_not_mixed() -> None:
    found = row(probes=(probe(0), probe(1, rate_source="client", decode_seconds=Null("NO"))))
    assert found.rate_source == "client"
    assert found.generation_tokens_per_second == pytest.approx(254 / 2.2)
    assert found.prompt_tokens_per_second == pytest.approx(1024 / 1.02)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param(
            {"output_tokens": 15, "decode_intervals": 14}, "TOO_FEW_OUTPUT_TOKENS", id="15"
        ),
        pytest.param({"decode_seconds": Null("NO_CLOCK")}, "NO_CLOCK", id="no time"),
        pytest.param({"decode_intervals": Null("NO_COUNT")}, "NO_COUNT", id="no count"),
    ],
)
def test_a_rate_with_a_missing_part_is_null_with_its_reason(
    changes: dict[str, Any], reason: str
) -> None:
    found = row(probes=(probe(0), probe(1, **changes)))
    assert found.generation_tokens_per_second is None
    assert found.null_reasons["generation_tokens_per_second"] == reason


def test_ttft_is_the_median_of_the_probes() -> None:
    probes = tuple(probe(i, ttft_ms=ms) for i, ms in enumerate((100.0, 900.0, 110.0)))
    assert row(probes=probes).ttft_ms == 110.0


def test_memory_is_the_peak_over_all_runs() -> None:
    runs = (run(1, 0, peak_memory_rss=10.0), run(1, 1, peak_memory_rss=30.0), run(2, 0))
    assert row(test_runs=runs[:2]).peak_memory_rss == 30.0
    remote = tuple(run(1, i, peak_memory_rss=Null("REMOTE_SERVER")) for i in range(2))
    found = row(test_runs=remote)
    assert found.peak_memory_rss is None
    assert found.null_reasons["peak_memory_rss"] == "REMOTE_SERVER"
    assert found.null_reasons["peak_vram_mib"] == "NO_GPU_USED"


def test_a_reading_that_was_not_taken_is_no_rate_of_zero() -> None:
    found = row()
    assert found.cpu_saturation_rate is None
    assert found.null_reasons["cpu_saturation_rate"] == "NOT_SAMPLED"
    busy = Observation.of(Reason.HIGH_CPU_SATURATION, "30 %")
    runs = (
        run(1, 0, host=host(foreign_cpu_ratio=0.3), reasons=(busy,)),
        run(1, 1, host=host(foreign_cpu_ratio=0.0)),
    )
    probes = (probe(host=host(foreign_cpu_ratio=0.0)),)
    assert row(test_runs=runs, probes=probes).cpu_saturation_rate == 0.5
    assert row(test_runs=runs).cpu_saturation_rate is None


def test_a_spoiled_probe_does_not_drown_among_the_graded_runs() -> None:
    busy = Observation.of(Reason.HIGH_CPU_SATURATION, "30 %")
    quiet = host(foreign_cpu_ratio=0.0)
    runs = tuple(run(task, host=quiet) for task in range(1, 101))
    probes = (probe(0, host=quiet), probe(1, host=quiet, observations=(busy,)))
    assert row(test_runs=runs, probes=probes).cpu_saturation_rate == 0.5


@pytest.mark.parametrize("status", [s for s in RunStatus if s is not RunStatus.MEASURED])
def test_a_cell_that_was_not_measured_has_no_figures(status: RunStatus) -> None:
    found = row(status=status, status_reason="why", sessions=(), probes=(), test_runs=())
    figures = set(RowMetrics.readings()) - {"quant_rank"}
    for name in figures:
        assert getattr(found, name) is None
        assert found.null_reasons[name] == f"STATUS_{status.upper()}"
    assert found.quant_rank == pytest.approx(489)
    assert not found.valid
    assert found.invalid_because == (f"status is {status.value}",)
    assert (found.status, found.status_reason) == (status, "why")
    assert found.run_quality_status is None


def test_a_cell_that_crashed_half_way_has_no_figures_either() -> None:
    found = row(status=RunStatus.CRASHED, status_reason="-11", test_runs=(run(1),))
    assert found.adherence_score is None
    assert found.test_runs == 1


@pytest.mark.parametrize(
    ("bits", "tag", "table", "expected"),
    [
        pytest.param(4.9, "Q4_K_M", {}, 490.0, id="from the file"),
        pytest.param(4.9, "Q9_Z", {"Q9_Z": 9.0}, 490.0, id="the file wins"),
        pytest.param(Null("NO_FILE"), "Q4_K_M", {}, 489.0, id="nominal"),
        pytest.param(Null("NO_FILE"), "Q4_K_M", {"Q4_K_M": 5.0}, 500.0, id="the config wins"),
        pytest.param(Null("NO_FILE"), "Q9_Z", {}, None, id="unknown"),
    ],
)
def test_the_rank_is_bits_per_weight(
    bits: float | Null, tag: str, table: dict[str, float], expected: float | None
) -> None:
    found = row(
        spec=spec(quant_tag=tag),
        sessions=(session(served=served(bits_per_weight=bits)),),
        quant_bits=table,
    )
    assert found.quant_rank == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("limit", "status", "valid"),
    [
        pytest.param(0.5, TokenStatus.OK, True, id="equal is fine"),
        pytest.param(0.49, TokenStatus.NO_TIMES, False, id="above is not"),
    ],
)
def test_missing_telemetry_is_tolerated_up_to_the_policy(
    limit: float, status: TokenStatus, valid: bool
) -> None:
    missing = Observation.of(Reason.MISSING_TOKEN_TIMINGS, "no timings")
    runs = (run(1, 0), run(1, 1, token_status=TokenStatus.NO_TIMES, reasons=(missing,)))
    found = row(test_runs=runs, policy=tolerant(max_missing_telemetry_rate=limit))
    assert found.missing_telemetry_rate == 0.5
    assert found.token_metrics_status is status
    assert found.valid is valid


@pytest.mark.parametrize("sidecar", SidecarStatus)
@pytest.mark.parametrize("status", [RunStatus.MEASURED, RunStatus.CRASHED])
def test_a_sidecar_changes_nothing_of_its_row_whatever_came_of_it(
    sidecar: SidecarStatus, status: RunStatus
) -> None:
    found = row(sidecar=sidecar, status=status)
    assert found == row(status=status).model_copy(update={"hardware_sidecar": sidecar})
    assert found.valid is (status is RunStatus.MEASURED)


def test_tokens_per_answer_are_the_mean_over_the_runs_that_answered() -> None:
    counted = run(1, 0).telemetry.token_metrics
    few = counted.model_copy(
        update={"counts": counted.counts.model_copy(update={"output_tokens": 8})}
    )
    runs = (run(1, 0), run(1, 1, token_metrics=few), run(2, 0, TIMEOUT))
    known = counted.counts.output_tokens
    assert known is not None
    assert row(test_runs=runs).output_tokens_per_answer == pytest.approx((known + 8) / 2)
    silent = row(test_runs=(run(1, 0, TIMEOUT),))
    assert silent.null_reasons["output_tokens_per_answer"] == "NO_RUN_ANSWERED"


def test_what_thinking_costs_is_per_answer_and_per_right_answer() -> None:
    def spent(task: int, output: int, thinking: int | None, **changes: Any) -> TestRun:
        known = run(task, 0).telemetry.token_metrics
        why = {} if thinking is not None else {"thinking_tokens": "THINKING_NOT_COUNTED"}
        counts = known.counts.model_copy(
            update={"output_tokens": output, "thinking_tokens": thinking, "null_reasons": why}
        )
        of = known.model_copy(update={"counts": counts})
        return run(task, 0, token_metrics=of).model_copy(
            update={"reasoning": Reasoning(characters=9, end="so it is 5")} | changes
        )

    cut = {"outcome": Outcome.FAIL, "answer": "", "finish_reason": "length"}
    thought = row(test_runs=(spent(1, 100, 80), spent(2, 300, 300, **cut)))
    assert thought.thinking_tokens_per_answer == 190
    assert thought.output_tokens_per_right_answer == 400
    assert thought.thinking_cut_share == 0.5
    unknown = row(test_runs=(spent(1, 100, None),))
    assert unknown.null_reasons["thinking_tokens_per_answer"] == "THINKING_NOT_COUNTED"
    assert unknown.thinking_cut_share == 0
    without = row(test_runs=(run(1, 0),))
    for name in ("thinking_tokens_per_answer", "thinking_cut_share"):
        assert without.null_reasons[name] == "NO_THINKING_SENT"
    none_right = row(test_runs=(spent(2, 300, 300, **cut),))
    assert none_right.null_reasons["output_tokens_per_right_answer"] == "NO_CORRECT_ANSWER"


def test_t24_the_form_has_a_rate_of_its_own() -> None:
    kept, lost, free = (
        run(1, index).model_copy(update={"form_kept": form})
        for index, form in enumerate((True, False, None))
    )
    assert row(test_runs=(kept, lost, free)).format_rate == 0.5
    assert row(test_runs=(free,)).null_reasons["format_rate"] == "NO_FORM_ASKED"
    assert row(test_runs=(run(1, 0, TIMEOUT),)).null_reasons["format_rate"] == "NO_RUN_ANSWERED"


def test_leaked_tokens_are_noted_and_pollute_nothing() -> None:
    leaked = run(1, 1).model_copy(update={"leaked_token": "<|im_end|>"})
    found = row(test_runs=(run(1, 0), leaked))
    (note,) = [item for item in found.notes if item.reason is Reason.TEMPLATE_TOKEN_LEAKED]
    assert note.evidence.startswith("1 of 2 answers; first: ")
    assert "<|im_end|>" in note.evidence
    assert found.valid


def test_a_note_is_shown_and_pollutes_nothing() -> None:
    note = Observation.of(Reason.SW_POWER_CAP, "300 W")
    found = row(test_runs=(run(1, 0, reasons=(note,)), run(1, 1)))
    assert found.valid
    assert found.run_quality_reasons == ()
    assert [item.reason for item in found.notes] == [Reason.SW_POWER_CAP]
    assert found.polluted_run_rate == 0.0


def test_lane_ci_ignores_physics_and_still_shows_it() -> None:
    hot = Observation.of(Reason.THERMAL_THROTTLE, "95 C")
    runs = (run(1, 0, reasons=(hot,)), run(1, 1))
    in_lab, in_ci = row(test_runs=runs), row(test_runs=runs, lane=Lane.CI)
    assert (in_lab.valid, in_lab.polluted_run_rate) == (False, 0.5)
    assert (in_ci.valid, in_ci.polluted_run_rate) == (True, 0.0)
    assert [item.reason for item in in_ci.run_quality_reasons] == [Reason.THERMAL_THROTTLE]


def test_lane_ci_keeps_identity() -> None:
    other = Observation.of(Reason.QUANT_IDENTITY_MISMATCH, "the server says Q2_K")
    found = row(observations=(other,), lane=Lane.CI)
    assert not found.valid
    assert found.invalid_because == ("run quality is POLLUTED",)


def test_the_builders_of_these_tests_agree_with_the_harness() -> None:
    tokens = Tokens.of(generation(), "first_token")
    assert run().telemetry.token_metrics == tokens.metrics()
