"""Graders that run code, in a real sandbox."""

from __future__ import annotations

from typing import Any

import pytest
from task_forms import ADD, judged_by, structured, walled

from orket_lib.sandbox.jobs import (
    CallEnd,
    CallJob,
    Ending,
    Outcome,
    Program,
    ProgramResult,
    Sandbox,
)
from orket_lib.tasks.grading.graders import judge
from orket_lib.vocabulary.errors import SandboxError


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return walled()


def function(*examples: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"type": "function_examples", "function_name": "f", "examples": examples} | changes


def passed(sandbox: Sandbox, evaluation: dict[str, Any], answer: str) -> list[bool]:
    return [check.passed for check in judge(judged_by(evaluation), answer, sandbox).checks]


@pytest.mark.parametrize(
    ("example", "returned", "same"),
    [
        ({"expected": 1}, "1", True),
        ({"expected": 1}, "True", False),
        ({"expected": True}, "1", False),
        ({"expected": 1}, "1.0", False),
        ({"expected": 1.0}, "1", False),
        ({"expected": None}, "None", True),
        ({"expected": None}, "0", False),
        ({"expected": "1"}, "1", False),
        ({"expected": [1, 2]}, "[1, 2]", True),
        ({"expected": [1, 2]}, "(1, 2)", False),
        ({"expected_python": "(1, 2)"}, "(1, 2)", True),
        ({"expected_python": "(1, 2)"}, "[1, 2]", False),
        ({"expected": [[1, [True]]]}, "[[1, [1]]]", False),
        ({"expected": {"a": 1, "b": 2}}, "{'b': 2, 'a': 1}", True),
        ({"expected": {"a": 1}}, "{'a': True}", False),
        ({"expected_python": "{1: 'x'}"}, "{True: 'x'}", False),
        ({"expected_python": "{1, 2}"}, "{2, 1}", True),
        ({"expected_python": "{1, 2}"}, "frozenset([1, 2])", False),
        ({"expected_python": "b'a'"}, "b'a'", True),
        ({"expected": "a"}, "b'a'", False),
        ({"expected": 0.3}, "0.1 + 0.2", False),
        ({"expected": 10**30}, "10 ** 30", True),
        ({"expected": "\u00e4\ud7ff"}, "'\\u00e4\\ud7ff'", True),
        ({"expected": []}, "object()", False),
        ({"expected": []}, "iter([])", False),
        ({"expected": 1}, "type('Same', (), {'__eq__': lambda *a: True})()", False),
    ],
    ids=str,
)
def test_values_are_equal_and_of_equal_type(
    sandbox: Sandbox, example: dict[str, Any], returned: str, same: bool
) -> None:
    assert passed(sandbox, function(example), f"def f():\n    return {returned}\n") == [same]


def test_floats_may_have_a_tolerance(sandbox: Sandbox) -> None:
    asked = function({"expected": [0.3, 1]}, {"expected": 2.0}, tolerance=1e-9)
    answer = "def f(results=[[0.1 + 0.2, 1], 2]):\n    return results.pop(0)\n"
    # Each call is a process of its own, so both return the first; and 2 is no float.
    assert passed(sandbox, asked, answer) == [True, False]


def test_arguments_arrive_as_they_are_written(sandbox: Sandbox) -> None:
    asked = function(
        {"args": [1, [2]], "kwargs": {"c": None}, "expected": "(1, [2], None)"},
        {"args_python": "((1,), {2}, b'3')", "expected": "((1,), {2}, b'3')"},
        {"args_python": "[True, 1.0, -0.0]", "expected": "(True, 1.0, -0.0)"},
    )
    assert passed(sandbox, asked, "def f(a, b, c):\n    return repr((a, b, c))\n") == [True] * 3


