"""`orket measure-contexts`: what is measured, what is taken from storage, and what is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import NOW, PROVENANCE
from context_provider import ContextProvider
from contract_examples import example
from explorer_artifacts import frontier
from test_contexts import NANO, cell, settings

from orket_lib.artifacts.io import read_json, read_model, write_json, write_model
from orket_lib.artifacts.measurements.request import ServableCells
from orket_lib.artifacts.row_settings import RowPolicy, RowSettings
from orket_lib.artifacts.views.context_ceiling import ContextCeiling, ContextQuants
from orket_lib.artifacts.views.context_summary import ContextSummary
from orket_lib.artifacts.views.look import Look, Started
from orket_lib.artifacts.views.preflight import Needs
from orket_lib.artifacts.views.row import Row
from orket_lib.cli import main
from orket_lib.measure.session import session
from orket_lib.vocabulary.statuses import Lane, VramProfile

LOOSE = RowPolicy(
    max_missing_telemetry_rate=0,
    max_orchestration_overhead_ratio=1,
    max_cpu_saturation_rate=1,
    max_system_load_rate=1,
)
LABELS = RowSettings(
    policy=LOOSE,
    execution_lane=Lane.CI,
    vram_profile=VramProfile.SAFE,
    provenance_ref="test",
    quant_bits={},
)
VARIANT = "Q4_K_M@kv8"
OUT = Path("results/context_sweep/nano")


@pytest.fixture
def contexts(provider: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ContextProvider:
    """Stand in a folder with what the workflow renders, and a model that finds up to 700 tokens."""
    fake = ContextProvider(reach=700)
    monkeypatch.setattr(session, "provider_for", lambda _: fake)
    monkeypatch.setattr(session, "sampling", fake.sampling)
    monkeypatch.chdir(tmp_path)
    picks("Q4_K_M")
    served = cell().model_copy(update={"artifact": str(NANO)})
    write_model(Path("cells.json"), ServableCells(cells=(served,)))
    write_model(Path("row.json"), LABELS)
    write_model(Path("needs.json"), Needs(provider="embedded", cpu_only=True))
    policy()
    return fake


def picks(quant: str, **changes: Any) -> None:
    content = frontier(model_id="nano", execution_lane="ci", sweep="small", **changes)
    picked = {"model_id": "nano", "measured_further": quant, "recommendation": "run it"}
    content["sessions"][0].update(picked)
    write_json(Path("frontier.json"), content)


def policy(**changes: Any) -> None:
    write_model(Path("context.json"), settings(**({"contexts": (256, 512, 1024, 2048)} | changes)))


def run(*more: str) -> int:
    command = "measure-contexts --frontier frontier.json --cells cells.json --policy context.json"
    command += " --settings row.json --needs needs.json --model nano"
    command += " --receipt receipt.json"
    return main([*command.split(), "--out-folder", OUT.as_posix(), *more])


def summary(context: int) -> ContextSummary:
    return read_model(OUT / f"context_{context}.json", ContextSummary)


def ceiling() -> ContextCeiling:
    command = "context --contexts 256,512,1024,2048 --out ceiling.json --summary-template"
    assert main([*command.split(), f"{OUT.as_posix()}/context_{{context}}.json"]) == 0
    return read_model(Path("ceiling.json"), ContextCeiling)


def test_every_context_of_the_list_is_measured_smallest_first(contexts: ContextProvider) -> None:
    assert run() == 0
    assert contexts.loads == [256, 512, 1024, 2048]
    assert [summary(context).status for context in (256, 512, 1024, 2048)] == ["tried"] * 4
    (row,) = summary(512).rows
    assert (row.metrics.adherence_score, row.metrics.valid) == (1.0, True)
    (row,) = summary(1024).rows
    assert row.metrics.adherence_score == 0.0


def test_a_summary_has_the_labels_of_the_frontier(contexts: ContextProvider) -> None:
    assert run() == 0
    found = summary(256)
    assert (found.model_id, found.quant_tag, found.sweep) == ("nano", "Q4_K_M", "small")
    assert found.execution_lane is Lane.CI
    assert found.provenance.ref == "text"
    assert [Path(item.path).name for item in found.provenance.inputs] == [
        *("frontier.json", "context.json", "row.json"),
        *("answers.json", "probes.json"),
    ]


def test_the_ceiling_is_where_the_model_loses_the_word(contexts: ContextProvider) -> None:
    assert run() == 0
    found = ceiling()
    assert (found.safe_context_ceiling, found.largest_passing_context) == (512, 512)
    few = "its adherence can't be told from so few tasks"
    assert f"There, 4 of 4 answers are right; {few}." in found.recommendation
    assert f"At 1024 adherence is 0, below 0.95 (0 of 4 answers are right; {few})" in (
        found.recommendation
    )
    assert found.served is not None
    assert (found.sweep, found.quant_tag, found.not_tried) == ("small", "Q4_K_M", ())


def test_bisecting_finds_the_same_with_fewer_loads(contexts: ContextProvider) -> None:
    policy(search="bisect")
    assert run() == 0
    assert contexts.loads == [512, 1024]
    assert summary(256).status_reason == ("bisected: 512 passed, so shorter ones were not tried")
    found = ceiling()
    assert found.safe_context_ceiling == 512
    assert [item.context for item in found.not_tried] == [256, 2048]


def test_what_is_in_storage_is_not_measured_again(contexts: ContextProvider) -> None:
    assert run() == 0
    before = summary(512).rows
    contexts.loads.clear()
    assert run("--canary", "no/such/verdict.json") == 0  # measured anyway
    assert contexts.loads == []
    assert summary(512).rows == before


def test_a_changed_limit_measures_nothing_again(contexts: ContextProvider) -> None:
    assert run() == 0
    contexts.loads.clear()
    limits = settings().thresholds.model_copy(update={"adherence_min": 0.5})
    policy(thresholds=limits)
    assert run() == 0
    assert contexts.loads == []


def test_told_so_every_context_is_measured_again_and_the_older_stay(
    contexts: ContextProvider,
) -> None:
    assert run() == 0
    older = [Path(part.path) for part in summary(512).rows[0].metrics.parts]
    contexts.loads.clear()
    assert run("--again", "all") == 0
    assert contexts.loads == [256, 512, 1024, 2048]
    assert all(path.is_file() for path in older)
    assert not set(older) & {Path(part.path) for part in summary(512).rows[0].metrics.parts}


def test_a_gate_is_asked_before_something_is_measured(
    contexts: ContextProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--canary", "no/such/verdict.json") == 1
    assert "there is no such file" in capsys.readouterr().err
    assert contexts.loads == []


def test_contexts_that_can_not_be_had_are_points(contexts: ContextProvider) -> None:
    contexts.trained = 1024
    policy(contexts=(256, 2048, 100_000_000))
    assert run() == 0
    assert contexts.loads == [256, 2048]
    command = "context --contexts 256 2048 100000000 --out ceiling.json --summary-template"
    assert main([*command.split(), f"{OUT.as_posix()}/context_{{context}}.json"]) == 0
    points = read_model(Path("ceiling.json"), ContextCeiling).points
    assert [point.reasons for point in points] == [
        *((), ("CONTEXT_NOT_LOADED",), ("CONTEXT_NOT_LOADED",)),
    ]
    assert (points[1].detail or "").startswith("served 1024 of 2048 asked for")
    assert (points[2].detail or "").startswith("not loaded: a context of 100000000 takes about")


def test_without_a_quant_nothing_is_measured_and_that_is_data(
    contexts: ContextProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    picks("")
    assert run() == 0
    assert contexts.loads == []
    found = summary(1024)
    assert (found.status, found.quant_tag, found.rows) == ("not_tried", "unknown", ())
    assert found.status_reason == "NO_QUANT_CHOSEN: run it"
    whole = ceiling()
    assert whole.null_reasons["safe_context_ceiling"] == "NO_CONTEXT_TRIED"
    assert whole.recommendation == "nano: no context was tried. NO_QUANT_CHOSEN: run it"
    assert (whole.points, len(whole.not_tried), whole.quant_tag) == ((), 4, "unknown")


def test_contexts_that_a_budget_has_no_time_for_are_left_out(contexts: ContextProvider) -> None:
    """What is stored costs nothing, so the next one is still measured if it fits."""
    budget = ("--look", "look.json", "--started", "started.json")
    write_model(Path("started.json"), Started(started_at="2020-01-01T00:00:00Z"))
    policy(contexts=(256,))
    assert run() == 0
    policy()
    write_look(seconds=60.0, budget_seconds=60.0)
    assert run(*budget) == 0
    assert contexts.loads == [256]
    assert [summary(context).status for context in (256, 512)] == ["tried", "not_tried"]
    assert summary(2048).status_reason == "BUDGET_SPENT: 0 s of 60 s are left"
    write_look(seconds=60.0, budget_seconds=3600.0)
    assert run(*budget) == 0
    assert contexts.loads == [256, 512, 1024, 2048]


def write_look(**changes: Any) -> None:
    values: dict[str, Any] = {
        "generated_at": NOW,
        "provenance": PROVENANCE,
        "model_id": "nano",
        "batch": 1,
        "batches": 1,
        "tasks": 40,
        "tasks_in_all": 40,
        "runs_per_task": 1,
        "certain": 0.975,
        "quants": (),
    }
    write_model(Path("look.json"), Look(**values | changes))


def test_a_named_quant_wins_over_the_frontiers(
    contexts: ContextProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    picks("")
    policy(quant_tag="Q4_K_M", contexts=(256,))
    assert run() == 0
    assert contexts.loads == [256]
    policy(quant_tag="Q9_K")
    assert run() == 1
    assert "the sweep has no quant 'Q9_K' of nano; it has Q4_K_M" in capsys.readouterr().err


def test_an_interrupted_sweep_goes_on_where_it_was(contexts: ContextProvider) -> None:
    def fault(request: Any) -> None:
        if len(request.prompt.split()) > 800:
            raise KeyboardInterrupt

    contexts.fault = fault
    assert run() == 130
    assert not OUT.exists()
    contexts.fault = ContextProvider().fault
    contexts.loads.clear()
    assert run() == 0
    assert contexts.loads == [1024, 2048]


def test_several_quants_are_measured_by_themselves_and_the_pick_is_among_them(
    contexts: ContextProvider,
) -> None:
    """The fake model finds up to 700 tokens, whatever its quant."""
    first = cell().model_copy(update={"artifact": str(NANO)})
    other = first.model_copy(
        update={
            "quant_tag": VARIANT,
            "spec": first.spec.model_copy(update={"quant_tag": VARIANT}),
        }
    )
    write_model(Path("cells.json"), ServableCells(cells=(first, other)))
    policy(search="bisect", quants=("Q4_K_M", VARIANT))
    content = example(Row, whole=True) | {"execution_lane": "ci"}
    write_json(Path("labels.json"), content)
    command = "measure-contexts --row labels.json --sweep small --cells cells.json"
    command += " --policy context.json --settings row.json --needs needs.json --model nano"

    def measured(quant: str, *beside: str) -> list[int]:
        contexts.loads.clear()
        folder = f"quants/{quant}"
        more = ["--quant", quant, "--out-folder", folder, "--receipt", f"{folder}/receipt.json"]
        assert main([*command.split(), *more, "--beside", *beside]) == 0
        return list(contexts.loads)

    assert measured("Q4_K_M") == [256, 512, 1024]
    assert measured(VARIANT, "quants/Q4_K_M/receipt.json") == [256, 512]
    found = read_model(Path("quants/Q4_K_M@kv8/context_1024.json"), ContextSummary)
    assert (found.quant_tag, found.sweep, found.execution_lane) == (VARIANT, "small", Lane.CI)
    assert found.status_reason == (
        "the largest quant gave too many wrong answers, so smaller ones were not asked"
    )

    contexts.loads.clear()
    receipts = [f"quants/{quant}/receipt.json" for quant in ("Q4_K_M", VARIANT)]
    picks(VARIANT)
    assert run("--beside", *receipts) == 0
    assert contexts.loads == []
    assert [summary(context).status for context in (256, 512, 1024)] == [
        *("tried", "tried", "not_tried"),
    ]
    assert ceiling().recommendation.endswith(
        "Larger ones were not tried: the largest quant gave too many wrong answers, so smaller "
        "ones were not asked."
    )

    compare = (
        "context-quants --contexts 256,512,1024,2048 --folders quants/Q4_K_M quants/Q4_K_M@kv8"
    )
    assert main([*compare.split(), "--out", "all.json", "--out-plot", "all.png"]) == 0
    both = read_model(Path("all.json"), ContextQuants)
    assert (both.baseline_quant, both.sweep) == ("Q4_K_M", "small")
    assert [quant.safe_context_ceiling for quant in both.quants] == [512, 512]
    assert [it.context for it in both.quants[1].not_tried] == [1024, 2048]
    assert [it.family for it in both.quants[1].lengths] == ["all", "reasoning", "retrieval"]
    assert Path("all.png").is_file()


def test_a_quant_without_frontier_needs_its_row(
    contexts: ContextProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    command = "measure-contexts --quant Q4_K_M --cells cells.json --policy context.json"
    command += " --settings row.json --needs needs.json --model nano --out-folder o"
    with pytest.raises(SystemExit):
        main(command.split())
    assert "--frontier, or --quant and --row, must be given" in capsys.readouterr().err


def test_other_quants_have_spent_some_of_the_budget(contexts: ContextProvider) -> None:
    write_model(Path("started.json"), Started(started_at="2020-01-01T00:00:00Z"))
    policy(contexts=(256,))
    assert run() == 0
    policy(contexts=(512,))
    contexts.loads.clear()
    write_look(seconds=0.0, budget_seconds=1e-6)
    receipt = Path("quants/Q4_K_M/receipt.json")
    write_json(receipt, read_json(Path("receipt.json")))
    budget = ("--look", "look.json", "--started", "started.json")
    assert run(*budget, "--beside", receipt.as_posix()) == 0
    assert contexts.loads == []
    assert "BUDGET_SPENT" in (summary(512).status_reason or "")
