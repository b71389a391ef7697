"""Asserts as examples of calls: what is data, and what is refused because it is code."""

from __future__ import annotations

from typing import Any

import pytest

from orket_lib.tasks.importing.asserts import listed_examples
from orket_lib.tasks.importing.table import Bad


@pytest.mark.parametrize(
    ("test", "example", "tolerance"),
    [
        ("assert f(1) == 2", {"args_python": "[1]", "expected_python": "2"}, 0),
        ("assert 2 == f(1)", {"args_python": "[1]", "expected_python": "2"}, 0),
        ("assert f() == (1, 'a')", {"expected_python": "(1, 'a')"}, 0),
        ("assert f(-1, {2}) is None", {"args_python": "[-1, {2}]", "expected_python": "None"}, 0),
        ("assert f('x')", {"args_python": "['x']", "expected_python": "True"}, 0),
        ("assert not f('x')", {"args_python": "['x']", "expected_python": "False"}, 0),
        (
            "assert f(1, n=3) == 2",
            {"args_python": "[1]", "kwargs": {"n": 3}, "expected_python": "2"},
            0,
        ),
        (
            "assert abs(f(1) - 2.5) < 1e-6",
            {"args_python": "[1]", "expected_python": "2.5"},
            1e-6,
        ),
        (
            "assert math.isclose(f(1), 2.5, rel_tol=0.01)",
            {"args_python": "[1]", "expected_python": "2.5"},
            0.01,
        ),
        (
            "assert math.isclose(f(1), 2.5)",
            {"args_python": "[1]", "expected_python": "2.5"},
            1e-9,
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_assert_is_an_example(test: str, example: dict[str, Any], tolerance: float) -> None:
    found = listed_examples([test])
    assert (found.function, found.examples, found.tolerance) == ("f", (example,), tolerance)


@pytest.mark.parametrize(
    "test",
    [
        "assert f(1) != 2",
        "assert f(1) == g(1)",
        "assert f(x) == 1",
        "assert f(*[1]) == 1",
        "assert f(**{'a': 1}) == 1",
        "assert sorted(f([2, 1])) == [1, 2]",
        "assert set(f(1)) == {1}",
        "assert f(1) == 1 and f(2) == 2",
        "assert f([1] * 3) == 1",
        "assert f(open('/etc/passwd').read()) == 1",
        "for x in (1, 2):\n    assert f(x) == x",
        "x = f(1)\nassert f(1) == 1",
        "import os\nassert f(1) == 1",
        "assert abs(f(1) - 2) < eps",
        "assert f(1) == 1 == 1",
    ],
)
def test_what_is_code_is_refused_as_a_whole(test: str) -> None:
    with pytest.raises(Bad, match=r"^tests?: "):
        listed_examples(["assert f(1) == 1", test])


def test_nothing_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Bad):
        listed_examples(["assert f(print('ran')) == 1"])
    assert capsys.readouterr().out == ""
