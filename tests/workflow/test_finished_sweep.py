"""One whole sweep: real Snakemake, real server, real model; and every file that it leaves."""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sweep_workspace import ROOT, Result, Workspace

import orket_lib.artifacts
from orket_lib.artifacts.base import Measured
from orket_lib.cli import main
from orket_lib.stores.bundles import MANIFEST

Swept = tuple[Workspace, Result]
TASKS = 4  # F16 solves more of them than Q2_K


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """Return a workspace whose sweep was run once, and how that ended."""
    workspace = Workspace(tmp_path_factory.mktemp("swept"))
    workspace.config |= {"task_limit": TASKS, "probe_runs": 1}
    return workspace, workspace.run()


def test_a_sweep_ends_with_a_table_a_recommendation_and_a_report(swept: Swept) -> None:
    workspace, result = swept
    assert result.code == 0, result.text
    summary = workspace.json("results/small/quant_sweep/sweep_summary.json")
    rows = summary["sessions"][0]["per_quant"]
    assert [row["quant_tag"] for row in rows] == ["F16", "Q2_K"]
    assert [row["status"] for row in rows] == ["measured", "measured"]
    assert all(row["test_runs"] == 2 * TASKS for row in rows)
    assert rows[0]["artifact"]["sha256"] != rows[1]["artifact"]["sha256"]
    assert rows[0]["adherence_score"] > rows[1]["adherence_score"]
    assert f"{TASKS} tasks, too few" in " ".join(result.text.split())
    report = workspace.folder / "results/small/quant_sweep/sweep_report.html"
    assert str(report.relative_to(workspace.folder).as_posix()) in result.text
    assert "Q2_K" in report.read_text(encoding="utf-8")
    assert "Nothing to be done" in workspace.run().text


