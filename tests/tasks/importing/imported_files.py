"""Files to import, written and read by tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orket_lib.tasks.bank import TaskBank
from orket_lib.tasks.importing.import_bank import Imported, import_bank
from orket_lib.tasks.importing.recognise import ImportOptions
from orket_lib.vocabulary.errors import ArtifactError


def imported(
    folder: Path, text: str | bytes, name: str = "table.jsonl", **options: Any
) -> Imported:
    """Return what an import of a file with this content gives."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_bank(path, "mine", ImportOptions(**options))


def read(folder: Path, text: str | bytes, name: str = "table.jsonl", **options: Any) -> TaskBank:
    """Return the bank of a file with this content."""
    return imported(folder, text, name, **options).bank


def refusal(
    folder: Path, text: str | bytes, name: str = "table.jsonl", **options: Any
) -> list[str]:
    """Return what a failing import says: the words after the path, then the mistakes."""
    with pytest.raises(ArtifactError) as caught:
        read(folder, text, name, **options)
    first, *lines = str(caught.value).splitlines()
    head = first.removeprefix(f"{folder / name}: ")
    return [head, *(line.strip() for line in lines)]


def jsonl(*rows: Any) -> str:
    """Return rows as JSONL."""
    return "".join(json.dumps(row) + "\n" for row in rows)
