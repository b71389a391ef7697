"""A measurement whose prompts fill its context."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from builders import PROVENANCE, offload, spec
from context_provider import ContextModel, ContextProvider
from fake_provider import failing
from silent import Silent

from orket_lib.artifacts.io import write_model
from orket_lib.artifacts.measurements.request import NO_TASKS, ServableCell
from orket_lib.artifacts.measurements.spec import ContextFill, MeasurementSpec, OffloadTargets
from orket_lib.artifacts.views.context_ceiling import ContextThresholds
from orket_lib.artifacts.views.context_summary import ContextSettings
from orket_lib.artifacts.views.preflight import Needs
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.measure import context_memory as context_serving
from orket_lib.measure.context import ContextMeasurement
from orket_lib.measure.offload.search import OFFLOAD
from orket_lib.measure.session import session
from orket_lib.preflight.memory import FreeMemory
from orket_lib.providers.base import GenerationRequest, Source
from orket_lib.stores.parts import Wanted
from orket_lib.vocabulary.errors import RequestFailed, RequestTimedOut
from orket_lib.vocabulary.statuses import Outcome, RunStatus

NANO = Path(__file__).resolve().parents[2] / "models/orket-nano/orket-nano-Q2_K.gguf"
LONGEST_SENTENCE = 6  # words


@pytest.fixture
def contexts(provider: Any, monkeypatch: pytest.MonkeyPatch) -> ContextProvider:
    fake = ContextProvider()
    monkeypatch.setattr(session, "provider_for", lambda _: fake)
    monkeypatch.setattr(session, "sampling", fake.sampling)
    return fake


def cell(**changes: Any) -> ServableCell:
    fields = spec(tasks=NO_TASKS, **changes).model_dump(include=set(MeasurementSpec.model_fields))
    return ServableCell(
        model_id="nano",
        model_slug="nano",
        quant_tag="Q4_K_M",
        artifact="nano.gguf",
        spec=MeasurementSpec(**fields),
    )


def settings(**changes: Any) -> ContextSettings:
    fill: dict[str, Any] = {
        "share": 0.85,
        "families": ("retrieval", "reasoning"),
        "depths": (0.0, 1.0),
        "tasks_per_depth": 1,
    }
    values: dict[str, Any] = {
        "contexts": (512, 1024),
        "search": "all",
        "quant_tag": None,
        "fill": ContextFill(**(fill | changes.pop("fill", {}))),
        "probe_runs": 2,
        "on_server_death": "row",
        "rerun_polluted": 0,
        "thresholds": ContextThresholds(
            adherence_min=0.95, ttft_ceiling_ms=250, decode_floor_tps=20, include_invalid=False
        ),
    }
    return ContextSettings(**(values | changes))


def measurement(root: Path, context: int = 512, **changes: Any) -> ContextMeasurement:
    return ContextMeasurement(cell(), settings(**changes), context, root)


def measure(
    root: Path, context: int = 512, artifact: Path | None = Path("nano.gguf"), **changes: Any
) -> RunReport:
    if artifact is not None and not artifact.is_file():
        artifact = NANO
    found = measurement(root, context, **changes)
    needs = Needs(provider="embedded", cpu_only=True)
    outcome = found.measure(
        lambda say: Source(artifact), needs, lambda: None, False, Silent(), PROVENANCE
    )
    return found.report(outcome, PROVENANCE)[1]


def asked_tasks(provider: ContextProvider) -> list[GenerationRequest]:
    return [item for item in provider.requests if "stars" in item.prompt and item.max_tokens > 1]


@pytest.mark.parametrize("context", [256, 512, 4096])
def test_prompts_fill_the_context_as_far_as_asked(
    tmp_path: Path, contexts: ContextProvider, context: int
) -> None:
    report = measure(tmp_path, context)

    target = settings().fill.prompt_tokens(context)
    assert report.status is RunStatus.MEASURED
    assert len(report.test_runs) == 4
    for run in report.test_runs:
        tokens = run.telemetry.token_metrics.counts.prompt_tokens
        assert tokens is not None
        assert target - LONGEST_SENTENCE - 1 <= tokens <= target
    for probe in report.probes:
        assert probe.prompt_tokens is not None
        assert target - 8 <= probe.prompt_tokens <= target
        assert probe.follow_up is not None
        assert probe.follow_up.failure is None
    assert {run.outcome for run in report.test_runs} == {Outcome.PASS}


def test_a_server_that_counts_no_text_is_asked_for_its_counts(
    tmp_path: Path, contexts: ContextProvider
) -> None:
    contexts.counts = False
    report = measure(tmp_path, 1024)
    target = settings().fill.prompt_tokens(1024)
    for run in report.test_runs:
        tokens = run.telemetry.token_metrics.counts.prompt_tokens
        assert tokens is not None
        assert 0.95 * target <= tokens <= 1.02 * target


def test_prompts_are_the_same_over_measurements_and_quants(
    tmp_path: Path, contexts: ContextProvider
) -> None:
    measure(tmp_path / "one")
    first = [request.prompt for request in asked_tasks(contexts)]
    contexts.models.clear()
    measure(tmp_path / "two")
    assert [request.prompt for request in asked_tasks(contexts)] == first


def test_an_answer_has_the_room_that_is_left(tmp_path: Path, contexts: ContextProvider) -> None:
    measure(tmp_path, 256)
    assert {request.max_tokens for request in asked_tasks(contexts)} == {256 - 208 - 4}
    contexts.models.clear()
    measure(tmp_path, 4096)
    assert {request.max_tokens for request in asked_tasks(contexts)} == {96}


def test_a_follow_up_goes_on_where_a_probe_was(tmp_path: Path, contexts: ContextProvider) -> None:
    report = measure(tmp_path)
    (model,) = contexts.models
    assert isinstance(model, ContextModel)
    for place, request in enumerate(model.requests):
        if request.reuse_cache:
            before = model.requests[place - 1]
            assert request.prompt.startswith(f"{before.prompt} ")
            assert len(request.prompt.split()) - len(before.prompt.split()) in (30, 31)
            assert (before.ignore_eos, before.reuse_cache) == (True, False)
    assert sum(request.reuse_cache for request in model.requests) == len(report.probes) == 2
    for probe in report.probes:
        assert probe.follow_up is not None
        assert probe.follow_up.ttft_ms == pytest.approx(10.0)
        assert probe.follow_up.cached_tokens == (probe.follow_up.prompt_tokens or 0) - 40
        assert (probe.cached_tokens, probe.observations[:1]) == (0, ())


def test_a_follow_up_that_fails_leaves_its_probe(tmp_path: Path, contexts: ContextProvider) -> None:
    contexts.fault = failing(RequestFailed("no"), lambda request: request.reuse_cache)
    probe = measure(tmp_path).probes[0]
    assert probe.failure is None
    assert probe.ttft_ms is not None
    assert probe.follow_up is not None
    assert probe.follow_up.failure == "no"
    assert probe.follow_up.null_reasons["ttft_ms"] == "NO_CONTENT"


def test_after_a_probe_that_failed_nothing_follows(
    tmp_path: Path, contexts: ContextProvider
) -> None:
    def fault(request: GenerationRequest) -> None:
        if request.ignore_eos and not request.reuse_cache and len(request.prompt.split()) > 700:
            raise RequestTimedOut("no answer within 30 s")

    contexts.fault = fault
    report = measure(tmp_path, 1024)
    assert [probe.failure for probe in report.probes] == ["no answer within 30 s"] * 2
    assert [probe.follow_up for probe in report.probes] == [None, None]
    assert not any(request.reuse_cache for request in contexts.requests)


def test_a_server_that_stops_counting_costs_the_row(
    tmp_path: Path, contexts: ContextProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted(_: ContextModel, text: str) -> int | None:
        words = len(text.split())
        return words if words < 400 else None

    monkeypatch.setattr(ContextModel, "count_tokens", counted)
    report = measure(tmp_path, 1024)
    assert report.status is RunStatus.INCOMPLETE
    said = "the server counts the tokens of some texts, but not of others"
    assert (report.status_reason or "").startswith(said)


def test_an_interrupted_measurement_goes_on(tmp_path: Path, contexts: ContextProvider) -> None:
    contexts.fault = failing(
        KeyboardInterrupt(), lambda request: "sum of the two" in request.prompt
    )
    with pytest.raises(KeyboardInterrupt):
        measure(tmp_path)
    contexts.fault = ContextProvider().fault
    contexts.models.clear()
    report = measure(tmp_path)
    assert report.status is RunStatus.MEASURED
    assert len(report.test_runs) == 4
    assert {"sum of the two" in request.prompt for request in asked_tasks(contexts)} == {True}


def test_a_server_with_less_is_no_server_of_this_context(
    tmp_path: Path, contexts: ContextProvider
) -> None:
    contexts.trained = 2048
    report = measure(tmp_path, 4096)
    assert report.status is RunStatus.LOAD_FAILED
    said = "served 2048 of 4096 asked for; the model was trained with 2048"
    assert (report.status_reason or "").startswith(said)
    assert report.sessions[0].served.n_ctx == 2048
    assert report.test_runs == ()


def test_a_server_that_has_more_or_tells_nothing_is_asked(
    tmp_path: Path, contexts: ContextProvider
) -> None:
    contexts.changes = {"n_ctx": 8192}
    assert measure(tmp_path, 512).status is RunStatus.MEASURED
    target = settings().fill.prompt_tokens(512)
    assert max(len(item.prompt.split()) for item in asked_tasks(contexts)) <= target


def test_what_takes_more_memory_than_there_is_is_not_loaded(
    tmp_path: Path, contexts: ContextProvider
) -> None:
    report = measure(tmp_path, 100_000_000)
    assert report.status is RunStatus.OUT_OF_MEMORY
    reason = report.status_reason or ""
    assert reason.startswith("not loaded: a context of 100000000 takes about 19")
    assert "MiB are free in main memory" in reason
    assert contexts.loads == []


def test_main_memory_beside_the_gpus_counts(
    tmp_path: Path, contexts: ContextProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = [FreeMemory("a GPU", 100.0, on_gpu=True), FreeMemory("main memory", 50.0, on_gpu=False)]
    monkeypatch.setattr(context_serving, "free_memory_for", lambda _: rooms[0])
    monkeypatch.setattr(context_serving, "free_main_memory", lambda: rooms[1])
    report = measure(tmp_path, 512)
    assert report.status is RunStatus.OUT_OF_MEMORY
    assert "150 MiB are free in a GPU + main memory" in (report.status_reason or "")


def test_what_a_server_has_loaded_already_needs_no_room(tmp_path: Path) -> None:
    found = measurement(tmp_path, 100_000_000)
    served = Needs.model_validate({"provider": "llama_server", "place": {"base_url": "http://x"}})
    context_serving.require_room(found.spec, Source(NANO), served)
    context_serving.require_room(found.spec, Source(None), Needs(provider="ollama"))


def test_the_spec_is_the_cells_with_its_context_and_tasks(tmp_path: Path) -> None:
    found = measurement(tmp_path, 1024)
    assert found.spec.n_ctx == 1024
    assert (found.spec.runs_per_task, found.spec.probe_runs) == (1, 2)
    assert found.spec.tasks.ids == (1, 2, 3, 4)
    others = [
        measurement(tmp_path, 1024, fill={"share": 0.5}),
        measurement(tmp_path, 1024, fill={"tasks_per_depth": 2}),
        measurement(tmp_path, 1024, probe_runs=3),
    ]
    # What is served and how is the same; what is asked differs.
    assert {one.spec.digest() for one in others} == {found.spec.digest()}
    assert found.spec.digest() != measurement(tmp_path, 2048).spec.digest()
    wanted = [Wanted.of(one.spec) for one in (found, *others)]
    assert all(one != other for one, other in combinations(wanted, 2))
    # What only judges or searches measures nothing again.
    same = measurement(tmp_path, 1024, search="bisect", contexts=(1024,), quant_tag="Q4_K_M")
    assert same.spec == found.spec


def test_what_was_measured_is_taken_from_the_store(
    tmp_path: Path, contexts: ContextProvider
) -> None:
    report = measure(tmp_path)
    contexts.loads.clear()
    again = measure(tmp_path)
    assert (again.test_runs, again.parts) == (report.test_runs, report.parts)
    assert contexts.loads == []


def test_layers_that_the_cell_has_found_are_those_of_each_context(tmp_path: Path) -> None:
    search = {"provider": "llama_server", "gpu_layers": "search", "offload": OffloadTargets()}
    base = cell()
    asked = base.model_copy(update={"spec": base.spec.model_copy(update=search)})
    measured = ContextMeasurement(asked, settings(), 512, tmp_path)
    assert measured.spec.gpu_layers == "search"  # of a cell that was not served
    write_model(tmp_path / asked.spec.folder / OFFLOAD, offload())
    assert (measured.spec.gpu_layers, measured.spec.offload) == (22, None)
    assert measured.spec.n_ctx == 512
