"""What the workflow tells its jobs through the environment: interpreter, owner, own command."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from orket_lib.processes.snakemake_watchdog import announce_snakemake
from orket_lib.workflow.embedding import Embedding

_COMMAND = "ORKET_COMMAND"
_RULES = "ORKET_RULES"


def prepare_environment(embedding: Embedding) -> None:
    """Set up what jobs need to know.

    `python` becomes the interpreter that runs Snakemake, also where no environment is activated;
    jobs learn whom they must not outlive; and messages can name the command that a user has typed.

    Args:
        embedding: How the workflow is used.
    """
    here = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", "")])
    announce_snakemake()
    quote = subprocess.list2cmdline if os.name == "nt" else shlex.join
    os.environ[_COMMAND] = quote(embedding.options)
    os.environ[_RULES] = embedding.rule("*")


def again_command(path: Path) -> str:
    """Return the user's own call of Snakemake, told to make one file again."""
    return f"snakemake {path.as_posix()} {os.environ.get(_COMMAND, '')} -f".replace("  ", " ")


def rerun_command(rules: Iterable[str]) -> str:
    """Return the user's own call of Snakemake, told to run some rules of ours in any case."""
    names = [os.environ.get(_RULES, "*").replace("*", rule) for rule in rules]
    return " ".join(["snakemake", "-R", *names, os.environ.get(_COMMAND, "")]).rstrip()
