"""File names that a model wrote: what leads anywhere but into the folder is refused."""

from __future__ import annotations

import pytest

from orket_lib.sandbox.file_names import RefusedName, check_file_names
from orket_lib.sandbox.jobs import CallJob, Outcome, Program, Sandbox


@pytest.mark.parametrize(
    "names",
    [
        ["main.py"],
        ["a.py", "b.py", "pkg/__init__.py", "pkg/a.py"],
        ["with blank.txt", "ü.py", ".hidden", "a..b", "...x"],
        ["a/b/c/d/e/f/g/h.txt"],
        ["/".join(["x" * 49] * 3), "ü" * 75],
        ["console.py", "com.py", "nully"],
        [],
    ],
)
def test_plain_relative_names_are_taken(names: list[str]) -> None:
    check_file_names(names)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "/etc/passwd",
        "/",
        "../up.py",
        "a/../../up.py",
        "a/..",
        "./a.py",
        "a//b.py",
        "a/",
        "a\0b",
        "a\nb",
        "a\x1b[31mb",
        "a\u202eyp.exe",
        "\ud800",
        "C:\\x",
        "c:x",
        "a\\b.py",
        "..\\up.py",
        "\\\\host\\share",
        "a*b",
        "a?b",
        "a|b",
        "con",
        "NUL.txt",
        "com1",
        "folder/aux.py",
        "name.",
        " name",
        "name ",
        "x" * 151,
        "€" * 51,
        "/".join(["x" * 50] * 3),
        "/".join("abcdefghi"),
    ],
    ids=repr,
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(RefusedName) as error:
        check_file_names([name])
    assert repr(name) in str(error.value)


@pytest.mark.parametrize(
    "names", [["a", "a/b"], ["a/b", "a"], ["A.py", "a.py"], ["a/x", "A"], ["ß", "SS"]]
)
def test_names_that_need_one_place_are_refused(names: list[str]) -> None:
    with pytest.raises(RefusedName, match="another file is in its place"):
        check_file_names(names)


def test_no_job_holds_such_a_name() -> None:
    with pytest.raises(RefusedName):
        Program(("python", "main.py"), {"../x": b""})
    with pytest.raises(RefusedName):
        CallJob("", "f", (), {"/x": b""})


def test_names_that_are_taken_are_written_as_they_are(sandbox: Sandbox) -> None:
    files = {"ü b.txt": b"one", "a/b/c.txt": b"two", ".x": b"three"}
    source = """
import os
for folder, _, names in sorted(os.walk(".")):
    for name in sorted(names):
        path = os.path.join(folder, name)
        print(path, os.path.islink(path), open(path).read())
"""
    result = sandbox.run(Program(("python", "-c", source), files))
    assert result.ending.outcome is Outcome.EXITED
    assert result.stdout.decode().splitlines() == [
        "./.x False three",
        "./ü b.txt False one",
        "./a/b/c.txt False two",
    ]
