"""One use of the workflow: by itself, or as a module of another workflow.

As a module it gets its config from the `module:` statement, its rules may be renamed
(`use rule * from orket as orket_*`), and its outputs may get a folder as prefix (`prefix:`).
Snakemake applies this to the rules; our own code has to apply it to the paths and names that it
uses.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from orket_lib.vocabulary.errors import ConfigError

_EXECUTORS = ("--workflow-profile", "--profile", "--executor")


class Invocation:
    """Config, rule names and paths of one use of the workflow.

    Args:
        workflow: Snakemake's `workflow`, while it reads these rules.
        config: Snakemake's `config`.

    Raises:
        ConfigError: A module doesn't name its sweep, or its prefix has blanks.
    """

    def __init__(self, workflow: Any, config: Mapping[str, Any]) -> None:
        self._modifier = workflow.modifier
        self.files: Sequence[str] = ()
        self.settings = dict(config)
        if not self._modifier.skip_configfile:
            # Files and command line separately: after Snakemake's merge, `canary_runs` could not
            # win over `canary: {runs}`.
            self.files = workflow.configfiles
            self.settings = workflow.config_settings.config
        elif "sweep" not in config:
            raise ConfigError(
                ["sweep: must be set in the config of a `module:`, which has no file name"]
            )
        prefix = self.path("")
        if any(map(str.isspace, prefix)):
            raise ConfigError([f"prefix: must not contain blanks (got {prefix})"])
        self.options = _options(workflow)
        self.is_main = workflow.is_main_process

    def rule(self, name: str) -> str:
        """Return the name of a rule in the outer workflow."""
        return str(self._modifier.modify_rulename(name))

    def path(self, path: str) -> str:
        """Return the path of an output in the outer workflow."""
        return str(self._modifier.path_modifier.replace_prefix(path))


def _options(workflow: Any) -> list[str]:
    """Return the options of the user's Snakemake command that a rerun needs."""
    elsewhere = workflow.overwrite_workdir
    here = Path.cwd()
    words = []
    if elsewhere or Path(workflow.main_snakefile) != here / "Snakefile":
        words += ["-s", str(workflow.main_snakefile)]
    if elsewhere:
        words += ["-d", str(here)]
    files, settings = workflow.config_settings.configfiles, workflow.config_settings.config
    if files:
        words += ["--configfile", *(_as_typed(Path(file), here, elsewhere) for file in files)]
    if settings:
        words += ["--config", *(f"{key}={value}" for key, value in settings.items())]
    return words + where_jobs_run(sys.argv)


def where_jobs_run(typed: Sequence[str]) -> list[str]:
    """Return the options that choose an executor, which Snakemake itself doesn't keep."""
    words = [part for word in typed for part in word.split("=", 1)]
    return [part for pair in pairwise(words) if pair[0] in _EXECUTORS for part in pair]


def _as_typed(path: Path, here: Path, elsewhere: object) -> str:
    """Return a path as the user wrote it, because Snakemake makes paths absolute."""
    inside = path.is_relative_to(here) and not elsewhere
    return path.relative_to(here).as_posix() if inside else str(path)
