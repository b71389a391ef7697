"""Who may import whom, and who pays for heavy packages."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import orket_lib

ROOT = Path(orket_lib.__file__).parent
_SHORT = "--output-format=concise"
_CHECKS = {
    "arrows": ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
    "heavy packages": ["-m", "ruff", "check", "--no-cache", "--select=TID253", _SHORT],
}


def check(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Return how one of the checks of `.ci/run` ends in a folder."""
    return subprocess.run(
        [sys.executable, *_CHECKS[name]], cwd=folder, capture_output=True, text=True, timeout=120
    )


PLANTED = {
    "arrows": {
        "vocabulary/quants.py": "from orket_lib.artifacts import base",
        "report/terminal.py": "def f():\n    import orket_lib.telemetry.host",
        "analysis/kpis.py": "from orket_lib.stores import roots",
        "providers/base.py": "from orket_lib.tasks import bank",
        "sandbox/inside/calls.py": "from orket_lib.vocabulary import errors",
        "workflow/targets.py": "import orket_lib.commands.sweeps.plan",
    },
    "heavy packages": {
        "analysis/statistics.py": "import scipy.stats",
        "report/terminal.py": "import rich",
    },
}


@pytest.mark.parametrize("name", PLANTED)
def test_each_planted_import_fails_its_check(tmp_path: Path, name: str) -> None:
    shutil.copytree(ROOT, tmp_path / "orket_lib")
    shutil.copy(ROOT.parent / "pyproject.toml", tmp_path)
    for module, planted in PLANTED[name].items():
        with (tmp_path / "orket_lib" / module).open("a", encoding="utf-8") as stream:
            stream.write(f"\n\n{planted}\n")
    failed = check(name, tmp_path)
    assert failed.returncode == 1
    for module, planted in PLANTED[name].items():
        dotted = f"orket_lib.{module.removesuffix('.py').replace('/', '.')}"
        target = re.findall(r"(?:from|import) ([\w.]+)(?: import (\w+))?", planted)[0]
        named = f"{dotted} -> {'.'.join(filter(None, target))}", f"{module}:"
        assert any(one in failed.stdout for one in named), (module, failed.stdout)


def _loaded_by(code: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter has after some code."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    names = json.loads(result.stdout.splitlines()[-1])
    return {name.partition(".")[0] for name in names}


UNWANTED = {"gguf", "matplotlib", "numpy", "pandas", "pynvml", "scipy", "xllamacpp"}


def test_help_costs_none_of_the_heavy_packages() -> None:
    help_text = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "orket_lib", "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "usage: orket" in help_text.stdout
    imported = {
        line.rpartition("|")[2].strip().partition(".")[0]
        for line in help_text.stderr.splitlines()
        if line.startswith("import time:")
    }
    assert "orket_lib" in imported
    assert not imported & (UNWANTED | {"httpx", "rich", "jinja2", "snakemake"})


@pytest.mark.parametrize(
    "rooms",
    [("analysis",), ("report",), ("vocabulary", "artifacts", "tasks")],
    ids=lambda rooms: "+".join(rooms),
)
def test_pure_rooms_load_without_heavy_packages(rooms: tuple[str, ...]) -> None:
    names = [
        ".".join(["orket_lib", *path.relative_to(ROOT).with_suffix("").parts])
        for room in rooms
        for path in sorted((ROOT / room).rglob("*.py"))
        if path.stem != "__init__"
    ]
    loaded = _loaded_by("".join(f"import {name}\n" for name in names))
    assert not loaded & (UNWANTED | {"httpx", "psutil"})
