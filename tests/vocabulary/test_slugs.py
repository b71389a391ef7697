from __future__ import annotations

import re
import tempfile
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

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


NAMES = st.one_of(
    st.text(ALPHABET, max_size=8),
    st.text("aB1._-:/ ", max_size=5),
    st.builds(str.__mul__, st.text(ALPHABET, min_size=1, max_size=3), st.integers(20, 70)),
    st.builds(str.__add__, st.sampled_from(WINDOWS_DEVICES), st.text(ALPHABET, max_size=2)),
)
# Names with little to tell them apart.
SIMILAR = st.builds(
    str.format,
    st.just("{}{}{}{}"),
    st.sampled_from("ab"),
    st.sampled_from(":/ _."),
    st.sampled_from("ab"),
    st.sampled_from([":x", "/X", "_x", ""]),
)
SEVERAL = st.lists(NAMES | SIMILAR, unique=True, max_size=20)


@given(NAMES)
@example("name.")
@example("nul.")
@example("CON")
@example("../../etc")
@example("é" * 64)
@example("x" * 65)
def test_a_slug_is_one_path_component_on_every_system(name: str) -> None:
    result = slug(name)
    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", result)
    assert len(result) <= LONGEST
    assert not result.endswith(".")
    assert not PureWindowsPath(result).is_reserved()
    for path in (PurePosixPath("base") / result, PureWindowsPath("base") / result):
        assert path.parent.name == "base"
    assert slug(result) == result


@given(SEVERAL)
def test_a_slug_can_really_be_a_folder(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as base:
        for name in names:
            (Path(base) / slug(name)).mkdir(exist_ok=True)
        assert {path.name for path in Path(base).iterdir()} == {slug(name) for name in names}


@given(SEVERAL)
def test_names_share_a_slug_only_where_separators_differ(names: list[str]) -> None:
    separated = {re.sub(r"[:/ ]", "_", name) for name in names}
    assert len({slug(name) for name in names}) == len(separated)


@given(SEVERAL)
@example(["a:b", "a/b", "A_b", "a_b"])
def test_names_of_one_config_get_folders_of_their_own_on_windows_too(names: list[str]) -> None:
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
