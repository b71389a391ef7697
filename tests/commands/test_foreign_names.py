"""What a server, a file or a config calls itself has no power over terminal, log and report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from orket_lib.cli import main
from orket_lib.commands._common import print_json, print_text, tell
from orket_lib.doctor.suggested import Suggestion
from orket_lib.providers.shared_server import ActionLog
from orket_lib.report.doctor import suggestion_yaml
from orket_lib.report.formatting import aligned, escaped

# A title, a cleared screen, a hidden line, reversed text, a second line that nobody wrote.
HOSTILE = (
    "\x1b]0;owned\x07",
    "\x1b[2J\x1b[H",
    "ok\r\x1b[K",
    "\x9b31m",
    "evil\u202egpj.gguf",
    "\u200bx\u2066y",
    "a\x00b",
    "q\bq",
)
PLAIN = ("qwen3:8b-q4_K_M", "Grüße 漢字 😀", r"C:\models\x.gguf", "[red]not markup[/red]", "a b/c")


def _log(name: str, folder: Path) -> str:
    log = ActionLog(folder / "server.log")
    log.add(f"loaded {name}")
    return (folder / "server.log").read_text(encoding="utf-8")


def _told(show: Callable[[str], None]) -> Callable[[str, Path], str]:
    def told(name: str, folder: Path) -> str:
        show(name)
        return ""

    return told


def _refused(name: str) -> None:
    named = name.replace("\0", "")  # no file can be called so
    assert main(["plan", f"{named}.yaml"]) != 0


EDGES: dict[str, Callable[[str, Path], str]] = {
    "terminal": _told(tell),
    "standard output": _told(print_text),
    "JSON": _told(lambda name: print_json({"name": name})),
    "error": _told(_refused),
    "table": lambda name, _: "\n".join(aligned([[name, "x"]])),
    "report": lambda name, _: escaped(name),
    "log": _log,
    "suggested config": lambda name, _: suggestion_yaml(
        Suggestion(why=name, config={"models": [name]}, comments={})
    ),
}


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_no_name_has_power(
    edge: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = EDGES[edge](name, tmp_path)
    out, err = capsys.readouterr()
    shown = f"{written}{out}{err}"
    assert shown.strip()
    assert all(line.isprintable() for line in shown.split("\n"))


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("name", PLAIN, ids=ascii)
def test_a_plain_name_stays_as_it_is(
    edge: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = EDGES[edge](name, tmp_path)
    out, err = capsys.readouterr()
    shown = f"{written}{out}{err}"
    # JSON and Markdown have escapes of their own for a backslash and brackets.
    bare = shown.replace("\\\\", "\\") if edge == "JSON" else shown
    bare = bare.replace("\\[", "[").replace("\\]", "]").replace("\\\\", "\\")
    assert name in bare


@pytest.mark.parametrize("name", [*HOSTILE, *PLAIN], ids=ascii)
def test_values_survive(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    found: Any = yaml.safe_load(suggestion_yaml(Suggestion("", {"models": [name]}, {})))
    assert found == {"models": [name]}
    print_json({"name": name})
    assert json.loads(capsys.readouterr().out) == {"name": name}