def test_a_threshold_remakes_views_and_measures_nothing(
    swept: Swept, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, _ = swept
    monkeypatch.setitem(workspace.config, "adherence_threshold", 0.1)

    planned = workspace.planned()

    views = {"make_summary", "compute_kpis", "judge_kpis", "make_report", "make_frontier"}
    assert views <= planned.keys()
    assert not {"measure_cell", "measure_canary", "make_row"} & planned.keys()


@pytest.mark.slow
def test_what_is_measured_again_is_the_same_in_plan_status_and_dry_run(swept: Swept) -> None:
    workspace, _ = swept
    asked = ("--config", "again=runs")
    assert workspace.planned(*asked)["measure_cell"] == 2
    plan = " ".join(workspace.orket("plan", *asked).text.split())
    assert "2 of them still to be measured" in plan
    status = " ".join(workspace.orket("status", *asked).text.split())
    assert status.count("to be measured again: again=runs") == 2
    assert f"{2 * 2 * TASKS} graded runs" in status


def measured_kinds() -> dict[frozenset[str], type[Measured]]:
    """Return every kind of record with readings, by the names of its fields."""
    for module in pkgutil.walk_packages(orket_lib.artifacts.__path__, "orket_lib.artifacts."):
        importlib.import_module(module.name)
    found: dict[frozenset[str], type[Measured]] = {}
    waiting: list[type[Measured]] = [Measured]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("orket_lib."):
            found[frozenset(kind.model_fields)] = kind
    return found


def records_in(value: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every JSON object that has `null_reasons`, with its place."""
    if isinstance(value, dict):
        if "null_reasons" in value:
            yield place, value
        for name, item in value.items():
            yield from records_in(item, f"{place}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from records_in(item, f"{place}[{index}]")


def documents(folder: Path) -> Iterator[tuple[str, Any]]:
    """Yield the content of every JSON file and of every line of a journal."""

    def refuse(constant: str) -> Any:
        raise AssertionError(f"there is no number {constant}")

    for root in ("results", "storage"):
        for path in sorted((folder / root).rglob("*.json*")):
            if path.suffix == ".lock":
                continue
            place, text = str(path.relative_to(folder)), path.read_text(encoding="utf-8")
            for part in text.splitlines() if path.suffix == ".jsonl" else [text]:
                yield place, json.loads(part, parse_constant=refuse)


def test_in_every_artifact_nulls_and_reasons_come_together(swept: Swept) -> None:
    kinds, seen = measured_kinds(), set()
    for place, content in documents(swept[0].folder):
        for where, record in records_in(content, place):
            kind = kinds.get(frozenset(record))
            assert kind is not None, f"{where}: a record of no known kind: {sorted(record)}"
            seen.add(kind.__name__)
            nulls = {name for name in kind.readings() if record[name] is None}
            assert nulls == set(record["null_reasons"]), where
            for name, reason in record["null_reasons"].items():
                assert re.fullmatch(r"[A-Z][A-Z0-9_]+", reason), f"{where}.{name}: {reason!r}"
    assert {"RunTelemetry", "Probe", "HostWindow", "HostSummary", "RowMetrics"} <= seen
    assert {"SummaryRow", "StabilityKpis", "CanaryFigures", "ScatterPoint", "CanaryRun"} <= seen


def forged(bundle: Path, changed: dict[str, tuple[bytes, bytes]]) -> None:
    """Change files of a bundle, and their hashes too."""
    with zipfile.ZipFile(bundle) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(content.pop(MANIFEST))
    for name, (old, new) in changed.items():
        assert old in content[name], name
        content[name] = content[name].replace(old, new, 1)
    for file in manifest["files"]:
        data = content[file["path"]]
        file |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, json.dumps(manifest))
        for name, data in content.items():
            archive.writestr(name, data)


def test_a_bundle_of_it_is_verified_and_what_its_measurements_dont_say_is_named(
    swept: Swept,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(swept[0].folder)
    bundle, again = tmp_path / "small.zip", tmp_path / "again.zip"
    assert main(["bundle", "small", "--out", str(bundle)]) == 0
    assert main(["bundle", "--out", str(again)]) == 0
    assert bundle.read_bytes() == again.read_bytes()
    capsys.readouterr()
    assert main(["verify", str(bundle)]) == 0, capsys.readouterr().out
    assert capsys.readouterr().out.endswith("\nverified\n")

    # A sweep in a checkout names its commit, which whoever checks the bundle doesn't have.
    views, in_checkout = "results/small/quant_sweep", tmp_path / "checkout.zip"
    in_checkout.write_bytes(bundle.read_bytes())
    commit = {
        f"{views}/sweep_summary.json": (b'"commit_sha": null', b'"commit_sha": "c0ffee0"'),
        f"{views}/sweep_report.md": (b"Commit: none", b"Commit: c0ffee0 (state unknown)"),
        f"{views}/sweep_report.html": (b"Commit: none", b"Commit: c0ffee0 (state unknown)"),
    }
    forged(in_checkout, commit)
    assert main(["verify", str(in_checkout)]) == 0, capsys.readouterr().out
    said = capsys.readouterr().out
    assert "checked by commit " in said or not (ROOT / ".git").exists()

    changed = {
        "results/small/cells/orket-nano/Q2_K/run.json": (b'"passed": false', b'"passed": true'),
        "results/small/canary/verdict.json": (b'"passed": true', b'"passed": false'),
        f"{views}/orket-nano/Q2_K.json": (b'"status": "measured"', b'"status": "crashed"'),
        f"{views}/sweep_summary.json": (b'"baseline_quant": "F16"', b'"baseline_quant": "F32"'),
        f"{views}/frontier_explorer.json": (b'"F16"', b'"F32"'),
        f"{views}/sweep_report.md": (b"Q2_K", b"Q3_K"),
        f"{views}/sweep_table.csv": (b"Q2_K", b"Q3_K"),
        f"{views}/sweep_scatter.json": (b"Q2_K", b"Q3_K"),
    }
    forged(bundle, changed)
    assert main(["verify", str(bundle)]) == 3
    said = capsys.readouterr().out
    assert [name for name in changed if f"  {name}: " not in said] == []
    assert "NOT VERIFIED" in said
