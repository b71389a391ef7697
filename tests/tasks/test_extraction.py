"""How code is taken out of an answer: the rules of docs/reference/tasks.md, one by one."""

from __future__ import annotations

import contextlib
from time import process_time

import pytest

from orket_lib.reading.statements import Unparseable
from orket_lib.tasks.extraction import (
    MAX_BLOCKS,
    blocks_of,
    function_source,
    program_files,
    python_sources,
)

ADD = "def add(a, b):\n    return a + b\n"
OTHER = "def add(a, b):\n    return b + a\n"
USE = "print(add(1, 2))\n"


def fenced(code: str, info: str = "python", fence: str = "```") -> str:
    return f"{fence}{info}\n{code}{fence}\n"


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        pytest.param(fenced(ADD), ADD, id="one block"),
        pytest.param(f"Sure!\n\n{fenced(ADD)}\nIt adds.", ADD, id="prose around it"),
        pytest.param(fenced(ADD, ""), ADD, id="no language"),
        pytest.param(fenced(ADD, "py"), ADD, id="py"),
        pytest.param(fenced(ADD, "Python3"), ADD, id="upper case"),
        pytest.param(fenced(ADD, "python", "~~~"), ADD, id="tildes"),
        pytest.param(
            fenced("x = '''\n```\n'''\n" + ADD, "python", "````"), None, id="longer fence"
        ),
        pytest.param(f"```python\n{ADD}", ADD, id="never closed"),
        pytest.param(f"```python\r\n{ADD}```".replace("\n", "\r\n"), ADD, id="Windows line ends"),
        pytest.param(
            "1. Here:\n   ```python\n   def add(a, b):\n       return a + b\n   ```",
            ADD,
            id="indented in a list",
        ),
        pytest.param(fenced("pip install x\n", "bash") + fenced(ADD), ADD, id="a shell block"),
        pytest.param(fenced(ADD) + fenced(USE), ADD, id="then an example of use"),
        pytest.param(fenced(USE) + fenced(ADD), ADD, id="first an example of use"),
        pytest.param(fenced(OTHER) + "Better:\n" + fenced(ADD), ADD, id="a correction"),
        pytest.param(fenced(ADD) + fenced("add = 3\n", ""), ADD, id="then what it prints"),
        pytest.param(fenced(USE) + fenced(ADD, ""), ADD, id="labelled without, unlabelled with it"),
        pytest.param(fenced("# os.path\n" + ADD), "# os.path\n" + ADD, id="a comment like a name"),
        pytest.param(ADD, ADD, id="no fence"),
        pytest.param(f"<think>{fenced(OTHER)}</think>{fenced(ADD)}", ADD, id="after thoughts"),
        pytest.param(fenced("add = lambda a, b: a + b\n"), "add = lambda a, b: a + b\n", id="="),
        pytest.param(
            fenced("async def add(a): ...\n") + fenced(USE), "async def add(a): ...\n", id="async"
        ),
        pytest.param(fenced("x = 1\n"), "x = 1\n", id="the only block, whatever it defines"),
    ],
)
def test_the_block_that_defines_the_function(answer: str, source: str | None) -> None:
    expected = source if source is not None else "x = '''\n```\n'''\n" + ADD
    assert function_source(answer, "add") == expected


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("", id="nothing"),
        pytest.param("I can't do that.", id="prose"),
        pytest.param("First def add(a, b): return a + b", id="code within prose"),
        pytest.param(f"<think>{ADD}", id="only thoughts"),
        pytest.param(fenced("ls\n", "bash"), id="another language"),
        pytest.param(fenced(USE) + fenced("x = 1\n"), id="two blocks, none defines it"),
        pytest.param(fenced("def adder(): ...\n") + fenced(USE), id="a longer name"),
        pytest.param("`def add(a, b): return a + b`", id="inline code"),
        pytest.param(fenced("x\n") * (MAX_BLOCKS + 1), id="endless blocks"),
    ],
)
def test_an_answer_without_the_function_is_unparseable(answer: str) -> None:
    with pytest.raises(Unparseable):
        function_source(answer, "add")


def named(*pairs: tuple[str, str]) -> str:
    return "\n".join(f"{before}\n{fenced(code)}" for before, code in pairs)


@pytest.mark.parametrize(
    "before",
    [
        "main.py",
        "`main.py`",
        "**main.py**",
        "**`main.py`**:",
        "### main.py",
        "## File: `main.py`",
        "1. `main.py`:",
        "File name: main.py",
        "./main.py",
        "- main.py",
    ],
)
def test_a_line_that_is_a_file_name_names_the_block(before: str) -> None:
    files = program_files(
        named((before, "a\n"), ("pkg/util.py", "b\n")), ["main.py", "pkg/util.py"]
    )
    assert files == {"main.py": "a\n", "pkg/util.py": "b\n"}


@pytest.mark.parametrize(
    "info",
    [
        "python main.py",
        "python:main.py",
        "main.py",
        'python title="main.py"',
        "python filename=main.py",
        "py file='main.py' linenums",
    ],
)
def test_the_fence_may_name_the_block(info: str) -> None:
    answer = fenced("a\n", info) + named(("util.py", "b\n"))
    assert program_files(answer, ["main.py", "util.py"]) == {"main.py": "a\n", "util.py": "b\n"}


