"""Views of another config are never taken for current.

What a view depends on besides measurements is written into files that the workflow renders. One
that is not what the config says now has to be written again, and what follows from it. Snakemake
sees that from its record of how the file was made, unless the record is lost (`.snakemake/`
deleted) or isn't looked at (`--rerun-triggers mtime`). That a file is missing, it always sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from orket_lib.vocabulary.errors import Refused

_SHORTEST = len("--to")  # of `--touch`, that Snakemake takes
# Calls that only look, or put something right in `.snakemake/`: they delete nothing of a sweep.
_LOOKING = (
    *("--lint", "--list", "--summary", "--detailed-summary", "--dag", "--rulegraph", "--filegraph"),
    *(
        "--d3dag",
        "--unlock",
        "--report",
        "--cleanup",
        "--archive",
        "--print",
        "--help",
        "--version",
    ),
)
_LOOKING_SHORT = {"-l", "-S", "-D", "-h", "-v"}


def outdated(rendered: Mapping[str, Callable[[], str]]) -> list[Path]:
    """Return the files that are there and are not what the config says now.

    Args:
        rendered: What makes the content that each file must have, by path; called only for files
            that are there.
    """
    return [
        path
        for path, text in ((Path(name), text) for name, text in rendered.items())
        if path.is_file() and path.read_text(encoding="utf-8").strip() != text().strip()
    ]


def drop(files: Iterable[Path], locks: Path = Path(".snakemake/locks")) -> None:
    """Delete rendered files, unless another Snakemake is at work here, which may read them.

    Args:
        files: That are to be written again.
        locks: Where Snakemake keeps its own locks, as long as it runs.
    """
    if not locks.is_dir() or not any(locks.iterdir()):
        for path in files:
            path.unlink(missing_ok=True)


def only_looks(arguments: Iterable[str]) -> bool:
    """Tell whether a call of Snakemake runs nothing.

    Args:
        arguments: Of the call.
    """
    return any(word in _LOOKING_SHORT or word.startswith(_LOOKING) for word in arguments)


def refuse_touch(arguments: Iterable[str]) -> None:
    """Refuse `--touch`, which calls current whatever lies there, also what a killed run left.

    Args:
        arguments: Of this call of Snakemake.

    Raises:
        Refused: Saying what to do instead.
    """
    for word in arguments:
        if word == "-t" or (len(word) >= _SHORTEST and "--touch".startswith(word)):
            raise Refused(
                f"{word} would call results current that may be of another config; type the same "
                "command without it: it remakes what is old in seconds, and measures nothing again"
            )
