"""Finding the user's own programs as a shell would."""

from __future__ import annotations

import shutil
from pathlib import Path


def find_program(name: str) -> str | None:
    """Return where a program lies, or None: a bare name is looked for in PATH, a path is a path.

    A `~` is the home folder; `./` stays, for without it a program here would be looked for in PATH.
    """
    return shutil.which(str(Path(name).expanduser()) if name.startswith("~") else name)
