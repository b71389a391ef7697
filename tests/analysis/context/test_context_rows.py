from __future__ import annotations

from typing import Any

import pytest
from builders import STRICT, probe, report, run, spec

from orket_lib.analysis.context.figures import of_context_row, of_sweep_row
from orket_lib.analysis.context.rows import context_row
from orket_lib.artifacts.measurements.spec import ContextFill
from orket_lib.artifacts.measurements.tokens import TokenCounts
from orket_lib.artifacts.row_settings import RowSettings
from orket_lib.artifacts.views.context_summary import ContextRow
from orket_lib.artifacts.views.run_report import FollowUp, Observation
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane, Outcome, RunStatus, VramProfile

FILL = ContextFill(
    share=0.85, families=("retrieval", "reasoning"), depths=(0.0, 0.5), tasks_per_depth=1
)
SPEC = spec(context=FILL, n_ctx=1000, runs_per_task=1)  # 850 tokens are to fill it
FAMILIES = ("retrieval@0.00", "retrieval@0.50", "reasoning@0.00", "reasoning@0.50")


def asked(task_id: int, tokens: int | Null = 850, outcome: Outcome = Outcome.PASS) -> Any:
    item = run(task_id, family=FAMILIES[task_id - 1], outcome=outcome)
    counts = TokenCounts.of(
        prompt_tokens=tokens, output_tokens=4, thinking_tokens=Null("X"), total_tokens=Null("X")
    )
    metrics = item.telemetry.token_metrics.model_copy(update={"counts": counts})
    telemetry = item.telemetry.model_copy(update={"token_metrics": metrics})
    return item.model_copy(update={"telemetry": telemetry})


def followed(index: int, ttft_ms: float | Null, tokens: int = 846) -> Any:
    follow_up = FollowUp.of(ttft_ms=ttft_ms, prompt_tokens=880, cached_tokens=840)
    return probe(index, prompt_tokens=tokens, follow_up=follow_up)


def row(lane: Lane = Lane.LAB, **changes: Any) -> ContextRow:
    values: dict[str, Any] = {
        "spec": SPEC,
        "test_runs": tuple(map(asked, range(1, 5))),
        "probes": (followed(0, 10.0), followed(1, 30.0), followed(2, 12.0)),
    }
    settings = RowSettings(
        policy=STRICT,
        execution_lane=lane,
        vram_profile=VramProfile.SAFE,
        provenance_ref="test",
        quant_bits={},
    )
    return context_row(report(**(values | changes)), settings, "run.json")


def test_a_full_context_has_an_ordinary_row_and_its_own_figures() -> None:
    found = row()
    assert (found.metrics.valid, found.metrics.adherence_score) == (True, 1.0)
    assert (found.asked_tokens, found.filled_min) == (850, 0.846)
    assert found.filled_mean == pytest.approx((4 * 850 + 3 * 846) / 7000)
    assert (found.ttft_ms, found.cached_tokens) == (12.0, 840)
    assert found.ttft_cold_ms == found.metrics.ttft_ms == 510.0


def test_every_depth_has_its_score() -> None:
    found = row(test_runs=(asked(1), asked(2, outcome=Outcome.FAIL), asked(3), asked(4)))
    scores = [(item.family, item.depth, item.adherence_score) for item in found.depths]
    assert scores == [
        ("reasoning", 0.0, 1.0),
        ("reasoning", 0.5, 1.0),
        ("retrieval", 0.0, 1.0),
        ("retrieval", 0.5, 0.0),
    ]


@pytest.mark.parametrize(("tokens", "valid"), [(765, True), (764, False)])
def test_a_prompt_that_does_not_fill_it_makes_a_row_invalid(tokens: int, valid: bool) -> None:
    found = row(test_runs=(asked(1, tokens), *map(asked, range(2, 5))))
    assert found.metrics.valid is valid
    if not valid:
        assert found.metrics.invalid_because == (
            "a prompt had 764 of the 850 tokens needed to fill the context",
        )


def test_a_probe_that_does_not_fill_it_does_so_too() -> None:
    assert not row(probes=(followed(0, 10.0, tokens=512),)).metrics.valid