@pytest.mark.parametrize(
    ("body", "raised"),
    [
        ("raise ValueError('no')", True),
        ("raise UnicodeError", True),
        ("raise KeyError(1)", False),
        ("return ValueError", False),
        ("class ValueError(BaseException): ...\n    raise KeyError", False),
    ],
    ids=str,
)
def test_an_exception_is_known_by_its_class(sandbox: Sandbox, body: str, raised: bool) -> None:
    asked = function({"raises": "ValueError"})
    assert passed(sandbox, asked, f"def f():\n    {body}\n") == [raised]


def test_an_exception_while_the_code_is_loaded_is_not_the_expected_one(sandbox: Sandbox) -> None:
    asked = function({"raises": "ValueError"})
    answer = "def f(): ...\nraise ValueError"
    assert passed(sandbox, asked, answer) == [False]


def test_each_example_is_a_check_and_one_crash_is_one(sandbox: Sandbox) -> None:
    asked = function(*({"args": [n], "expected": n} for n in range(5)), timeout_s=2)
    answer = (
        "import os, sys, time\n"
        "def f(n):\n"
        "    if n == 1: os._exit(0)\n"
        "    if n == 2: sys.exit(0)\n"
        "    if n == 3: time.sleep(60)\n"
        "    return n\n"
    )
    grading = judge(judged_by(asked), answer, sandbox)
    assert [check.passed for check in grading.checks] == [True, False, False, False, True]
    assert grading.adherence == 0.4
    assert not grading.unparseable
    details = [check.detail for check in grading.checks]
    assert "status 0" in details[1]
    assert "SystemExit" in details[2]
    assert "timeout" in details[3]


@pytest.mark.parametrize(
    "answer",
    [
        "def f() return 1",
        "def f():\nreturn 1",
        "def f():\n\treturn 1\n        return 2",
        "def f(): return '\x00'",
        "```python\ndef f(): return (((\n```",
    ],
    ids=ascii,
)
def test_code_that_is_no_python_is_unparseable(sandbox: Sandbox, answer: str) -> None:
    grading = judge(judged_by(function({"expected": 1}, {"expected": 2})), answer, sandbox)
    assert (grading.unparseable, grading.adherence) == (True, 0.0)
    assert all(check.detail.startswith("unparseable: ") for check in grading.checks)


@pytest.mark.parametrize(
    "answer", ["def g(): return 1\nf = 3", "```\ndef g(): return 1\n```", "f = 1 / 0"], ids=str
)
def test_code_without_the_function_is_wrong(sandbox: Sandbox, answer: str) -> None:
    grading = judge(judged_by(function({"expected": 1})), answer, sandbox)
    assert (grading.unparseable, grading.adherence) == (False, 0.0)


def test_code_is_run_and_read(sandbox: Sandbox) -> None:
    asked = judged_by(ADD, {"type": "ast_rules", "forbid": {"calls": ["sum"]}})
    good = "```python\ndef add(a, b):\n    return a + b\n```\nUse `sum` instead?"
    bad = "```python\ndef add(a, b):\n    return sum((a, b))\n```"
    assert judge(asked, good, sandbox).passed
    assert judge(asked, bad, sandbox).adherence == 2 / 3


RULED = judged_by(
    ADD,
    {"type": "ast_rules", "forbid": {"calls": ["sum"]}, "limits": {"nesting": 1}},
)


@pytest.mark.parametrize(
    ("answer", "unparseable"),
    [
        ("```python\npass\n```", False),
        ("```python\ndef plus(a, b):\n    return a + b\n```", False),
        ("```python\ndef add(a, b): ...\n```", False),
        ("```python\nfrom nowhere import add\n```", False),
        ("pass", True),
        ("```python\ndef add(\n```", True),
    ],
    ids=ascii,
)
def test_code_that_does_nothing_keeps_no_rule(
    sandbox: Sandbox, answer: str, unparseable: bool
) -> None:
    grading = judge(RULED, answer, sandbox)
    assert len(grading.checks) == 4
    assert (grading.unparseable, grading.adherence) == (unparseable, 0.0)


