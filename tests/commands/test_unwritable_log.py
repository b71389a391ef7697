"""A rule's log that can't be written: the message is on the terminal, once, and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_disk import small_disk_at

from orket_lib.cli import main


def test_a_log_on_a_full_disk_costs_neither_message_nor_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk_at(tmp_path / "disk", 1) as disk:
        disk.fill()
        log = disk.folder / "require.log"
        code = main(["require", "--preflight", "gone.json", "--log", str(log)])
    first, second = capsys.readouterr().err.splitlines()
    assert (code, first) == (1, "error: gone.json: there is no such file")
    assert second.startswith(f"{log}: No space left on device: the disk at {disk.folder} is full")


def test_a_log_where_there_can_be_none_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    log = tmp_path / "file" / "require.log"
    assert main(["require", "--preflight", "gone.json", "--log", str(log)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {log}: ")
