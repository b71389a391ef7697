"""Digests of the code that makes a view.

Snakemake doesn't notice a changed library. So rules that make views have a parameter with the
digest of the sources that their command imports: an upgrade remakes what it changes, while a change
of the report's template remakes no row. Measurements have no such parameter, so an
upgrade doesn't repeat them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import orket_lib

_ROOT = Path(orket_lib.__file__).parent
# These don't affect the content of a view.
_NOT_FOLLOWED = ("orket_lib.workflow", "orket_lib.cli")
_IMPORT = re.compile(
    r"^[ \t]*(?:from|import)[ \t]+(orket_lib[\w.]*)(?:[ \t]+import[ \t]+(\([^)]*\)|[^\n]*))?",
    re.MULTILINE,
)
_COMMENT = re.compile(r"#[^\n]*")


@cache
def code_digest(command: str) -> str:
    """Return the SHA-256 of the sources that a command uses, whatever their line endings.

    Args:
        command: Such as `row` or `kpi-gate`.
    """
    digest = hashlib.sha256()
    (start,) = (_ROOT / "commands").rglob(f"{command.replace('-', '_')}.py")
    for path in sorted(_used_by(start)):
        digest.update(path.relative_to(_ROOT).as_posix().encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def _used_by(start: Path) -> set[Path]:
    """Return a module's file and those of all orket_lib modules that it imports, transitively."""
    found: set[Path] = set()
    pending = [start]
    while pending:
        path = pending.pop()
        if path in found:
            continue
        found.add(path)
        found |= set(path.parent.glob("templates/*.j2"))
        followed = (name for name in _imported(path) if not name.startswith(_NOT_FOLLOWED))
        pending += [file for name in followed if (file := _file_of(name))]
    return found


@cache
def _imported(path: Path) -> tuple[str, ...]:
    """Return the orket_lib modules that a file imports, also inside functions."""
    return tuple(imports_of(path.read_text(encoding="utf-8")))


def imports_of(source: str) -> Iterator[str]:
    """Yield the orket_lib imports of a source, as `module` and as `module.name`.

    A regular expression, because every start of Snakemake reads some 300 files, and parsing them
    would double the start-up time.
    """
    for module, names in _IMPORT.findall(source):
        yield module
        listed = _COMMENT.sub("", names).strip("() \t\n").split(",")
        yield from (f"{module}.{name.split()[0]}" for name in listed if name.strip())


def _file_of(module: str) -> Path | None:
    """Return the file of an orket_lib module; None for anything else."""
    package, _, rest = module.partition(".")
    if package != "orket_lib" or not rest:
        return None
    path = _ROOT.joinpath(*rest.split(".")).with_suffix(".py")
    return path if path.is_file() else None
