"""Environment of the workflow's jobs: interpreter, parent Snakemake, command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from orket_lib.config.shipped import workflow_file
from orket_lib.processes.snakemake_watchdog import announce_snakemake
from orket_lib.vocabulary.shell import shell_line
from orket_lib.workflow.invocation import Invocation

_COMMAND = "ORKET_COMMAND"
_ELSEWHERE = "ORKET_BATCH_JOB"
_RULES = "ORKET_RULES"
_SNAKEMAKE = "ORKET_SNAKEMAKE_COMMAND"


def prepare_environment(invocation: Invocation) -> None:
    """Set the environment variables of jobs.

    `python` becomes the interpreter that runs Snakemake, even without an activated environment.
    Jobs can end when Snakemake ends, and messages can repeat the command that you typed.

    Args:
        invocation: Of the workflow.
    """
    here = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", "")])
    announce_snakemake()
    if invocation.is_main:
        os.environ[_COMMAND] = shell_line(invocation.options)
        os.environ.pop(_ELSEWHERE, None)
    else:  # of a single job, which knows nothing of what was typed
        os.environ.setdefault(_COMMAND, shell_line(invocation.options))
        os.environ[_ELSEWHERE] = "1"
    os.environ[_RULES] = invocation.rule("*")


def in_batch_job() -> bool:
    """Tell whether this is a job of a batch system, perhaps on another machine than its sweep."""
    return _ELSEWHERE in os.environ


def name_snakemake() -> None:
    """Let these messages name our Snakemake in full if a shell doesn't find it by name."""
    if shutil.which("snakemake") is None:
        os.environ[_SNAKEMAKE] = shell_line([sys.executable, "-m", "snakemake"])


def run_snakemake(arguments: Sequence[str]) -> int:
    """Become Snakemake with the Snakefile of the current folder, or else with ours.

    Args:
        arguments: Of Snakemake, targets first.
    """
    return become_snakemake([*elsewhere(), *arguments])


def become_snakemake(arguments: Sequence[str]) -> int:
    """Become Snakemake, or return its exit code where a process can't be replaced.

    Args:
        arguments: Of Snakemake.
    """
    name_snakemake()
    command = [sys.executable, "-m", "snakemake", *arguments]
    if os.name != "nt":
        os.execv(command[0], command)  # signals then reach Snakemake itself
    return subprocess.call(command)


def typed_snakemake(arguments: Sequence[str]) -> str:
    """Return what `run_snakemake` runs, as a user types it."""
    return f"{_snakemake()} {shell_line([*elsewhere(), *arguments])}"


def elsewhere() -> list[str]:
    """Return the option that names our Snakefile, unless it is in the current folder."""
    return [] if Path("Snakefile").is_file() else ["-s", str(workflow_file())]


def again_command(path: Path) -> str:
    """Return the user's Snakemake command with the options that remake one file."""
    return f"{_snakemake()} {path.as_posix()} {os.environ.get(_COMMAND, '')} -f".replace("  ", " ")


def command_with(setting: str) -> str:
    """Return the user's Snakemake command with one more setting of the config.

    Args:
        setting: As after `--config`, such as `again=probes`.
    """
    typed, added = f" {os.environ.get(_COMMAND, '')} ", f" --config {setting} "
    if " --config " in typed:  # a second `--config` would replace the first
        typed, added = typed.replace(" --config ", added, 1), ""
    return " ".join(f"{_snakemake()} {typed} {added}".split())


def rerun_command(rules: Iterable[str]) -> str:
    """Return the user's Snakemake command with the options that rerun some rules."""
    names = [os.environ.get(_RULES, "*").replace("*", rule) for rule in rules]
    return " ".join([_snakemake(), "-R", *names, os.environ.get(_COMMAND, "")]).rstrip()


def _snakemake() -> str:
    return os.environ.get(_SNAKEMAKE, "snakemake")
