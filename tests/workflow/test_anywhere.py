"""The workflow from another folder, as a module of another workflow, and out of the wheel.

The paths here have blanks in them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from sweep_workspace import ROOT, SMALL, Result, jobs

TINY: dict[str, Any] = {**SMALL, "sweep": "tiny", "task_limit": 4, "max_output_tokens": 32}
CELLS = len(TINY["quants"])
CLUSTER = ("--executor", "cluster-generic", "--cluster-generic-submit-cmd", "bash", "-j", "2")
MODULE = """
configfile: "outer.yaml"


module orket:
    snakefile:
        {snakefile!r}
    config:
        config["orket"]
{prefix}

use rule * from orket as orket_*


rule conclude:
    default_target: True
    input:
        rules.orket_all.input,
    output:
        "conclusion.txt",
    shell:
        "echo done > {{output}}"


onsuccess:
    orket.onsuccess()
"""

DEPLOYED = """
configfile: "config/config.yaml"


module orket_quant_sweep:
    snakefile:
        {snakefile!r}
    config:
        config


use rule * from orket_quant_sweep
"""


class Place:
    """A folder without anything of the project's in it, and a call of Snakemake there."""

    def __init__(self, folder: Path, calls: list[str], prefix: str = "") -> None:
        self.folder = folder
        self.calls = calls
        self.prefix = prefix
        self.env: dict[str, str] = {}
        folder.mkdir(parents=True)

    def run(self, *arguments: str) -> Result:
        """Run Snakemake to its end; called from elsewhere where `-d` says where it works."""
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", *arguments, *self.calls, "--cores", "2"],
            cwd=self.folder.parent if "-d" in self.calls else self.folder,
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, **self.env},
            check=False,
        )
        return Result(done.returncode, done.stdout + done.stderr)

    def parts(self) -> int:
        """Return how many parts are sealed."""
        return len(list(self.folder.glob("storage/runs/*/*/*/parts/*/index.json")))


def checkout(folder: Path) -> Path:
    """Return the Snakefile of a checkout whose path has a blank in it."""
    made = folder / "a checkout"
    made.symlink_to(ROOT)
    return made / "Snakefile"


def elsewhere(folder: Path) -> Place:
    here = folder / "some where"
    place = Place(here, ["-s", str(checkout(folder)), "-d", str(here), "--configfile"])
    place.calls.append(str(here / "tiny.yaml"))
    (here / "tiny.yaml").write_text(yaml.safe_dump(TINY), encoding="utf-8")
    return place


def module(folder: Path, prefix: str = "") -> Place:
    place = Place(folder / "an outer one", [], f"{prefix}/" if prefix else "")
    asked = f"    prefix:\n        {prefix!r}\n" if prefix else ""
    text = MODULE.format(snakefile=str(checkout(folder)), prefix=asked)
    (place.folder / "Snakefile").write_text(text, encoding="utf-8")
    outer = yaml.safe_dump({"orket": TINY})
    (place.folder / "outer.yaml").write_text(outer, encoding="utf-8")
    return place


def below_prefix(folder: Path) -> Place:
    return module(folder, "measured")


def deployed(folder: Path) -> Place:
    """Return a place as snakedeploy makes it: our rules, and a copy of our config folder."""
    place = Place(folder / "deployed", ["--config", "sweep=tiny"])
    nameless = {key: value for key, value in TINY.items() if key != "sweep"}
    for path, text in (
        ("workflow/Snakefile", DEPLOYED.format(snakefile=str(checkout(folder)))),
        ("config/config.yaml", yaml.safe_dump(nameless)),
    ):
        (place.folder / path).parent.mkdir()
        (place.folder / path).write_text(text, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built from a copy: nothing is written into this checkout."""
    source, built = (tmp_path_factory.mktemp(name) for name in ("source", "built"))
    needed = subprocess.run(
        ["git", "ls-files", "-z", "--", ":!docs", ":!tests", ":!tools"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in needed.stdout.split("\0")[:-1]:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(built), str(source)],
        check=True,
        capture_output=True,
    )
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheel's content, as pip installs it."""
    folder = tmp_path_factory.mktemp("installed") / "site packages"
    with zipfile.ZipFile(wheel) as content:
        content.extractall(folder)
    return folder


def out_of(site: Path, folder: Path) -> Place:
    """Return a place that uses the package in a folder, and its workflow."""
    env = {"PYTHONPATH": str(site)}
    said = subprocess.run(
        [sys.executable, "-m", "orket_lib", "where"],
        env={**os.environ, **env},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert Path(said).is_relative_to(site)
    place = Place(folder / "any where", ["-s", said, "--configfile", "tiny.yaml"])
    (place.folder / "tiny.yaml").write_text(yaml.safe_dump(TINY), encoding="utf-8")
    place.env = env
    return place


def is_planned(place: Place) -> None:
    planned = place.run("-n")

    assert planned.code == 0, planned.text
    name = "orket_measure_cell" if place.calls == [] else "measure_cell"
    assert jobs(planned.text)[name] == CELLS
    assert f"output: {place.prefix}results/tiny/quant_sweep/sweep_summary.json" in planned.text
    assert f"{place.prefix}results/tiny/quant_sweep/sweep_report.md" in planned.text
    assert not (place.folder / "storage").exists()


@pytest.mark.parametrize(
    "make",
    [
        module,
        *(pytest.param(it, marks=pytest.mark.slow) for it in (elsewhere, below_prefix, deployed)),
    ],
)
def test_the_workflow_is_planned_from_anywhere(
    tmp_path: Path, make: Callable[[Path], Place]
) -> None:
    is_planned(make(tmp_path))


@pytest.mark.slow
def test_the_workflow_is_planned_out_of_the_wheel(tmp_path: Path, site: Path) -> None:
    is_planned(out_of(site, tmp_path))


@pytest.mark.slow
def test_the_wheel_holds_the_packages_and_the_workflow_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as content:
        names = {name for name in content.namelist() if not name.startswith("orket_quant_sweep-")}
    shipped = [
        ROOT / "Snakefile",
        *(
            path
            for name in ("rules", "config", "profiles", "models/orket-nano")
            for path in (ROOT / name).rglob("*")
        ),
    ]
    packages = [path for found in ROOT.glob("*/__init__.py") for path in found.parent.rglob("*")]
    assert names == {
        prefix + path.relative_to(ROOT).as_posix()
        for prefix, paths in (("", packages), ("orket_lib/shipped/", shipped))
        for path in paths
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["plan", "config/examples/embedded.yaml"], "config/task_banks/"),
        (["tasks", "list", "general"], "tool_call"),
        (["doctor"], "models/orket-nano/orket-nano-F16.gguf"),
    ],
    ids=lambda it: it[0] if isinstance(it, list) else "",
)
def test_an_installed_command_finds_its_files_in_an_empty_folder(
    tmp_path: Path, site: Path, command: list[str], words: str
) -> None:
    here = tmp_path / "leerer Ördner"
    here.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "orket_lib", *command],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(site), "HOME": str(here)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert words in done.stdout + done.stderr


