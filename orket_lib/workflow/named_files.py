"""Targets that a sweep doesn't make, found before any rule is asked for them.

A file of an earlier config may lie below results/, and be named as a target. Snakemake would ask
its rule for a cell, or a sidecar, that the config no longer has, and end with a traceback; or it
would take the file for one that nothing makes, and call it current.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from itertools import pairwise
from pathlib import PurePosixPath

from orket_lib.vocabulary.errors import Refused

_FOLDERS = ("canary", "cells", "context_sweep", "fidelity", "policy", "quant_sweep", "thermal")
# These name a file that Snakemake itself is to write.
_WRITING = ("--report", "--archive", "--generate-unit-tests")


def refuse_unknown_files(arguments: Sequence[str], results: str, products: Collection[str]) -> None:
    """Refuse a call that names a file which the sweep doesn't make.

    Args:
        arguments: Of this call of Snakemake.
        results: Folder of the sweep's views.
        products: Paths of all files that the sweep makes.

    Raises:
        Refused: Naming the file, and one that is made and has a similar name.
    """
    folders = [f"{results}/{name}" for name in _FOLDERS]
    for option, argument in pairwise(("", *arguments)):
        path = PurePosixPath(argument.replace("\\", "/"))
        below = path.suffix and any(map(path.is_relative_to, folders))
        if below and path.as_posix() not in products and not option.startswith(_WRITING):
            similar = get_close_matches(path.as_posix(), products, n=1, cutoff=0)
            raise Refused(
                f"{argument}: this sweep makes no such file; it makes, for example, {similar[0]}"
            )
