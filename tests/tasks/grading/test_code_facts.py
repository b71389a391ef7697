"""What Python code says about itself, and reading code that is meant to hurt its reader."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest
from task_forms import judged_by

from orket_lib.tasks.grading.code_facts import CONSTRUCTS, facts_of
from orket_lib.tasks.grading.graders import judge


def facts(source: str) -> dict[str, Any]:
    return facts_of({"answer.py": source})


@pytest.mark.parametrize(
    ("source", "imports"),
    [
        ("import os", ["os"]),
        ("import os.path as p", ["os.path"]),
        ("from os import path, sep", ["os", "os.path", "os.sep"]),
        ("from . import x", ["x"]),
        ("from .ledger import x", ["ledger", "ledger.x"]),
        ("from ..books.ledger import x as y", ["books.ledger", "books.ledger.x"]),
        ("def f():\n    import re", ["re"]),
        ("__import__('os')", ["os"]),
        ("import importlib\nimportlib.import_module('os')", ["importlib", "os"]),
        ("__import__(name='os')", ["os"]),
        ("import importlib\nimportlib.__import__('os')", ["importlib", "os"]),
        (
            "from importlib import import_module as load\nload('os')",
            ["importlib", "importlib.import_module", "os"],
        ),
        ("x = 'import os'", []),
    ],
)
def test_imports_are_found_wherever_they_are(source: str, imports: list[str]) -> None:
    assert facts(source)["imports"] == imports


def test_calls_are_known_by_name_and_methods_on_anything() -> None:
    source = "eval(x)\nmath.sqrt(4)\n[3, 1].sort()\nf()(2)\na.b.c()"
    assert facts(source)["calls"] == [".c", ".sort", ".sqrt", "a.b.c", "eval", "f", "math.sqrt"]


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("from math import sqrt\nsqrt(2)", "math.sqrt"),
        ("from math import sqrt as root\nroot(2)", "math.sqrt"),
        ("import math as m\nm.sqrt(2)", "math.sqrt"),
        ("import os.path as p\np.join('a')", "os.path.join"),
        ("def f():\n    from os import path as p\n    p.join('a')", "os.path.join"),
        ("from ast import literal_eval as value\nvalue('1')", ".literal_eval"),
        ("import builtins\nbuiltins.eval('1')", "eval"),
        ("import builtins as b\nb.eval('1')", "eval"),
        ("from builtins import eval as e\ne('1')", "eval"),
        ("__builtins__.eval('1')", "eval"),
        ("from .ledger import entry as e\ne()", "ledger.entry"),
    ],
)
def test_a_call_is_known_by_the_name_that_was_imported(source: str, call: str) -> None:
    assert call in facts(source)["calls"]


def test_a_name_is_what_its_own_file_imports() -> None:
    sources = {"a.py": "from math import sqrt as root", "b.py": "def root(): ...\nroot()"}
    assert facts_of(sources)["calls"] == ["root"]


def test_names_and_definitions() -> None:
    found = facts(
        "class A:\n    def m(self, x):\n        def inner(): ...\n        y = x.z\n"
        "async def f(): ..."
    )
    assert found["definitions"] == ["A", "A.m", "A.m.inner", "f"]
    assert set(found["names"]) == {"self", "x", "y", "z"}


EXAMPLES = {
    "assert": "assert x",
    "async": "async def f(): ...",
    "class": "class A: ...",
    "comprehension": "[x for x in y]",
    "decorator": "@a\ndef f(): ...",
    "for": "for x in y: ...",
    "global": "def f():\n    global x",
    "if": "if x: ...",
    "lambda": "lambda: 1",
    "loop": "while x: ...",
    "match": "match x:\n    case 1: ...",
    "nonlocal": "def f():\n    x = 1\n    def g():\n        nonlocal x",
    "recursion": "def f(n):\n    return f(n - 1)",
    "star_import": "from x import *",
    "try": "try: ...\nexcept E: ...",
    "while": "while x: ...",
    "with": "with x: ...",
    "yield": "def f():\n    yield 1",
}


def test_every_construct_has_an_example() -> None:
    assert set(EXAMPLES) == set(CONSTRUCTS)


@pytest.mark.parametrize(("construct", "source"), EXAMPLES.items())
def test_a_construct_is_found_where_it_is(construct: str, source: str) -> None:
    found = set(facts(source)["constructs"])
    assert construct in found
    # And nowhere else: no example has more than it says, but for words that imply another.
    implied = {"for": {"loop"}, "while": {"loop"}, "loop": {"while"}}
    assert found - {construct} <= implied.get(construct, set())


@pytest.mark.parametrize(
    ("source", "recursion"),
    [
        ("class A:\n    def f(self):\n        return self.f()", True),
        ("def f():\n    return g()\ndef g():\n    return f()", False),
        ("def f(g):\n    return g.f()", False),
    ],
)
def test_recursion_is_a_function_that_calls_itself(source: str, recursion: bool) -> None:
    assert ("recursion" in facts(source)["constructs"]) is recursion


@pytest.mark.parametrize(
    ("body", "nesting"),
    [
        ("return 1", 0),
        ("if a:\n        return 1", 1),
        ("if a:\n        pass\n    elif b:\n        pass\n    elif c:\n        pass", 1),
        ("if a:\n        pass\n    else:\n        if b:\n            pass\n        x = 1", 2),
        ("for x in y:\n        while z:\n            if a:\n                pass", 3),
        ("try:\n        pass\n    except E:\n        if a:\n            pass", 2),
        ("with a:\n        pass\n    finally_ = 1", 1),
        ("match a:\n        case 1:\n            if b:\n                pass", 2),
        ("def g():\n        if a:\n            pass", 1),
    ],
)
def test_nesting_is_that_of_the_deepest_block(body: str, nesting: int) -> None:
    assert facts(f"def f():\n    {body}")["nesting"] == nesting


def test_the_longest_function_counts() -> None:
    source = "def f():\n    x = 1\n\n    return x\n\n\ndef g(): ...\n"
    assert facts(source)["function_lines"] == 4
    assert facts("x = 1")["function_lines"] == 0


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("def f(:", id="syntax"),
        pytest.param("x = 1\x00", id="NUL"),
        pytest.param("\ud800", id="half a character"),
        pytest.param("(" * 100_000, id="brackets"),
        pytest.param("-" * 100_000 + "1", id="signs"),
        pytest.param("x" + ".a" * 100_000, id="attributes"),
        pytest.param("lambda:" * 10_000 + "1", id="lambdas"),
        pytest.param("\n".join(" " * n + "if x:" for n in range(200)), id="indents"),
        pytest.param("if a: pass\n" + "elif a: pass\n" * 20_000, id="elifs"),
    ],
)
def test_code_that_can_not_be_read_is_unparseable(source: str) -> None:
    asked = judged_by({"type": "ast_rules", "require": {"imports": ["os"]}})
    begin = process_time()
    grading = judge(asked, f"```python\n{source}\n```")
    assert process_time() - begin < 10
    assert (grading.passed, grading.unparseable) == (False, True)
    assert grading.checks[0].detail.startswith("unparseable: ")


RULES = {
    "type": "ast_rules",
    "require": {"definitions": ["f"], "calls": [".join"]},
    "forbid": {"imports": ["os"], "constructs": ["loop"], "names": ["eval"]},
    "limits": {"function_lines": 3, "nesting": 1},
}
GOOD = "def f(words):\n    return ' '.join(words)\n"


@pytest.mark.parametrize(
    ("source", "failed"),
    [
        (GOOD, {}),
        (f"from os.path import sep\n{GOOD}", {"forbid.imports.os": "is there"}),
        (f"import osmosis\n{GOOD}", {}),
        (f"for x in y: ...\n{GOOD}", {"forbid.constructs.loop": "is there"}),
        (f"g = eval\n{GOOD}", {"forbid.names.eval": "is there"}),
        (GOOD.replace("f(", "g("), {"require.definitions.f": "is not there"}),
        (
            "def f(a):\n    b = a\n    c = b\n    return ''.join(c)\n",
            {"limits.function_lines": "at most 3, got 4"},
        ),
        (
            "def f(a):\n    if a:\n        if a: return ''.join(a)\n",
            {"limits.nesting": "at most 1, got 2"},
        ),
    ],
    ids=range(8),
)
def test_each_rule_is_a_check(source: str, failed: dict[str, str]) -> None:
    grading = judge(judged_by(RULES), source)
    assert [check.name.removeprefix("ast_rules.") for check in grading.checks] == [
        "require.calls..join",
        "require.definitions.f",
        "forbid.imports.os",
        "forbid.names.eval",
        "forbid.constructs.loop",
        "limits.function_lines",
        "limits.nesting",
    ]
    found = {check.name.removeprefix("ast_rules."): check.detail for check in grading.checks}
    assert {name: detail for name, detail in found.items() if detail} == failed
    assert not grading.unparseable
