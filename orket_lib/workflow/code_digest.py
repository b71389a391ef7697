"""A digest of the code that a view is made with.

Snakemake doesn't notice a changed library. Rules that make views carry the digest of the sources
that their command really uses as a parameter, so an upgrade remakes what it changes, and a comment
in the report's template remakes no row. Measurements carry none: no upgrade measures again.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import orket_lib

_ROOT = Path(orket_lib.__file__).parent
# Rooms that ask the machine, or say things; what they do decides nothing in a view.
_NOT_FOLLOWED = ("orket_lib.workflow", "orket_lib.cli")


@cache
def code_digest(command: str) -> str:
    """Return the SHA-256 of the sources that a command uses, independent of line ends.

    Args:
        command: Such as `row` or `kpi-gate`.
    """
    digest = hashlib.sha256()
    for path in sorted(_used_by(f"orket_lib.commands.{command.replace('-', '_')}")):
        digest.update(path.relative_to(_ROOT).as_posix().encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def _used_by(module: str) -> set[Path]:
    """Return the files of a module and of everything of ours that it imports, at any depth."""
    found: set[Path] = set()
    pending = [module]
    while pending:
        name = pending.pop()
        path = _file_of(name)
        if path is None or path in found or name.startswith(_NOT_FOLLOWED):
            continue
        found.add(path)
        pending += _imported(path)
        found |= set(path.parent.glob("templates/*.j2"))
    return found


@cache
def _imported(path: Path) -> tuple[str, ...]:
    """Return the modules of ours that a file imports, in functions, too."""
    return tuple(_imports(ast.parse(path.read_bytes(), str(path))))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file_of(module: str) -> Path | None:
    """Return the file of a module of ours; None for anything else."""
    package, _, rest = module.partition(".")
    if package != "orket_lib" or not rest:
        return None
    path = _ROOT.joinpath(*rest.split(".")).with_suffix(".py")
    return path if path.is_file() else None
