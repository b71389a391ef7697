"""Tasks that offer tools: asked with them, or not asked at all, and never wrong for that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import PROVENANCE, STRICT, generation, spec, task
from fake_provider import FakeModel, FakeProvider
from measured import NANO, measured_report, receipt_for
from silent import Silent

from orket_lib.analysis.rows.aggregates import not_asked_scores
from orket_lib.analysis.rows.row import build_row
from orket_lib.artifacts.measurements.parts import Answer
from orket_lib.artifacts.measurements.spec import CanarySpec
from orket_lib.artifacts.measurements.tool_calls import ToolCall
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.measure.canary import measure_canary
from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.stores.parts import read_part
from orket_lib.vocabulary.errors import Fault, RequestFailed
from orket_lib.vocabulary.statuses import Lane, Outcome, SidecarStatus

TOOL = {
    "name": "create_order",
    "description": "Create the order.",
    "parameters": {"type": "object", "properties": {"count": {"type": "integer"}}},
}
CALL = {"name": "create_order", "arguments": {"count": 3}}
NATIVE = task(
    3, family="calls", prompt="Create 3 orders.", grader="tool_call", expected=CALL, tools=[TOOL]
)
TASKS = (task(1), NATIVE)
ASKED = spec(runs_per_task=2, probe_runs=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cell"


def calls(monkeypatch: pytest.MonkeyPatch, text: str, *made: ToolCall) -> list[GenerationRequest]:
    """Let the model answer a request with tools so; return those requests."""
    seen: list[GenerationRequest] = []
    plain = FakeModel.generate

    def generate(model: FakeModel, request: GenerationRequest) -> Generation:
        if not request.tools:
            return plain(model, request)
        seen.append(request)
        return generation(text=text, finish_reason="tool_calls", tool_calls=made)

    monkeypatch.setattr(FakeModel, "generate", generate)
    return seen


def row_of(report: RunReport) -> RowMetrics:
    nothing = SidecarStatus.NOT_APPLICABLE
    return build_row(report, STRICT, Lane.CI, {}, nothing, "run.json")


def test_a_call_is_asked_for_sealed_and_graded(
    folder: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.tools = True
    made = ToolCall(name="create_order", arguments='{"count": 3}')
    seen = calls(monkeypatch, "I order.", made)
    report = measured_report(folder, ASKED, TASKS)
    assert [request.tools for request in seen] == [(TOOL,), (TOOL,)]
    runs = [run for run in report.test_runs if run.test_id == NATIVE.test_id]
    assert [run.outcome for run in runs] == [Outcome.PASS, Outcome.PASS]
    assert [run.form_kept for run in runs] == [True, True]
    assert runs[0].answer == f"I order.\n{json.dumps(CALL)}"
    assert report.not_asked == ()
    (answer, _) = sealed(folder)
    assert answer.tool_calls == (made,)
    assert answer == Answer.model_validate_json(answer.model_dump_json())


def sealed(folder: Path) -> list[Answer]:
    """Return the sealed answers to the task with tools."""
    parts = map(read_part, receipt_for(folder, ASKED, TASKS).parts)
    return [it for part in parts for it in part.answers if it.test_id == NATIVE.test_id]


def test_a_wrong_call_and_a_written_one_are_told_apart(
    folder: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.tools = True
    calls(monkeypatch, json.dumps(CALL))
    written = measured_report(folder, ASKED, [NATIVE]).test_runs[0]
    assert (written.outcome, written.form_kept) == (Outcome.PASS, False)
    calls(monkeypatch, "", ToolCall(name="create_order", arguments='{"count": 4}'))
    wrong = measured_report(folder, ASKED, [NATIVE], again="runs").test_runs[0]
    assert (wrong.outcome, wrong.form_kept) == (Outcome.FAIL, True)
    assert "expected 3, got 4" in wrong.checks[0].detail


def test_a_model_without_tools_is_not_asked_and_loses_nothing(
    folder: Path, provider: FakeProvider
) -> None:
    report = measured_report(folder, ASKED, TASKS)
    assert {run.test_id for run in report.test_runs} == {TASKS[0].test_id}
    (missing,) = report.not_asked
    assert (missing.test_id, missing.family) == (NATIVE.test_id, "calls")
    assert missing.reason == "TOOLS_NOT_IN_TEMPLATE"
    assert NATIVE.prompt not in provider.questions
    row = row_of(report)
    assert (row.adherence_score, row.failed_runs, row.test_runs, row.tasks) == (1.0, 0, 2, 1)
    assert row.not_asked == {"TOOLS_NOT_IN_TEMPLATE": 1}
    assert [score.family for score in row.adherence_by_family] == ["add"]
    (score,) = not_asked_scores(report.not_asked, "bank")
    assert score.adherence_score is None
    assert score.null_reasons == {"adherence_score": "TOOLS_NOT_IN_TEMPLATE"}


def test_what_was_not_asked_is_not_tried_again(folder: Path, provider: FakeProvider) -> None:
    first = measured_report(folder, ASKED, TASKS)
    loads = len(provider.models)
    assert measured_report(folder, ASKED, TASKS).not_asked == first.not_asked
    assert len(provider.models) == loads
    assert all(answer.answer is None and answer.failed is None for answer in sealed(folder))


def test_a_bank_of_tools_alone_has_a_row_without_a_score(
    folder: Path, provider: FakeProvider
) -> None:
    report = measured_report(folder, ASKED, [NATIVE])
    row = row_of(report)
    assert (report.test_runs, row.test_runs, row.failed_runs) == ((), 0, 0)
    assert row.adherence_score is None
    assert row.null_reasons["adherence_score"] == "TOOLS_NOT_IN_TEMPLATE"
    assert row.generation_tokens_per_second is not None
    assert (row.invalid_because, row.failures) == ((), ())


def test_a_server_that_fails_while_it_is_tried_fails_the_run(
    folder: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Any) -> bool:
        raise RequestFailed("HTTP 503", Fault.LOADING)

    monkeypatch.setattr(FakeModel, "takes_tools", fails)
    report = measured_report(folder, ASKED, [NATIVE])
    assert [run.outcome for run in report.test_runs] == [Outcome.ERROR, Outcome.ERROR]
    assert report.not_asked == ()


def test_a_canary_that_can_not_be_asked_fails_and_says_why(
    tmp_path: Path, provider: FakeProvider
) -> None:
    asked = spec().model_dump(exclude={"kind", "runs_per_task", "probe_runs"})
    canary = CanarySpec(**asked, runs=3)
    found = measure_canary(canary, NANO, [NATIVE], tmp_path, Silent(), PROVENANCE)
    assert found.runs == ()
    assert found.failure == "calls-0003 can't be asked: the model's chat template takes no tools"
