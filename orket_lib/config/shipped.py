"""Files that come with the package: workflow, task banks, policies, profiles, reference model.

In a checkout they are next to the package, in an installed wheel inside it. A config names them by
the same relative paths (`config/task_banks/mixed.json`) in any working folder.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from orket_lib.vocabulary.errors import ConfigError

_QUOTED = 80  # characters of a name that can't be looked for

_PACKAGE = Path(__file__).parents[1]


@cache
def shipped() -> Path:
    """Return the folder with the Snakefile and the other shipped files."""
    checkout = _PACKAGE.parent
    return checkout if (checkout / "Snakefile").is_file() else _PACKAGE / "shipped"


def workflow_file() -> Path:
    """Return the path of the Snakefile, for `snakemake -s` and `module:`."""
    return shipped() / "Snakefile"


def located(path: str | Path) -> Path:
    """Return the path of a file that a config names: in the working folder or a shipped one.

    If there is neither, the name is returned unchanged, so that messages quote the config.

    Raises:
        ConfigError: The system can't look for it, for example because the name is too long.
    """
    named = Path(os.path.expanduser(path))  # noqa: PTH111 - keeps the `~` of an unknown user
    packaged = shipped() / named
    try:
        return packaged if not named.exists() and packaged.exists() else named
    except OSError as error:
        short = f"{str(path)[:_QUOTED]}..." if len(str(path)) > _QUOTED else str(path)
        raise ConfigError([f"{short}: {error.strerror}"]) from None