def test_rules_count_for_code_that_does_something_right(sandbox: Sandbox) -> None:
    grading = judge(RULED, "def add(a, b):\n    return 5", sandbox)
    assert [check.passed for check in grading.checks] == [True, False, True, True]


def cli(*examples: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"type": "cli_examples", "examples": examples} | changes


PROGRAM = """
import sys
if len(sys.argv) < 2:
    print("usage", file=sys.stderr)
    sys.exit(2)
print(open(sys.argv[1]).read() + sys.stdin.read())
"""
EXAMPLE = {"args": ["in.txt"], "stdin": "b", "files": {"in.txt": "a"}, "expected_stdout": "ab\n"}
NO_ARGUMENT = {
    "expected_stdout": "",
    "expected_stderr": "usage\n",
    "expected_exit_code": 2,
}


@pytest.mark.parametrize(
    ("changes", "right"),
    [
        ({}, True),
        ({"expected_stdout": "ab"}, False),
        ({"expected_stdout": "ab\n\n"}, False),
        ({"expected_stdout": "ab\r\n"}, True),
        ({"expected_stdout": None}, True),
        ({"expected_stderr": ""}, True),
        ({"expected_stderr": "x"}, False),
        ({"expected_exit_code": 1}, False),
        ({"stdin": "c"}, False),
        ({"files": {"in.txt": "x"}}, False),
    ],
    ids=str,
)
def test_what_a_program_writes_and_returns_must_be_exact(
    sandbox: Sandbox, changes: dict[str, Any], right: bool
) -> None:
    assert passed(sandbox, cli(EXAMPLE | changes, NO_ARGUMENT), PROGRAM) == [right, True]


def test_a_program_may_have_several_files(sandbox: Sandbox) -> None:
    asked = cli(
        {"args": ["3"], "expected_stdout": "9\n"},
        entrypoint="agent_output/main.py",
        artifact_paths=["agent_output/main.py", "agent_output/square.py"],
    )
    files = [
        ("main.py", "import sys\nfrom square import square\nprint(square(int(sys.argv[1])))\n"),
        ("square.py", "def square(x):\n    return x * x\n"),
    ]
    answer = "\n".join(f"`{name}`\n```python\n{text}```" for name, text in files)
    assert passed(sandbox, asked, answer) == [True]
    assert judge(judged_by(asked), "```python\nprint(9)\n```", sandbox).unparseable


@pytest.mark.parametrize(
    "answer",
    [
        "print(",
        "def f():\nreturn 1",
        "return 1",
        "print('\x00')",
        "```python\nx = (((\n```",
        "x = " + "(" * 5000,
        "x = " + "-" * 200_000 + "1",
        "# coding: nothing\nprint(1)",
    ],
    ids=lambda text: ascii(text)[:20],
)
def test_a_program_that_is_no_python_is_unparseable(sandbox: Sandbox, answer: str) -> None:
    asked = judged_by(cli({"expected_stdout": "1\n"}, {"expected_exit_code": 1}))
    grading = judge(asked, answer, sandbox)
    assert (grading.unparseable, grading.adherence) == (True, 0.0)
    assert all(check.detail.startswith("unparseable: ") for check in grading.checks)


@pytest.mark.parametrize(
    "answer",
    [
        "\ufeffprint(1)",
        "# coding: latin-1\nprint(1)",
        "print(1 if 1 is 1 else '\\d')",
        "```python main.py\nprint(1)\n```\nNot like this:\n```python wrong.py\nprint 1\n```",
        "```python main.py\nprint(1)\n```\n```text notes.txt\nprint 1\n```",
    ],
    ids=range(5),
)
def test_a_program_is_read_as_an_interpreter_reads_it(sandbox: Sandbox, answer: str) -> None:
    assert passed(sandbox, cli({"expected_stdout": "1\n"}), answer) == [True]


