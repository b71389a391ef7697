"""Views that Snakemake has forgotten the making of are not trusted.

Without its metadata (`.snakemake/` lost) Snakemake takes every file that exists for current,
whatever the config says by now. Measurements are safe, their paths tell what they are; views are
remade.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from orket_lib.vocabulary.errors import Refused

REPAIR = ("write_plan", "write_policy")


def refuse_forgotten_views(results: Path, arguments: Collection[str]) -> None:
    """Refuse to go on over views without metadata, unless they are being remade.

    Args:
        results: Folder of the sweep's views.
        arguments: Of this call of Snakemake, which itself doesn't know yet, when it reads the
            workflow, which rules it was told to run in any case.

    Raises:
        Refused: With the command that repairs it.
    """
    metadata = Path(".snakemake/metadata")
    known = metadata.is_dir() and any(metadata.iterdir())
    if known or not (results / "policy").is_dir() or {*REPAIR, "-R"} <= set(arguments):
        return
    raise Refused(
        f"{results.as_posix()} holds views, and Snakemake's record of how they were made "
        "(.snakemake/) is lost, so it could take old ones for current. Remake them, which takes "
        f"seconds and measures nothing:\n  snakemake -R {' '.join(REPAIR)}"
    )
