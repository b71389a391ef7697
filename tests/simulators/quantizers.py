"""Which `llama-quantize` tests can use: the simulated one, and the real one where it is built."""

from __future__ import annotations

import os
import sys
from pathlib import Path

LLAMA_SERVER = "ORKET_LLAMA_SERVER"
SIMULATOR = Path(__file__).with_name("llama_quantize.py")


def simulated(folder: Path) -> Path:
    """Return the simulator as a program of its own in a folder."""
    program = folder / "llama-quantize"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{SIMULATOR}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program


def real() -> Path | None:
    """Return the real program, which lies next to the server that `ORKET_LLAMA_SERVER` names."""
    server = os.environ.get(LLAMA_SERVER)
    program = Path(server).resolve().with_name("llama-quantize") if server else None
    return program if program and program.is_file() else None
