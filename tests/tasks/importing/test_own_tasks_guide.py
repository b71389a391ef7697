"""docs/guides/own-tasks.md: its files can be imported by its commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from task_forms import ROOT

from orket_lib.cli import main
from orket_lib.tasks.bank import load_bank

TEXT = (ROOT / "docs" / "guides" / "own-tasks.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", TEXT, re.DOTALL))
COMMANDS = re.findall(r"^    (orket tasks import .*)$", TEXT, re.MULTILINE)


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_makes_a_bank(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(command)
    assert main(words[1:]) == 0
    bank = words[words.index("--out") + 1]
    said = capsys.readouterr()
    shown = f"{said.out}{said.err}".splitlines()
    assert f"{len(load_bank(Path(bank)).tasks)} task" in shown[0]
    if bank == "mine.json":
        block = re.search(r"^    mine.json: .*\n(?:    .+\n)+", TEXT, re.MULTILINE)
        assert block is not None
        assert [line.strip() for line in block[0].splitlines()] == shown


def test_every_file_is_used() -> None:
    assert len(COMMANDS) == 4
    assert all(any(name in command for command in COMMANDS) for name in FILES)
