"""Views that Snakemake has forgotten the making of are not trusted.

Without its metadata (`.snakemake/` lost) Snakemake takes every file that exists for current,
whatever the config says by now. Measurements are safe, their paths tell what they are; views are
remade.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from orket_lib.vocabulary.errors import Refused
from orket_lib.workflow.embedding import Embedding

REPAIR = ("write_plan", "write_policy", "write_spec", "write_canary_spec", "write_sidecar_spec")


def refuse_forgotten_views(
    policies: Mapping[str, Callable[[], str]], arguments: Collection[str], embedding: Embedding
) -> None:
    """Refuse to go on over views of another config that Snakemake can't know to be old.

    What a view depends on beside measurements is written into policy files. One that is not what
    the config says now has to be written again, which Snakemake sees from its record of that file;
    everything after it follows. Without the record, it sees nothing.

    Args:
        policies: What makes the content that each policy file must have, by path; called only for
            files without a record.
        arguments: Of this call of Snakemake, which itself doesn't know yet, when it reads the
            workflow, which rules it was told to run in any case.
        embedding: What our rules are called, and where our products lie.

    Raises:
        Refused: Naming the rules that make it good.
    """
    forgotten = [
        path
        for path, text in ((embedding.path(path), text) for path, text in policies.items())
        if Path(path).is_file()
        and not _record(path).is_file()
        and Path(path).read_text(encoding="utf-8").strip() != text().strip()
    ]
    if forgotten and not set(map(embedding.rule, REPAIR)) <= set(arguments):
        raise Refused(
            f"{', '.join(forgotten)} is of another config, and Snakemake's record of how it was "
            "made (.snakemake/) is lost, so it would take old results for current; remaking them "
            "takes seconds and measures nothing",
            rerun=REPAIR,
        )


def _record(path: str) -> Path:
    """Return where Snakemake's file backend keeps its record of a file."""
    return Path(".snakemake/metadata") / urlsafe_b64encode(path.encode()).decode()
