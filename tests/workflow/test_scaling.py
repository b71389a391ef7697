"""How often what is done for a cell is done, as cells get more; `scaling.py` measures the time."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from large_sweeps import large_sweep, machines, pretend_measured

from orket_lib.artifacts.measurements import spec as specs
from orket_lib.artifacts.measurements.parts import PartIndex
from orket_lib.commands.sweeps.status import job_table
from orket_lib.stores import parts
from orket_lib.sweep.plan import make_plan
from orket_lib.workflow.stale_views import outdated
from orket_lib.workflow.targets import Targets


def counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[Any]:
    """Return the list that grows with every call of a function."""
    calls: list[Any] = []
    function = getattr(module, name)

    def called(*arguments: Any) -> Any:
        calls.append(arguments)
        return function(*arguments)

    monkeypatch.setattr(module, name, called)
    return calls


@pytest.mark.parametrize("cells", [10, 50])
def test_each_cell_is_digested_and_looked_up_a_fixed_number_of_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: int
) -> None:
    workspace = large_sweep(tmp_path / "large", cells)
    pretend_measured(workspace)
    monkeypatch.chdir(workspace.folder)
    digests = counted(monkeypatch, specs, "digest_of")
    looks = counted(monkeypatch, parts, "read_model")
    sweep = workspace.resolved()
    targets = Targets(sweep)
    assert len(targets.all_files()) > 4 * cells
    for cell in sweep.cells:
        targets.priority(cell.model_slug, cell.quant_tag, "")
        targets.run_reports(cell.model_slug, cell.quant_tag)
        targets.spec_json(cell.model_slug, cell.quant_tag)
    plan = make_plan(sweep, None, None)
    assert all(cell.measured for cell in plan.cells)
    # What is served and how, and the settings of its probes.
    assert len(digests) == 2 * cells
    assert [kind for _, kind in looks] == [PartIndex] * cells


def test_a_matrix_planned_for_several_machines_shares_nothing_between_them(
    tmp_path: Path,
) -> None:
    sweeps = [
        large_sweep(tmp_path / str(number), 100, 20, machine).resolved()
        for number, machine in enumerate([*machines(3), machines(1)[0]])
    ]
    folders = [{cell.spec.folder for cell in sweep.cells} for sweep in sweeps]
    assert [len(found) for found in folders] == [100] * 4
    assert len(set().union(*folders)) == 300
    assert folders[0] == folders[3], "the same machine, planned elsewhere"
    files = [set(Targets(sweep).all_files()) for sweep in sweeps]
    assert files[0] == files[1] == files[2]
    canaries = {Targets(sweep).canary_spec_json() for sweep in sweeps}
    assert len(canaries) == 3, "each machine has a canary of its own"


def test_what_is_not_there_is_not_rendered_to_be_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.json").write_text("{}")
    rendered: list[str] = []

    def content(name: str) -> str:
        rendered.append(name)
        return "{}"

    names = ("there.json", "missing.json")
    outdated({name: partial(content, name) for name in names})
    assert rendered == ["there.json"]


def test_a_dry_run_is_read_to_the_end_of_its_table_only() -> None:
    table = "Building DAG\nJob stats:\njob  count\n---  ---\nmeasure_cell 12\nall 1\ntotal 13\n"
    lines = iter(f"{table}\nrule measure_cell:\n".splitlines(keepends=True))
    assert job_table(lines) == {"measure_cell": 12}
    assert next(lines) == "rule measure_cell:\n"
    assert job_table(["Nothing to be done\n"]) == {}


@pytest.mark.slow
def test_a_dry_run_that_is_to_be_quiet_shows_no_plan(tmp_path: Path) -> None:
    """`orket status` reads its table only."""
    workspace = large_sweep(tmp_path / "large", 10)
    loud, quiet = workspace.run("-n"), workspace.run("-n", "--quiet", "rules")
    assert job_table(quiet.text.splitlines(keepends=True))["measure_cell"] == 10
    planned = "model-0000 F32  "
    assert planned in loud.text
    assert planned not in quiet.text
