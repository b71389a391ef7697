from __future__ import annotations

import random
import re
from itertools import product
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from orket_lib.vocabulary.slugs import LONGEST, slug, slugs

# Letters that matter to file systems, to Unicode, or to the slug itself.
ALPHABET = 'aAb1._-:/ \\*?"<>|\0\n~$%äÄßé日👍ıK\u0301\u202e'
WINDOWS_DEVICES = ("CON", "prn", "Aux", "nul", "COM1", "com0", "LPT9", "lpt1")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("orket-nano", "orket-nano"),
        ("qwen2.5-coder:7b", "qwen2.5-coder_7b"),
        ("org/model name", "org_model_name"),
        (
            "hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF",
            "hf.co_bartowski_Llama-3.2-1B-Instruct-GGUF",
        ),
        ("console", "console"),
        ("-model", "-model"),
        ("_", "_"),
    ],
)
def test_what_can_be_read_stays_as_it_is(name: str, expected: str) -> None:
    assert slug(name) == expected


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("Modell-ä", "Modell-_"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("Lpt1", "_Lpt1"),
        ("nul.", "_nul."),
        ("name.", "name."),
        (".hidden", "hidden"),
        ("../../etc", "_.._etc"),
        ("..", "_"),
        ("", "_"),
        ("x" * 300, "x" * (LONGEST - 9)),
    ],
)
def test_what_has_to_change_gets_a_hash(name: str, readable: str) -> None:
    kept, _, digest = slug(name).rpartition("-")
    assert kept == readable
    assert re.fullmatch(r"[0-9a-f]{8}", digest)


def random_names(seed: int, count: int) -> list[str]:
    source = random.Random(seed)

    def one() -> str:
        length = source.choice((0, 1, 2, 3, 5, 8, 30, 63, 64, 65, 200))
        name = "".join(source.choices(ALPHABET, k=length))
        return source.choice((name, name, source.choice(WINDOWS_DEVICES) + name[:2]))

    return [one() for _ in range(count)]


NAMES = sorted({*random_names(1, 4000), *WINDOWS_DEVICES})


def test_a_slug_is_one_path_component_on_every_system() -> None:
    for name in NAMES:
        result = slug(name)
        assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", result), repr(name)
        assert len(result) <= LONGEST
        assert not result.endswith(".")
        assert not PureWindowsPath(result).is_reserved(), repr(name)
        for path in (PurePosixPath("base") / result, PureWindowsPath("base") / result):
            assert path.parent.name == "base"


def test_a_slug_can_really_be_a_folder(tmp_path: Path) -> None:
    for name in NAMES[::20]:
        (tmp_path / slug(name)).mkdir(exist_ok=True)
    assert {path.name for path in tmp_path.iterdir()} == {slug(name) for name in NAMES[::20]}


def test_a_slug_of_a_slug_is_itself() -> None:
    for name in NAMES:
        assert slug(slug(name)) == slug(name)


def test_names_share_a_slug_only_where_separators_differ() -> None:
    by_slug: dict[str, set[str]] = {}
    for name in NAMES:
        by_slug.setdefault(slug(name), set()).add(re.sub(r"[:/ ]", "_", name))
    assert len(by_slug) > 2000
    shared = {found: names for found, names in by_slug.items() if len(names) > 1}
    assert shared == {}


def test_names_of_one_config_get_folders_of_their_own_on_windows_too() -> None:
    source = random.Random(2)
    separated = ["".join(parts) for parts in product("ab", ":/ _.", "ab", (":x", "/X", "_x"))]
    for _ in range(200):
        names = source.sample(separated + NAMES, 40)
        folders = slugs(names)
        assert list(folders) == names
        assert len({folder.lower() for folder in folders.values()}) == len(names)
        assert all(slug(folder) == folder for folder in folders.values())


def test_only_those_that_would_share_a_folder_get_a_hash_whatever_their_order() -> None:
    names = ["a:b", "a/b", "Nano", "nano", "other:1b"]
    folders = slugs(names)
    assert folders["other:1b"] == "other_1b"
    assert re.fullmatch(r"a_b-[0-9a-f]{8}", folders["a:b"])
    assert re.fullmatch(r"Nano-[0-9a-f]{8}", folders["Nano"])
    assert slugs(reversed(names)) == folders
