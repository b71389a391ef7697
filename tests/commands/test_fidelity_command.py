"""`orket fidelity A B`: the answers of two sweeps or cells, compared."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from builders import NOW, report, run, spec
from token_measurements import probabilities

from orket_lib.artifacts.io import write_json, write_model
from orket_lib.artifacts.measurements.spec import TaskSelection
from orket_lib.artifacts.views.receipt import TakenPart
from orket_lib.cli import main
from orket_lib.vocabulary.statuses import RunStatus

LATER = "2026-11-24T00:00:00.000Z"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def cell(
    sweep: str,
    quant: str,
    first: Sequence[str],
    second: Sequence[str] = (),
    keys: Sequence[str] | None = None,
    place: str = "",
    start: int = 1,
    **changes: Any,
) -> str:
    """Write the run report of a cell with these answers, and return its folder."""
    ids = tuple(range(start, start + len(first)))
    sent = tuple(keys or (f"task {number}" for number in ids))
    tasks = TaskSelection(bank_id="bank", ids=ids, sha256="b" * 64, keys=sent)
    runs = [
        run(number, index, answer=answer)
        for index, answers in enumerate((first, second))
        for number, answer in enumerate(answers, start)
    ]
    folder = f"results/{sweep}/cells/nano/{quant}"
    changes = {"spec": spec(quant_tag=quant, tasks=tasks), "test_runs": tuple(runs)} | changes
    write_model(Path(folder, place, "run.json"), report(**changes))
    return folder


def compared(capsys: pytest.CaptureFixture[str], a: str, b: str) -> dict[str, Any]:
    assert main(["fidelity", a, b, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def counts(cell: dict[str, Any]) -> tuple[int, int]:
    agreement = cell["fidelity"]["agreement"]
    return agreement["same_answers"], agreement["tasks"]


def test_sweeps_are_compared_cell_by_cell(capsys: pytest.CaptureFixture[str]) -> None:
    cell("before", "Q8_0", ["a", "b", "c"], ["a", "b", "x"])
    cell("before", "F16", ["a", "b", "c"])
    cell("after", "Q2_K", ["a"])
    cell("after", "F16", ["a", "b", "c"])
    other = spec(
        quant_tag="Q8_0",
        n_ctx=4096,
        tasks=TaskSelection(
            bank_id="bank", ids=(1, 2, 3), sha256="b" * 64, keys=("task 1", "task 2", "task 3")
        ),
    )
    cell("after", "Q8_0", ["```\na\n```", "y", "z"], spec=other)
    found = compared(capsys, "before", "results/after/quant_sweep/sweep_summary.json")
    assert [item["fidelity"]["quant_tag"] for item in found["cells"]] == ["F16", "Q8_0"]
    assert list(map(counts, found["cells"])) == [(3, 3), (1, 3)]
    assert [item["differences"] for item in found["cells"]] == [[], ["n_ctx: 2048 -> 4096"]]
    assert (found["only_a"], found["only_b"]) == ([], ["nano Q2_K"])
    floor = found["cells"][1]["noise_floor"]
    assert (floor["same_answers"], floor["tasks"]) == (2, 3)
    assert found["cells"][0]["noise_floor"]["null_reasons"] == {
        "same_answer_rate": "ONE_RUN_PER_TASK",
        "same_start_share": "ONE_RUN_PER_TASK",
    }
    assert main(["fidelity", "before", "after"]) == 0
    said = capsys.readouterr().out
    assert "nano   Q8_0  Q8_0  1 of 3" in said
    assert "nano Q8_0: n_ctx: 2048 -> 4096\n" in said
    assert "only in B: nano Q2_K" in said


def test_two_cells_may_be_of_different_quants(capsys: pytest.CaptureFixture[str]) -> None:
    a, b = cell("one", "F16", ["a", "b"]), cell("one", "Q2_K", ["a", "c"])
    (found,) = compared(capsys, a, f"{b}/run.json")["cells"]
    assert counts(found) == (1, 2)
    assert found["fidelity"]["baseline_quant"] == "F16"
    assert found["differences"] == ["quant_tag: F16 -> Q2_K"]


def test_only_what_was_sent_to_both_in_the_same_words_is_compared(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cell("before", "F16", ["a", "b"], keys=["one", "two"])
    cell("after", "F16", ["a", "b", "c"], keys=["one", "another two", "three"])
    (found,) = compared(capsys, "before", "after")["cells"]
    assert counts(found) == (1, 1)


def test_batches_of_a_cell_count_together(capsys: pytest.CaptureFixture[str]) -> None:
    cell("one", "F16", ["a", "b", "c"])
    cell("two", "F16", ["b", "y"], start=2, place="batch-2", batch=2, measured_at=LATER)
    cell("two", "F16", ["x"], batch=1)
    (found,) = compared(capsys, "one", "two")["cells"]
    assert counts(found) == (1, 3)


def test_a_cell_that_was_not_measured_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    cell("one", "F16", ["a"])
    cell("two", "F16", [], status=RunStatus.LOAD_FAILED, status_reason="no model", sessions=())
    (found,) = compared(capsys, "one", "two")["cells"]
    reasons = found["fidelity"]["agreement"]["null_reasons"]
    assert set(reasons.values()) == {"STATUS_LOAD_FAILED"}


def test_t22_a_report_of_other_measurements_than_its_receipt_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    part = TakenPart(kind="answers", path="answers.json", sha256="a" * 64, measured_at=NOW)
    folder = cell("one", "F16", ["a"], parts=(part,))
    write_json(Path(folder, "receipt.json"), {"parts": [{"sha256": "a" * 64}]})
    assert main(["fidelity", "one", folder]) == 0
    write_json(Path(folder, "receipt.json"), {"parts": [{"sha256": "b" * 64}]})
    capsys.readouterr()
    assert main(["fidelity", "one", folder]) == 1
    assert f"{folder}/run.json: made from other measurements" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("b", "said"),
    [
        ("nothing", "nothing: no run.json there; allowed is a sweep (its name, "),
        ("two", "no cell is in both: one has nano F16, nano Q8_0; two has nano Q2_K."),
        ("plan.json", "plan.json: its schema_version is 'orket.plan.v1'"),
    ],
)
def test_what_can_not_be_compared_is_one_message(
    capsys: pytest.CaptureFixture[str], b: str, said: str
) -> None:
    for sweep, quant in (("one", "F16"), ("one", "Q8_0"), ("two", "Q2_K")):
        cell(sweep, quant, ["a"])
    write_json(Path("plan.json"), {"schema_version": "orket.plan.v1"})
    assert main(["fidelity", "one", b]) == 1
    assert said in capsys.readouterr().err


def test_two_measurements_of_probabilities_are_compared(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for quant, top in (("F16", 0.9), ("Q2_K", 0.6)):
        write_model(Path(quant, "next_tokens.json"), probabilities(quant, top))
    paths = ["F16/next_tokens.json", "Q2_K/next_tokens.json"]
    assert main(["fidelity", *paths, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    exact = 0.9 * math.log(0.9 / 0.6) + 0.1 * math.log(0.1 / 0.4)
    assert found["text"]["mean"] == pytest.approx(exact, rel=1e-4)
    assert main(["fidelity", *paths]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:5] == ["Q2_K", "text", "3", "kld", "0.23"]