def test_only_pythons_files_have_to_be_python(sandbox: Sandbox) -> None:
    asked = cli({"expected_stdout": "1 +\n"}, artifact_paths=["main.py", "data.txt"])
    answer = (
        "```python main.py\nprint(open('data.txt').read(), end='')\n```\ndata.txt\n```\n1 +\n```"
    )
    assert passed(sandbox, asked, answer) == [True]


def test_what_is_started_is_python_whatever_it_is_called(sandbox: Sandbox) -> None:
    started = cli({"expected_stdout": "1\n"}, entrypoint="tool")
    rules = {"type": "ast_rules", "forbid": {"calls": ["eval"]}}
    asked = judged_by(started, rules)
    assert judge(asked, "print(1)", sandbox).passed
    assert [check.passed for check in judge(asked, "print(eval('1'))", sandbox).checks] == [
        True,
        False,
    ]
    assert judge(judged_by(started), "print(", sandbox).unparseable


def test_bytes_that_are_no_text_are_not_the_text_that_shows_them(sandbox: Sandbox) -> None:
    asked = judged_by(cli({"expected_stdout": "\\xff"}))
    assert judge(asked, r"print('\xff', end='')", sandbox).passed is False
    assert judge(asked, r"print('\\xff', end='')", sandbox).passed
    grading = judge(asked, r"import os; os.write(1, b'\xff')", sandbox)
    assert [check.passed for check in grading.checks] == [False]
    assert grading.checks[0].detail.endswith(r"got '\udcff'")


def test_a_program_that_differs_between_two_runs_is_told(sandbox: Sandbox) -> None:
    asked = judged_by(cli({"expected_stdout": "1\n"}))
    grading = judge(asked, "import os\nprint(os.urandom(8).hex())", sandbox)
    assert grading.checks[0].detail.startswith("two runs differ; stdout: line 1: expected '1\\n'")


def test_a_program_finds_nothing_of_its_run_before(sandbox: Sandbox) -> None:
    answer = "import os\nprint(os.path.exists('x'))\nopen('x', 'w').close()\n"
    assert passed(sandbox, cli({"expected_stdout": "False\n"}), answer) == [True]


def test_a_file_of_the_answer_can_not_take_the_place_of_an_examples(sandbox: Sandbox) -> None:
    asked = cli({"args": [], "files": {"in.txt": "right"}, "expected_stdout": "right\n"})
    program = "```python main.py\nprint(open('in.txt').read())\n```\n"
    assert passed(sandbox, asked, f"{program}\nin.txt\n```\nwrong\n```") == [True]
    for name in ("IN.txt", "in.txt/x.py"):
        grading = judge(judged_by(asked), f"{program}\n{name}\n```\nx\n```", sandbox)
        assert grading.unparseable


class Broken:
    """A sandbox that fails in one of two ways: it doesn't start, or is killed from outside."""

    name = "broken"
    description = "broken"

    def __init__(self, starts: bool) -> None:
        self._starts = starts
        self._ending = Ending(Outcome.KILLED, None, 9, 0.0, None)

    def run(self, program: Program) -> ProgramResult:
        self._start()
        return ProgramResult(self._ending, b"", b"")

    def call(self, job: CallJob) -> list[CallEnd]:
        self._start()
        return [CallEnd(self._ending, b"") for _ in job.calls]

    def _start(self) -> None:
        if not self._starts:
            raise SandboxError("it did not start")


@pytest.mark.parametrize("starts", [True, False], ids=["killed", "not started"])
@pytest.mark.parametrize(
    ("evaluation", "answer"), [(ADD, "def add(a, b): return 5"), (cli({}), "print()")]
)
def test_a_sandbox_that_fails_says_nothing_of_the_answer(
    evaluation: dict[str, Any], answer: str, starts: bool
) -> None:
    grading = judge(structured(evaluation=evaluation), answer, Broken(starts))
    assert grading.checks == ()
    assert grading.not_run in ("it did not start", "the sandbox was killed from outside")
