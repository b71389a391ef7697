"""Rules call `python`: make that the interpreter that runs Snakemake."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def use_this_interpreter() -> None:
    """Put this interpreter's folder first on PATH, also where no environment is activated."""
    here = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", "")])
