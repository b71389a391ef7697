"""The captures of the terminal in docs/images, and the terminal that they are made in."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from terminal_captures import HEIGHT, OUT, PROMPT, ROOT, WIDTH, Terminal

GUIDE = (ROOT / "docs/guides/running.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("running", "Ctrl-C stops; the same command goes on from there"),
        ("end", "report: results/mine/quant_sweep/sweep_report.html"),
        ("canary", "3 measurements were not made, because the canary failed"),
        ("stopped", "; the same command goes on from there\n$ echo $?\n130\n"),
        ("load", "unknown model architecture: 'llamb'"),
    ],
)
def test_a_capture_is_one_terminal_that_shows_what_the_guide_says(name: str, words: str) -> None:
    text = (OUT / f"terminal-{name}.txt").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert len(lines) <= HEIGHT
    assert max(map(len, lines)) <= WIDTH
    assert words in text.replace("\n", " ") or words in text
    assert f"(../images/terminal-{name}.txt)" in GUIDE


def test_the_guide_quotes_the_captures() -> None:
    (block,) = re.findall(r"```text\n(sweep mine:.*?)```", GUIDE, re.S)
    assert block in (OUT / "terminal-running.txt").read_text(encoding="utf-8")
    (stopped,) = re.findall(r"`(stopped at .*?)`", GUIDE, re.S)
    assert " ".join(stopped.split()) in (OUT / "terminal-stopped.txt").read_text(encoding="utf-8")


@pytest.mark.skipif(not shutil.which("tmux"), reason="needs tmux")
def test_a_terminal_shows_what_is_typed_and_printed(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    try:
        terminal.wait_for(PROMPT, 60)
        terminal.type("echo $COLUMNS-$LINES; sleep 600")
        terminal.wait_for(rf"^{WIDTH}-{HEIGHT}$", 60)
        terminal.press("C-c")
        assert "sleep 600" in terminal.wait_for(PROMPT, 60)
        with pytest.raises(TimeoutError, match="never"):
            terminal.wait_for("never printed", 0)
    finally:
        terminal.close()
