"""Stale views: results of another config must not count as current.

The settings that views depend on are in files that the workflow renders. If such a file differs
from the config, it and its dependents have to be remade. Snakemake notices that from its records,
unless they are lost (`.snakemake/` deleted) or ignored (`--rerun-triggers mtime`). It always
notices a missing file, so stale files are deleted.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from orket_lib.vocabulary.errors import Refused

_LOCKS = Path(".snakemake/locks")
_SHORTEST = len("--to")  # abbreviation of `--touch` that Snakemake accepts
# Commands that only show something or repair `.snakemake/`; they must not delete views.
_NO_JOBS = re.compile(
    r"--(lint|list|summary|detailed-summary|dag|rulegraph|filegraph|d3dag|unlock|report|cleanup"
    r"|archive|print|help|version)|-[lSDhv]$"
)


def outdated(rendered: Mapping[str, Callable[[], str]]) -> list[Path]:
    """Return the existing files whose content differs from the config.

    Args:
        rendered: Functions that make the expected content, by path; called for existing files only.
    """
    return [
        path
        for path, text in ((Path(name), text) for name, text in rendered.items())
        if path.is_file() and path.read_text(encoding="utf-8").strip() != text().strip()
    ]


def delete_stale(files: Iterable[Path], locks: Path = _LOCKS) -> None:
    """Delete rendered files, unless another Snakemake process runs here and may read them.

    Args:
        files: Stale files.
        locks: Folder in which a running Snakemake keeps its locks.
    """
    if not _any_in(locks):
        for path in files:
            path.unlink(missing_ok=True)


def date_back(results: Path, locks: Path = _LOCKS) -> None:
    """Give files from the future the present time: the clock was set back since they were made.

    Snakemake refuses what is made from them until the clock has caught up.

    Args:
        results: Folder of a sweep's files.
        locks: As for `delete_stale`.
    """
    now_s = time.time()
    for path in () if _any_in(locks) else results.rglob("*"):
        with suppress(OSError):
            if path.stat().st_mtime > now_s:
                os.utime(path)


def _any_in(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def runs_no_jobs(arguments: Iterable[str]) -> bool:
    """Tell whether a Snakemake command runs no jobs.

    Args:
        arguments: Of the command.
    """
    return any(map(_NO_JOBS.match, arguments))


def refuse_touch(arguments: Iterable[str]) -> None:
    """Refuse `--touch`, which would mark stale and incomplete files as current.

    Args:
        arguments: Of the Snakemake command.

    Raises:
        Refused: Says what to do instead.
    """
    for word in arguments:
        if word == "-t" or (len(word) >= _SHORTEST and "--touch".startswith(word)):
            raise Refused(
                f"{word} would mark results of another config as current; run the same command "
                "without it, which remakes stale files in seconds and measures nothing again"
            )
