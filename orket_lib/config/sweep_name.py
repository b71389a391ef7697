"""The name of a sweep: by default that of its last config file.

A name inside the file would be copied along with the file, and both sweeps would then write to the
same folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orket_lib.config.loading.files import Source
from orket_lib.config.loading.messages import got
from orket_lib.config.shipped import shipped
from orket_lib.vocabulary.slugs import slug

KEY = "sweep"


def name_sweep(sources: Sequence[Source]) -> tuple[object, list[str]]:
    """Return the name of a sweep, or None if nothing names it, and a line per misplaced name.

    Args:
        sources: Config files, then the command line.
    """
    given = [source.settings[KEY] for source in sources if not source.file and _names(source)]
    if given:
        return given[-1], []
    files = [source for source in sources if source.file]
    if not files:
        return None, []
    last = files[-1]
    stem = Path(_file_name(last)).stem
    name = slug(stem)
    if _is_shipped(last):
        name = last.settings[KEY] if _names(last) else "reference"
    return name, [
        f"{KEY}: must be `{name}`, the name of the last config file, or be left out; to use "
        f"another name, pass --config {KEY}=NAME ({got(text)} in {_file_name(source)})"
        for source in files
        if _names(source) and not _is_shipped(source)
        if (text := str(source.settings[KEY])) not in (name, stem)
    ]


def _names(source: Source) -> bool:
    return source.settings.get(KEY) is not None


def _file_name(source: Source) -> str:
    return source.file.name if source.file else ""


def _is_shipped(source: Source) -> bool:
    """Tell whether a source is the shipped reference config, whatever its path."""
    try:
        return source.file is not None and source.file.samefile(
            shipped() / "config" / "config.yaml"
        )
    except OSError:
        return False
