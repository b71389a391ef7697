"""What the workflow tells its jobs through the environment: interpreter, owner, own command."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from orket_lib.workflow.lifeline import announce_snakemake

_COMMAND = "ORKET_COMMAND"


def prepare_environment(files: Iterable[str | Path], settings: Mapping[str, Any]) -> None:
    """Set up what jobs need to know.

    `python` becomes the interpreter that runs Snakemake, also where no environment is activated;
    jobs learn whom they must not outlive; and messages can name the command that a user has typed.

    Args:
        files: Config files that the user named.
        settings: Of `--config`.
    """
    here = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", "")])
    announce_snakemake()
    words = ["--configfile", *map(_as_typed, files)] if files else []
    if settings:
        words += ["--config", *(f"{key}={value}" for key, value in settings.items())]
    quote = subprocess.list2cmdline if os.name == "nt" else shlex.join
    os.environ[_COMMAND] = quote(words)


def _as_typed(path: str | Path) -> str:
    """Return a path as the user named it; Snakemake makes paths absolute."""
    with suppress(ValueError):
        return Path(path).relative_to(Path.cwd()).as_posix()
    return str(path)


def again_command(path: Path) -> str:
    """Return the user's own call of Snakemake, told to make one file again."""
    return f"snakemake {path.as_posix()} {os.environ.get(_COMMAND, '')} -f".replace("  ", " ")


def rerun_command(rules: Iterable[str]) -> str:
    """Return the user's own call of Snakemake, told to run some rules in any case."""
    return " ".join(["snakemake", "-R", *rules, os.environ.get(_COMMAND, "")]).rstrip()