def test_without_a_config_it_is_the_reference_sweep_from_anywhere(tmp_path: Path) -> None:
    """It is known by its file: a copy of that would be a sweep of another name."""
    here = tmp_path / "some where"
    place = Place(here, ["-s", str(checkout(tmp_path)), "-d", str(here)])

    planned = place.run("-n")

    assert planned.code == 0, planned.text
    assert "output: results/reference/quant_sweep/sweep_summary.json" in planned.text


@pytest.mark.slow
def test_a_module_must_name_its_sweep(tmp_path: Path) -> None:
    place = module(tmp_path)
    nameless = {key: value for key, value in TINY.items() if key != "sweep"}
    (place.folder / "outer.yaml").write_text(yaml.safe_dump({"orket": nameless}), encoding="utf-8")

    planned = place.run("-n")

    assert planned.code == 1
    assert "sweep: must be set in the config of a `module:`" in planned.text


@pytest.mark.slow
def test_a_prefix_with_a_blank_is_refused(tmp_path: Path) -> None:
    planned = module(tmp_path, "measured here").run("-n")

    assert planned.code == 1
    assert "prefix: must not contain blanks (got measured here/)" in planned.text


def test_files_of_another_config_are_found_below_the_prefix(tmp_path: Path) -> None:
    place = below_prefix(tmp_path)
    forgotten = place.folder / "measured/results/tiny/policy/matrix.json"
    forgotten.parent.mkdir(parents=True)
    forgotten.write_text("{}", encoding="utf-8")

    planned = place.run("-n")

    assert planned.code == 0, planned.text
    assert "measured/results/tiny: 1 files are of another config" in planned.text


@pytest.mark.slow
@pytest.mark.parametrize("make", [elsewhere, module, below_prefix])
def test_a_sweep_runs_from_anywhere_and_is_forced_by_its_own_names(
    tmp_path: Path, make: Callable[[Path], Place]
) -> None:
    place = make(tmp_path)
    rule = "orket_measure_cell" if place.calls == [] else "measure_cell"

    first = place.run()
    assert first.code == 0, first.text
    assert "orket-nano: 4 tasks, too few" in first.text
    assert f"report: {place.prefix}results/tiny/quant_sweep/sweep_report.html" in first.text
    assert place.parts() == CELLS
    assert "Nothing to be done" in place.run().text

    again = place.run("-R", rule)
    assert again.code == 0, again.text
    assert place.parts() == 2 * CELLS

    # Each job a Snakemake of its own, which knows nothing of what is forced.
    receipt = f"{place.prefix}results/tiny/cells/orket-nano/F16/receipt.json"
    forced = place.run(receipt, "-f", *CLUSTER)
    assert forced.code == 0, forced.text
    assert place.parts() == 2 * CELLS + 1
    assert place.run(*CLUSTER).code == 0
    assert place.parts() == 2 * CELLS + 1


@pytest.mark.slow
def test_a_sweep_runs_out_of_the_wheel(tmp_path: Path, site: Path) -> None:
    place = out_of(site, tmp_path)

    done = place.run()

    assert done.code == 0, done.text
    assert "orket-nano: 4 tasks, too few" in done.text
    assert place.parts() == CELLS
