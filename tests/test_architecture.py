"""The arrows of the design: which room may know which, and who pays for heavy packages."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import orket_lib

ROOT = Path(orket_lib.__file__).parent

# Each room, and the rooms that it may import beside itself.
ARROWS: dict[str, set[str]] = {
    "vocabulary": set(),
    "artifacts": {"vocabulary"},
    "analysis": {"artifacts", "vocabulary"},
    "report": {"analysis", "artifacts", "vocabulary"},
    "tasks": {"processes", "artifacts", "vocabulary"},
    "providers": {"processes", "artifacts", "vocabulary"},
    "telemetry": {"processes", "artifacts", "vocabulary"},
    "stores": {"artifacts", "vocabulary"},
    "processes": {"artifacts", "vocabulary"},
    "config": {"artifacts", "vocabulary", "tasks", "telemetry", "providers", "stores"},
    "measure": {
        *("providers", "tasks", "telemetry", "stores", "processes", "artifacts", "vocabulary"),
    },
    "workflow": {
        *("measure", "config", "tasks", "stores", "processes", "telemetry", "artifacts"),
        "vocabulary",
    },
}
# Of some rooms, only one module is anybody's business.
ONLY: dict[tuple[str, str], set[str]] = {
    ("config", "tasks"): {"orket_lib.tasks.bank", "orket_lib.tasks.task"},
    ("config", "telemetry"): {"orket_lib.telemetry.fingerprint"},
    ("config", "providers"): {"orket_lib.providers.gguf_file"},
    ("config", "stores"): {"orket_lib.stores.parts"},
    ("workflow", "measure"): {"orket_lib.measure.gates"},
    ("workflow", "tasks"): {"orket_lib.tasks.bank", "orket_lib.tasks.context_tasks"},
    ("workflow", "telemetry"): {"orket_lib.telemetry.fingerprint"},
}
ENTRANCES = {"cli", "__main__", "__init__"}

# Packages that nobody pays for at import, and the rooms that live on them.
HEAVY: dict[str, set[str]] = {
    "gguf": set(),
    "httpx": {"providers"},
    "jinja2": set(),
    "matplotlib": set(),
    "numpy": set(),
    "pandas": set(),
    "pynvml": set(),
    "rich": set(),
    "scipy": set(),
    "snakemake": set(),
    "xllamacpp": set(),
}


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room_of(path: Path) -> str:
    """Return the folder of a module, or its own name when it lies at the top."""
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imports(nodes: Iterator[ast.AST] | list[ast.stmt]) -> Iterator[str]:
    """Yield the full names that import statements name."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            # `from orket_lib.x import y` may name the module y as well as something in x.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def all_imports(path: Path) -> Iterator[str]:
    """Yield what a module imports anywhere, in functions and for type checkers, too."""
    return imports(ast.walk(_parsed(path)))


def imports_at_load(path: Path) -> Iterator[str]:
    """Yield what importing a module imports: its top level without `if TYPE_CHECKING`."""
    pending = list(_parsed(path).body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            pending += node.orelse
            continue
        yield from imports([node])
        pending += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def ours(names: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield (room, full name) of the imports that are ours."""
    for name in names:
        package, _, rest = name.partition(".")
        room = rest.partition(".")[0]
        if (
            room
            and package == "orket_lib"
            and ((ROOT / room / "__init__.py").is_file() or (ROOT / f"{room}.py").is_file())
        ):
            yield room, name


def may_import(room: str, target: str, name: str) -> bool:
    """Return whether a module of a room may import something of another, or its own, room."""
    allowed = ONLY.get((room, target))
    return target in ARROWS[room] | {room} and (
        allowed is None or name.rpartition(".")[0] in allowed
    )


def test_every_room_has_its_arrows() -> None:
    rooms = {path.name for path in ROOT.iterdir() if (path / "__init__.py").is_file()}
    assert rooms <= set(ARROWS) | {"commands"}


def test_modules_import_only_what_their_room_may_know() -> None:
    offenders = [
        f"{name_of(path)} imports {name}"
        for path in modules()
        if (room := room_of(path)) != "commands" and room not in ENTRANCES
        for target, name in ours(all_imports(path))
        if not may_import(room, target, name)
    ]
    assert not offenders, "\n".join(offenders)


def test_commands_are_known_to_the_command_line_only() -> None:
    offenders = [
        f"{name_of(path)} imports {name}"
        for path in modules()
        if room_of(path) not in {"commands", "cli", "__main__"}
        for target, name in ours(all_imports(path))
        if target in {"commands", "cli"}
    ]
    assert not offenders, "\n".join(offenders)


def test_heavy_packages_are_imported_where_they_are_used() -> None:
    offenders = [
        f"{name_of(path)} imports {name} at its top"
        for path in modules()
        for name in imports_at_load(path)
        if (package := name.partition(".")[0]) in HEAVY and room_of(path) not in HEAVY[package]
    ]
    assert not offenders, "\n".join(offenders)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        pytest.param("import scipy.stats", ["scipy.stats"], id="plain"),
        pytest.param("try:\n  import scipy\nexcept E:\n  pass", ["scipy"], id="in a try"),
        pytest.param("if X:\n  import scipy", ["scipy"], id="in an if"),
        pytest.param("class A:\n  import scipy", ["scipy"], id="in a class"),
        pytest.param("def f():\n  import scipy", [], id="in a function"),
        pytest.param("if TYPE_CHECKING:\n  import scipy", [], id="for type checkers"),
    ],
)
def test_these_tests_see_what_is_imported_at_load(
    tmp_path: Path, source: str, found: list[str]
) -> None:
    path = tmp_path / "module.py"
    path.write_text(source, encoding="utf-8")
    assert list(imports_at_load(path)) == found


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
        for path in sorted((ROOT / room).glob("*.py"))
        if path.stem != "__init__"
    ]
    loaded = _loaded_by("".join(f"import {name}\n" for name in names))
    assert not loaded & (UNWANTED | {"httpx", "psutil"})
