"""Makes the captures of the terminal in docs/images from real sweeps of the reference model.

    python tools/terminal_captures.py [NAME...]

Needs tmux. Each capture is a terminal of 80 columns and 24 lines, as plain text: `running` and
`end` (one sweep), `canary` (after one that failed), `stopped` (after Ctrl-C), and `load` (a model
of an architecture that llama.cpp doesn't know). Takes some minutes.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "images"
WIDTH, HEIGHT = 80, 24
PROMPT = r"^\$\s*\Z"
_LONGEST_S = 1800.0
_POLL_S = 0.5
_MODEL = "models/orket-nano/orket-nano-{quant}.gguf"
_MINE = {
    "models": ["orket-nano"],
    "quants": ["F16", "Q8_0", "Q4_K_M"],
    "artifact_template": "models/{model}/{model}-{quant}.gguf",
    "task_bank": "config/task_banks/reference.json",
    "task_limit": 60,
    "runs_per_quant": 2,
    "probe_runs": 3,
    "n_ctx": 2048,
    "max_output_tokens": 96,
    "seed": 7,
    "threads": 1,
    "execution_lane": "ci",
    # These times are no evidence, and a machine that makes captures is rarely quiet.
    "canary": {"runs": 3, "latency_variance_threshold": 100},
    "row_max_orchestration_overhead_ratio": 1.0,
}


class Terminal:
    """A shell in tmux; `close` ends it.

    Args:
        folder: Where the shell begins.
    """

    def __init__(self, folder: Path) -> None:
        self._command = ["tmux", "-u", "-f", os.devnull, "-L", f"orket-{os.getpid()}"]
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        shell = f"env 'PATH={programs}' 'PS1=$ ' bash --norc --noprofile -i"
        size = ("-x", str(WIDTH), "-y", str(HEIGHT))
        self._tmux("new-session", "-d", *size, "-c", str(folder), shell)

    def type(self, line: str) -> None:
        """Type a line."""
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def press(self, key: str) -> None:
        """Press a key, named as tmux does it: `C-c`."""
        self._tmux("send-keys", key)

    def text(self) -> str:
        """Return what the terminal shows."""
        return self._tmux("capture-pane", "-p").rstrip("\n") + "\n"

    def wait_for(self, pattern: str, longest_s: float = _LONGEST_S) -> str:
        """Return what the terminal shows as soon as this is in it.

        Raises:
            TimeoutError: It doesn't appear.
        """
        end_s = time.monotonic() + longest_s
        while not re.search(pattern, text := self.text(), re.M):
            if time.monotonic() > end_s:
                raise TimeoutError(f"{pattern!r} did not appear:\n{text}")
            time.sleep(_POLL_S)
        return text

    def close(self) -> None:
        """End the shell and what runs in it."""
        self._tmux("kill-server")

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._command, *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout


def running(folder: Path, terminal: Terminal) -> Iterator[tuple[str, str]]:
    """Yield the middle and the end of a sweep."""
    _sweep(folder, terminal)
    yield "running", terminal.wait_for(r"^orket-nano Q8_0 .*[3-9]\d of 123$")
    yield "end", terminal.wait_for(PROMPT)


def canary(folder: Path, terminal: Terminal) -> Iterator[tuple[str, str]]:
    """Yield the end of a sweep whose canary may not vary at all."""
    _sweep(folder, terminal, canary={"runs": 3, "latency_variance_threshold": 0})
    yield "canary", terminal.wait_for(PROMPT)


def stopped(folder: Path, terminal: Terminal) -> Iterator[tuple[str, str]]:
    """Yield the end of a sweep that Ctrl-C stops."""
    _sweep(folder, terminal)
    terminal.wait_for(r"^orket-nano F16 .*[3-9]\d of 123$")
    terminal.press("C-c")
    terminal.wait_for(PROMPT)
    terminal.type("echo $?")
    yield "stopped", terminal.wait_for(PROMPT)


def load(folder: Path, terminal: Terminal) -> Iterator[tuple[str, str]]:
    """Yield the end of a sweep, one model of which llama.cpp doesn't load."""
    path = folder / "broken.gguf"
    whole = (ROOT / _MODEL.format(quant="Q4_K_M")).read_bytes()
    key = whole.index(b"general.architecture")
    name = whole.index(b"llama", key)
    path.write_bytes(whole[:name] + b"llamb" + whole[name + 5 :])
    _sweep(
        *(folder, terminal),
        quants=["F16", "Q4_K_M"],
        artifacts={"orket-nano": {"Q4_K_M": path.name}},
    )
    yield "load", terminal.wait_for(PROMPT)


MAKERS: tuple[Callable[[Path, Terminal], Iterator[tuple[str, str]]], ...] = (
    running,
    canary,
    stopped,
    load,
)


def _sweep(folder: Path, terminal: Terminal, **changes: object) -> None:
    """Type the command that runs a sweep, in a folder that looks like a checkout."""
    for name in ("Snakefile", "rules", "profiles", "config", "models"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "mine.yaml").write_text(yaml.safe_dump(_MINE | changes), encoding="utf-8")
    terminal.wait_for(PROMPT)
    terminal.type("snakemake --configfile mine.yaml")
    time.sleep(_POLL_S)


def main() -> int:
    """Make the captures."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [maker.__name__ for maker in MAKERS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {names}; default: all")
    options = parser.parse_args()
    if not shutil.which("tmux"):
        sys.exit("tmux is not installed; type: apt-get install tmux")
    for maker in MAKERS:
        if options.names and maker.__name__ not in options.names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            terminal = Terminal(Path(folder))
            try:
                for name, text in maker(Path(folder), terminal):
                    (OUT / f"terminal-{name}.txt").write_text(text, encoding="utf-8")
                    print(text)
            finally:
                terminal.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
