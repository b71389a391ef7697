from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath

import pytest

from orket_lib.vocabulary.slugs import slug


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("orket-nano", "orket-nano"),
        ("qwen2.5-coder:7b", "qwen2.5-coder_7b"),
        ("org/model name", "org_model_name"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("Lpt1", "_Lpt1"),
        ("nul.", "_nul"),
        ("console", "console"),
        ("..", "_"),
        (".", "_"),
        ("", "_"),
        ("../../etc", "_.._etc"),
        ("name.", "name"),
        ("Modell-ä", "Modell-_"),
    ],
)
def test_a_slug_is_one_path_component_on_every_system(name: str, expected: str) -> None:
    assert slug(name) == expected


@pytest.mark.parametrize(
    "name", ["..", "../x", "a/b", "a\\b", "C:\\x", "COM1", "aux.gguf", "a\0b", " ", "x. ", "a\nb"]
)
def test_no_name_leaves_its_folder(name: str) -> None:
    result = slug(name)
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", result)
    assert not result.endswith(".")
    for path in (PurePosixPath("base") / result, PureWindowsPath("base") / result):
        assert path.parent.name == "base"
        assert ".." not in path.parts


def test_a_slug_of_a_slug_is_itself() -> None:
    for name in ("qwen2.5-coder:7b", "CON", "..", "a b"):
        assert slug(slug(name)) == slug(name)
