"""What the digest of a command's code is made of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import orket_lib
from orket_lib.workflow.code_digest import imports_of

SOURCES = sorted(Path(orket_lib.__file__).parent.rglob("*.py"))


def parsed(source: str) -> set[str]:
    """Return what a source imports of ours, by Python's own grammar."""
    return {name for name in _parsed(source) if name.startswith("orket_lib")}


def _parsed(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_imports_of_every_source_are_those_that_python_sees() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in SOURCES}
    wrong = [path for path, text in texts.items() if set(imports_of(text)) != parsed(text)]
    assert (len(SOURCES) > 100, wrong) == (True, [])


@pytest.mark.parametrize(
    "source",
    [
        "from orket_lib.a import (  # why\n    b,  # one\n    c as d,\n)\n",
        "if TYPE_CHECKING:\n    from orket_lib.a.b import c\n",
        "import orket_lib.a.b\nimport orket_lib\n",
        "from orket_lib import __version__\nfrom json import orket_lib\n",
    ],
)
def test_an_import_may_be_written_in_several_ways(source: str) -> None:
    assert set(imports_of(source)) == parsed(source) != set()
