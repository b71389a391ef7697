"""How the workflow is used: by itself, or as a module of another one.

As a module, its config is what the `module:` statement gives it, its rules may have other names
(`use rule * from orket as orket_*`), and its products may lie below another folder (`prefix:`).
Snakemake changes what the rules say; what we look at ourselves, we have to change the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from orket_lib.vocabulary.errors import ConfigError


class Embedding:
    """Where config, rules and files of one use of the workflow are.

    Args:
        workflow: Snakemake's, while it reads our rules: afterwards it is in the outer workflow.
        config: What Snakemake calls `config` then.

    Raises:
        ConfigError: A module without a name for its sweep, or below a folder that no rule can name.
    """

    def __init__(self, workflow: Any, config: Mapping[str, Any]) -> None:
        self._modifier = workflow.modifier
        self.files: Sequence[str] = ()
        self.settings = dict(config)
        if not self._modifier.skip_configfile:
            # Files and command line, not their merge: only so does `canary_runs` win over
            # `canary: {runs}`.
            self.files = workflow.configfiles
            self.settings = workflow.config_settings.config
        elif "sweep" not in config:
            raise ConfigError(
                ["sweep: must be named: the config of a `module:` has no file to be named after"]
            )
        prefix = self.path("")
        if any(map(str.isspace, prefix)):
            raise ConfigError([f"prefix: must hold no blanks (got {prefix})"])
        self.options = _options(workflow)

    def rule(self, name: str) -> str:
        """Return what a rule of ours is called."""
        return str(self._modifier.modify_rulename(name))

    def path(self, path: str) -> str:
        """Return where a product of ours lies."""
        return str(self._modifier.path_modifier.replace_prefix(path))


def _options(workflow: Any) -> list[str]:
    """Return the options of the user's own call that another one needs, too."""
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
    return words


def _as_typed(path: Path, here: Path, elsewhere: object) -> str:
    """Return a path as the user named it; Snakemake makes paths absolute."""
    inside = path.is_relative_to(here) and not elsewhere
    return path.relative_to(here).as_posix() if inside else str(path)
