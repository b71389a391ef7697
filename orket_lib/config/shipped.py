"""What comes with the package: workflow, task banks, policies, profiles, the reference model.

In a checkout it is next to the package, in an installed wheel inside it. A config names such files
as if it stood among them (`config/task_banks/mixed.json`), wherever the sweep is run from.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_WORKFLOW = "Snakefile"


@cache
def shipped() -> Path:
    """Return the folder that holds the Snakefile and everything that comes with it."""
    checkout = _PACKAGE.parent
    return checkout if (checkout / _WORKFLOW).is_file() else _PACKAGE / "shipped"


def workflow_file() -> Path:
    """Return the Snakefile: what `snakemake -s` and `module:` take."""
    return shipped() / _WORKFLOW


def located(path: str | Path) -> Path:
    """Return where a file lies that a config names: in the working folder, or else with us.

    One that is in neither is returned as it was named, so that messages quote the config.
    """
    named = Path(path).expanduser()
    ours = shipped() / named
    return ours if not named.exists() and ours.exists() else named
