"""Finding programs as a shell does."""

from __future__ import annotations

import os
import shutil


def find_program(name: str) -> str | None:
    """Return the path of a program, or None; a bare name is looked up in PATH.

    A `~` is the home folder; a leading `./` is kept, because without it the name would be looked up
    in PATH.
    """
    return shutil.which(os.path.expanduser(name))  # noqa: PTH111 - keeps the `./`