def test_what_nobody_counted_is_not_known_to_be_full() -> None:
    found = row(test_runs=(asked(1, Null("TOKEN_COUNT_UNAVAILABLE")), *map(asked, range(2, 5))))
    assert "the server did not count the tokens in the context" in found.metrics.invalid_because
    assert found.filled_min == 0.846


def test_a_run_without_an_answer_has_no_tokens_to_be_counted() -> None:
    found = row(test_runs=(asked(1, Null("X"), Outcome.TIMEOUT), *map(asked, range(2, 5))))
    assert (found.metrics.valid, found.metrics.adherence_score) == (True, 0.75)


def test_without_follow_ups_there_is_no_ttft_of_them() -> None:
    found = row(probes=(probe(0, prompt_tokens=850),))
    assert found.ttft_ms is None
    assert found.null_reasons["ttft_ms"] == "NO_FOLLOW_UP"
    failed = row(probes=(followed(0, Null("NO_CONTENT")),))
    assert failed.null_reasons["ttft_ms"] == "NO_CONTENT"


def test_a_follow_up_that_failed_is_no_reason_to_take_the_others() -> None:
    late = FollowUp.of(
        ttft_ms=Null("NO_CONTENT"),
        prompt_tokens=Null("X"),
        cached_tokens=Null("X"),
        failure="no answer within 30 s",
    )
    probes = (followed(0, 10.0), probe(1, prompt_tokens=846, follow_up=late))
    assert row(probes=probes).null_reasons["ttft_ms"] == "FOLLOW_UP_FAILED"
    lost = (followed(0, 10.0), probe(1, prompt_tokens=846, failure="no answer within 30 s"))
    assert row(Lane.CI, probes=lost).null_reasons["ttft_ms"] == "FOLLOW_UP_FAILED"


def test_what_was_not_loaded_has_no_figures() -> None:
    found = row(status=RunStatus.LOAD_FAILED, status_reason="no", test_runs=(), probes=())
    assert set(found.null_reasons.values()) == {"STATUS_LOAD_FAILED"}
    figures = of_context_row(1000, found, "context_1000.json")
    assert (figures.loaded, figures.seen, figures.served) == (False, None, None)


def test_figures_are_the_rows() -> None:
    figures = of_context_row(1000, row(), "context_1000.json")
    assert (figures.ttft_ms, figures.ttft_cold_ms, figures.decode_tps) == (12.0, 510.0, 127.0)
    assert figures.seen is not None
    assert (figures.seen.filled_min, figures.seen.cached_tokens) == (0.846, 840)
    assert figures.loaded


def test_an_ordinary_sweep_has_another_ttft() -> None:
    figures = of_sweep_row(2048, row().metrics, "sweep_summary.json")
    assert figures.ttft_ms == Null("SWEEP_HAS_NO_FOLLOW_UP")
    assert figures.ttft_cold_ms == Null("SWEEP_DOES_NOT_FILL_THE_CONTEXT")
    assert figures.decode_tps == 127.0
    assert figures.seen is not None
    assert figures.seen.null_reasons["filled_mean"] == "SWEEP_DOES_NOT_FILL_THE_CONTEXT"


def test_what_polluted_a_row_is_said_with_its_evidence() -> None:
    mismatch = Observation.of(Reason.CONTEXT_MISMATCH, "asked for 1000, served unknown")
    busy = Observation.of(Reason.SWAPPING, "swapped 9 MiB")
    found = row(observations=(mismatch, busy))
    assert found.metrics.invalid_because == (
        "run quality is POLLUTED",
        "CONTEXT_MISMATCH: asked for 1000, served unknown",
        "SWAPPING: swapped 9 MiB",
    )
    in_ci = row(Lane.CI, observations=(mismatch, busy))
    assert in_ci.metrics.invalid_because == found.metrics.invalid_because[:2]


def test_answers_that_never_came_are_counted() -> None:
    late = asked(1, Null("X"), Outcome.TIMEOUT)
    figures = of_context_row(1000, row(test_runs=(late, *map(asked, range(2, 5)))), "c.json")
    assert (figures.unanswered, figures.runs) == (1, 4)
