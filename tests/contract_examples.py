"""Examples of every published artifact, and the frozen ones of each of its minor versions.

    python tests/contract_examples.py

adds a fixture for each artifact that has fields which its newest fixture doesn't have. Fixtures
that are there stay as they are: each is what some version of ours may have written. The first of an
artifact has nothing but what was always required, and every null that it may have.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from orket_lib.artifacts.base import Measured, Record
from orket_lib.artifacts.io import read_json, write_json
from orket_lib.artifacts.schemas import published, version_of

FIXTURES = Path(__file__).parent / "fixtures" / "contracts"
_SIMPLE = {str: "text", int: 1, float: 0.5, bool: True}
_NOW = "2026-11-23T15:04:05.123Z"


def example(model: type[BaseModel], whole: bool) -> dict[str, Any]:
    """Return the content of an artifact.

    Args:
        model: Of the artifact.
        whole: Every field is there and nothing is null; else as little as may be.
    """
    content = {
        field.alias or name: _value_of(name, field, whole)
        for name, field in model.model_fields.items()
        if whole or field.is_required() or name == "schema_version"
    }
    if issubclass(model, Measured):
        nulls = [name for name in model.readings() if content.get(name, 0) is None]
        content["null_reasons"] = dict.fromkeys(nulls, "NOT_MEASURED")
    return content


def _value_of(name: str, field: FieldInfo, whole: bool) -> Any:
    if name.endswith("_at") and (whole or field.annotation is str):
        return _NOW
    if not whole and type(None) in get_args(field.annotation):
        return None
    if field.examples:
        return field.examples[0]
    return _value(field.annotation, whole, field.default)


def _value(kind: Any, whole: bool, default: Any = None) -> Any:
    arguments = get_args(kind)
    origin = get_origin(kind)
    if origin is Literal:
        return default if default in arguments else arguments[0]
    if origin in (Union, types.UnionType):
        return _value(next(one for one in arguments if one is not type(None)), whole, default)
    if origin is tuple:
        items = arguments[:1] if arguments[-1] is Ellipsis else arguments
        return [_value(item, whole) for item in items]
    if origin is dict:
        key = "key" if arguments[0] is str else _value(arguments[0], whole)
        return {key: _value(arguments[1], whole)} if whole else {}
    if origin is not None:  # Annotated
        return _value(arguments[0], whole, default)
    if kind is Any:
        return "anything"
    if issubclass(kind, BaseModel):
        return example(kind, whole)
    if issubclass(kind, Enum):
        return next(iter(kind)).value
    return _SIMPLE[kind]


def fields(value: Any, place: str = "") -> Iterator[str]:
    """Yield the places of all fields in a JSON value; positions in lists don't count."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield f"{place}.{key}"
            yield from fields(part, f"{place}.{key}")
    elif isinstance(value, list):
        for part in value:
            yield from fields(part, place)


def fixtures(model: type[Record]) -> list[Path]:
    """Return the fixtures of an artifact, the oldest first."""
    folder = FIXTURES / version_of(model)
    return sorted(folder.glob("*.json"), key=lambda path: int(path.stem))


def missing_fields(model: type[Record]) -> set[str]:
    """Return the fields that an artifact has today and its newest fixture hasn't."""
    newest = fixtures(model)[-1]
    return set(fields(example(model, whole=True))) - set(fields(read_json(newest)))


def main() -> None:
    """Add what is missing."""
    for model in published():
        folder = FIXTURES / version_of(model)
        if not fixtures(model):
            write_json(folder / "1.json", example(model, whole=False))
        if missing_fields(model):
            newest = int(fixtures(model)[-1].stem)  # numbers may be missing in between
            write_json(folder / f"{newest + 1}.json", example(model, whole=True))


if __name__ == "__main__":
    main()
