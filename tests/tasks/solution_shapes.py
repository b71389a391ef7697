"""What code is like once names and constants are taken out: two tasks of one shape are one task."""

from __future__ import annotations

import ast
from collections.abc import Mapping


def shape(sources: Mapping[str, str]) -> str:
    """Return the shape of a program's files; their order and names don't count.

    Type annotations are left out: to write them or not is no difference between two ideas.
    """
    return "\n".join(sorted(_dumped(text) for text in sources.values()))


def _dumped(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for field, value in ast.iter_fields(node):
            if isinstance(node, ast.Constant) or field in ("annotation", "returns"):
                setattr(node, field, None)
            elif isinstance(value, str):
                setattr(node, field, "_")
            elif isinstance(value, list) and all(isinstance(item, str) for item in value):
                setattr(node, field, ["_"] * len(value))
    return ast.dump(tree)