@pytest.mark.parametrize("comment", ["# main.py", "#main.py", "# File: main.py", "# file main.py"])
def test_a_comment_in_its_first_line_may_name_the_block(comment: str) -> None:
    code = f"{comment}\na\n"
    answer = fenced(code) + named(("util.py", "b\n"))
    assert program_files(answer, ["main.py", "util.py"]) == {"main.py": code, "util.py": "b\n"}


@pytest.mark.parametrize(
    ("answer", "paths", "files"),
    [
        pytest.param(fenced("a\n"), ["main.py"], {"main.py": "a\n"}, id="the only block"),
        pytest.param("print(1)", ["main.py"], {"main.py": "print(1)"}, id="no fence"),
        pytest.param(
            fenced("a\n") + fenced("1 2 3\n", ""),
            ["main.py"],
            {"main.py": "a\n"},
            id="what it prints is no file",
        ),
        pytest.param(
            fenced("a\n") + fenced("python main.py\n", "bash"),
            ["main.py"],
            {"main.py": "a\n"},
            id="how to start it is no file",
        ),
        pytest.param(
            named(("main.py", "old\n"), ("main.py", "new\n")),
            ["main.py"],
            {"main.py": "new\n"},
            id="the last of one name",
        ),
        pytest.param(
            named(("main.py", "a\n")),
            ["agent_output/main.py"],
            {"agent_output/main.py": "a\n"},
            id="a name without its folder",
        ),
        pytest.param(
            named(("main.py", "a\n"), ("data/words.txt", "b\n")),
            ["main.py"],
            {"main.py": "a\n", "data/words.txt": "b\n"},
            id="a file that was not asked for",
        ),
        pytest.param(
            named(("pkg/__init__.py", "a\n"), ("pkg/__main__.py", "b\n")),
            ["pkg/__main__.py", "pkg/__init__.py"],
            {"pkg/__init__.py": "a\n", "pkg/__main__.py": "b\n"},
            id="underscores are no emphasis",
        ),
    ],
)
def test_the_files_of_a_program(answer: str, paths: list[str], files: dict[str, str]) -> None:
    assert program_files(answer, paths) == files


@pytest.mark.parametrize(
    ("answer", "paths"),
    [
        pytest.param("", ["main.py"], id="nothing"),
        pytest.param(fenced("a\n") + fenced("b\n"), ["main.py"], id="two blocks without a name"),
        pytest.param(named(("main.py", "a\n")), ["main.py", "util.py"], id="a file is missing"),
        pytest.param(fenced("a\n"), ["main.py", "util.py"], id="one block for two files"),
        pytest.param("print(1)", ["main.py", "util.py"], id="no fence for two files"),
        pytest.param(
            named(("x/main.py", "a\n"), ("y/main.py", "b\n"), ("main.py", "c\n")),
            ["x/main.py", "y/main.py", "z.py"],
            id="a name that means two",
        ),
    ],
)
def test_a_program_that_is_not_whole_is_unparseable(answer: str, paths: list[str]) -> None:
    with pytest.raises(Unparseable, match="no code block"):
        program_files(answer, paths)


@pytest.mark.parametrize(
    "name",
    [
        "../main.py",
        "a/../../main.py",
        "/etc/cron.py",
        "//host/x.py",
        "..\\main.py",
        "a/./b.py",
        "a//b.py",
        "CON.py",
        "a/nul.txt",
        "a\x00.py",
        "a\x1b[2J.py",
        "\u202eyp.x.py",
        "main.py/x.py",
        "/".join("abcdefghi") + "/x.py",
    ],
    ids=ascii,
)
def test_a_file_name_that_leads_elsewhere_is_refused(name: str) -> None:
    answer = named(("main.py", "a\n"), (name, "b\n"))
    with pytest.raises(Unparseable, match="file name"):
        program_files(answer, ["main.py"])


def test_rules_alone_read_all_python_blocks() -> None:
    answer = fenced("import os\n") + fenced("ls\n", "sh") + fenced("x = 1\n") + fenced("1\n", "")
    assert list(python_sources(answer, []).values()) == ["import os\n\nx = 1\n"]
    assert list(python_sources(fenced("x = 1\n", ""), []).values()) == ["x = 1\n"]
    assert list(python_sources("x = 1", []).values()) == ["x = 1"]
    for nothing in ("", "<think>x = 1", fenced("ls\n", "sh")):
        with pytest.raises(Unparseable):
            python_sources(nothing, [])


@pytest.mark.parametrize(
    "text",
    [
        "`" * 1_000_000,
        "~" * 1_000_000,
        " " * 1_000_000 + "`",
        "```\n" * 200_000,
        "#" * 1_000_000 + "\n```\n```",
        "*" * 1_000_000 + "\n```\n```",
        "a." * 500_000 + "\n```\n```",
        "```" + "a=" * 499_000,
        "1. " * 333_000 + "\n```\n```",
        "```\n#" + " " * 999_000 + "\n```",
        "def add" * 140_000,
        "\r\n" * 500_000,
    ],
    ids=lambda text: repr(text[:6]),
)
def test_a_long_answer_is_read_in_one_pass(text: str) -> None:
    """Python's own patterns are no way to stop a sweep; a pass over the text takes milliseconds."""
    begin = process_time()
    for read in (blocks_of, lambda text: function_source(text, "add")):
        with contextlib.suppress(Unparseable):
            read(text)
    assert process_time() - begin < 5
