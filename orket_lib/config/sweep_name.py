"""What a sweep is called: what its last config file is called, so that a copy is another sweep.

A name in the file would go along with every copy, and both would write to one folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orket_lib.config.loading.files import Source
from orket_lib.config.loading.messages import got
from orket_lib.config.shipped import shipped
from orket_lib.vocabulary.slugs import slug

KEY = "sweep"
_REFERENCE = "reference"


def name_sweep(sources: Sequence[Source]) -> tuple[object, list[str]]:
    """Return the name of a sweep, None without any source of one, and the names that can't count.

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
        name = last.settings[KEY] if _names(last) else _REFERENCE
    return name, [
        f"{KEY}: must be `{name}`, which is what the last config file is called, or be left out; "
        f"any other name takes --config {KEY}=NAME ({got(text)} in {_file_name(source)})"
        for source in files
        if _names(source) and not _is_shipped(source)
        if (text := str(source.settings[KEY])) not in (name, stem)
    ]


def _names(source: Source) -> bool:
    return source.settings.get(KEY) is not None


def _file_name(source: Source) -> str:
    return source.file.name if source.file else ""


def _is_shipped(source: Source) -> bool:
    """Tell whether a source is the reference sweep's own file, by whatever path it is named."""
    try:
        return source.file is not None and source.file.samefile(
            shipped() / "config" / "config.yaml"
        )
    except OSError:
        return False
