"""What the self-hosted workflows run, as far as a test without a sweep can check it."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from contract_examples import example
from sweep_workspace import ROOT

from orket_lib.artifacts.io import write_json
from orket_lib.artifacts.views.plan import Plan


def script(name: str) -> ModuleType:
    """Return a script of CI as a module."""
    found = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # dataclasses look for it there
    found.loader.exec_module(module)
    return module


@pytest.fixture
def full_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script as a module, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return script("full_sweep")


def test_the_text_of_every_mutation_stands_once_in_its_file() -> None:
    mutations = script("trap_mutations").MUTATIONS
    assert mutations
    lost = {
        f"{item.trap}: {item.says}": count
        for item in mutations
        if (count := (ROOT / item.path).read_text(encoding="utf-8").count(item.old)) != 1
    }
    assert lost == {}


def looked_through(module: ModuleType, path: Path) -> list[str]:
    return list(module.violations(path))


def test_a_product_is_what_its_version_says(full_sweep: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    whole = example(Plan, whole=True)
    for content, wrong in (
        (whole, None),
        ({}, "no schema_version"),
        ([1], "no schema_version"),
        ({"schema_version": 1}, "no schema_version"),
        ({"schema_version": "orket.unknown.v1"}, "there is no schema of orket.unknown.v1"),
        (whole | {"quants": 1}, "1 is not of type"),
        (whole | {"provenance": None}, "no provenance"),
    ):
        write_json(path, content)
        said = looked_through(full_sweep, path)
        assert bool(said) is bool(wrong), (content, said)
        assert wrong is None or any(wrong in line for line in said), said


def test_only_what_is_the_configs_own_may_go_without_a_version(
    full_sweep: ModuleType, tmp_path: Path
) -> None:
    for name in ("policy/row.json", "results/s/cells/m/q/spec.json", "row.json"):
        write_json(tmp_path / name, {})
    assert looked_through(full_sweep, tmp_path / "policy/row.json") == []
    assert looked_through(full_sweep, tmp_path / "results/s/cells/m/q/spec.json") == []
    assert looked_through(full_sweep, tmp_path / "row.json")


def test_a_damaged_product_is_a_line_and_no_traceback(
    full_sweep: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "plan.json"
    path.write_text('{"schema_version": ', encoding="utf-8")
    (line,) = looked_through(full_sweep, path)
    assert "plan.json: not valid JSON" in line


def test_a_verdict_counts_only_if_it_was_enforced_by_this_sweep(full_sweep: ModuleType) -> None:
    began = 1_000_000.0
    verdict = Path("results/small/quant_sweep/kpi_gate.json")
    log = Path("logs/small/kpi_gate_passed.log")
    write_json(verdict, {"verdict": "FAIL"})
    assert list(full_sweep.refused("small", began)) == []
    log.parent.mkdir(parents=True)
    log.write_text("error: KPI gate failed", encoding="utf-8")
    os.utime(log, (began - 1, began - 1))
    assert list(full_sweep.refused("small", began)) == []
    os.utime(log, (began + 1, began + 1))
    assert list(full_sweep.refused("small", began)) == [verdict.as_posix()]
    write_json(verdict, {"verdict": "PASS"})
    assert list(full_sweep.refused("small", began)) == []
    write_json(Path("results/small/canary/verdict.json"), {"passed": False})
    enforced = Path("logs/small/canary/passed.log")
    enforced.parent.mkdir(parents=True)
    enforced.touch()
    assert list(full_sweep.refused("small", began)) == ["results/small/canary/verdict.json"]


def test_only_what_a_verdict_would_leave_behind_may_be_missing(full_sweep: ModuleType) -> None:
    views = Path("results/small/quant_sweep")
    passed = [Path("results/small/canary/passed.ok"), views / "kpi_gate_passed.ok"]
    others = [views / "frontier_kept.ok", views / "contracts_passed.ok", views / "kpi_gate.json"]
    assert list(full_sweep.missing([*passed, *others])) == others


def test_the_leaves_of_the_gates_are_those_of_the_rules(full_sweep: ModuleType) -> None:
    rules = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "rules").glob("*.smk"))
    made = re.findall(r'touch\(f?"(\S+)"\)', rules)
    assert set(full_sweep.LEAVES) <= {Path(path).name for path in made}
    assert len([path for path in made if Path(path).name in full_sweep.LEAVES]) == len(
        full_sweep.GATES
    )


def test_the_logs_of_the_gates_are_those_of_the_rules(full_sweep: ModuleType) -> None:
    rules = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "rules").glob("*.smk"))
    for log in full_sweep.GATES.values():
        assert f'"{log.replace("logs/{sweep}", "{LOGS}")}"' in rules


@pytest.mark.skipif(os.name == "nt", reason="replaces `python` by a shell script")
@pytest.mark.parametrize(
    ("record", "gate", "asked"),
    [
        ("false", "false", []),
        ("true", "false", ["baseline_record=true"]),
        ("true", "true", ["baseline_record=true", "baseline_gate=true"]),
    ],
)
def test_what_is_not_ticked_in_the_workflow_is_left_to_the_config(
    tmp_path: Path, record: str, gate: str, asked: list[str]
) -> None:
    workflow = ROOT / ".github" / "workflows" / "quant-sweep-full-selfhosted.yml"
    steps = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]["sweep"]["steps"]
    (text,) = (step["run"] for step in steps if step.get("name") == "Sweep")
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    env = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "CONFIG": "a.yaml b.yaml",
        "SETTINGS": "seed=3",
        "RECORD": record,
        "GATE": gate,
        "REF": "github:x y",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    script, *arguments = done.stdout.splitlines()
    assert script == ".ci/full_sweep.py"
    first = ["a.yaml", "b.yaml", "--config", "provenance_ref=github:x y"]
    assert arguments == [*first, *asked, "seed=3"]


def test_retention_does_not_pass_where_storage_was_lost(tmp_path: Path) -> None:
    def retention(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / ".ci" / "baseline_retention.py"), *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    for folder in ("", "storage", "storage/baselines"):
        Path(tmp_path, folder).mkdir(exist_ok=True)
        lost = retention()
        assert lost.returncode == 1
        assert "storage/baselines: there are no baselines" in lost.stdout
    assert retention("--allow-empty").returncode == 0
