"""Banks of reasoning-gym: a stand-in for the package, and the package itself where it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orket_lib.tasks.bank import TaskBank
from orket_lib.tasks.generators.gym import gym_bank
from orket_lib.tasks.grading.graders import Grading, judge
from orket_lib.vocabulary.errors import ConfigError

STAND_IN = """
class Doubled:
    def __init__(self, seed, size):
        self.items = [
            {"question": f"Twice {(seed + n) % 40}?", "answer": str((seed + n) % 40 * 2)}
            for n in range(size)
        ]

    def __iter__(self):
        return iter(self.items)

    def score(self, answer, entry):
        return 1.0 if answer == entry["answer"] else 0.5 * (answer in entry["answer"])


DATASETS = {"doubled": (Doubled, None), "unwritable": (Doubled, None), "calculated": (Odd, None)}


def create_dataset(name, seed, size):
    made = Doubled(seed, size)
    if name == "unwritable":
        made.items[0]["metadata"] = object()
    return made


def get_score_answer_fn(name):
    return Doubled(1, 1).score
"""
ODD = "class Odd:\n    def score(self, answer, entry):\n        return float(eval(answer))\n"


def _forget() -> None:
    for name in [one for one in sys.modules if one.partition(".")[0] == "reasoning_gym"]:
        del sys.modules[name]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    package = tmp_path / "reasoning_gym"
    package.mkdir()
    texts = {"__init__": "", "odd": ODD, "factory": f"from .odd import Odd\n{STAND_IN}"}
    for name, text in texts.items():
        (package / f"{name}.py").write_text(text)
    _forget()
    monkeypatch.syspath_prepend(tmp_path)
    yield
    _forget()


def asked(families: list[str], n: int, **changes: Any) -> TaskBank:
    return TaskBank.model_validate(gym_bank(families, n, **{"seed": 1, **changes}))


def graded(bank: TaskBank, answer: str) -> Grading:
    return judge(bank.tasks[0], answer)


@pytest.mark.usefixtures("stand_in")
def test_tasks_differ_and_are_graded_by_their_scorer() -> None:
    bank = asked(["doubled"], 12, seed=3)
    assert len({task.prompt for task in bank.tasks}) == 12
    assert graded(bank, "6").passed
    assert graded(bank, "Two times three.\n\nFinal answer: **6**").passed
    for wrong in ("7", "", "16", "6 or 8"):
        assert not graded(bank, wrong).passed


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    ("family", "n", "said"),
    [
        ("dubled", 3, "families: one of calculated, doubled, unwritable (got 'dubled')"),
        (
            "calculated",
            3,
            "families: the scorer of calculated runs answers as code",
        ),
        ("doubled", 41, "families: doubled has fewer than 41 gradable tasks"),
        ("unwritable", 3, "families: unwritable can't be used: Object of type object is not"),
    ],
)
def test_a_family_that_cannot_be_used_is_named(family: str, n: int, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        asked([family], n)
    assert said in str(raised.value)


def test_without_the_package_the_line_that_installs_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    monkeypatch.setitem(sys.modules, "reasoning_gym.factory", None)
    with pytest.raises(ConfigError, match=r"type pip install 'orket-quant-sweep\[reasoning-gym\]'"):
        asked(["chain_sum"], 3)


@pytest.mark.usefixtures("stand_in")
def test_answers_are_not_graded_without_the_package(tmp_path: Path) -> None:
    bank = asked(["doubled"], 1)
    (tmp_path / "reasoning_gym/factory.py").write_text("raise ImportError('gone')")
    grading = graded(bank, "2")
    assert (grading.checks, grading.not_run is None) == ((), False)


def test_the_package_itself() -> None:
    pytest.importorskip("reasoning_gym")
    bank = asked(["chain_sum", "leg_counting"], 4)
    assert {task.family for task in bank.tasks} == {"chain_sum", "leg_counting"}
    right = bank.tasks[0].evaluations[0].model_dump()["entry"]["answer"]
    assert graded(bank, f"The answer is {right}.").passed
    assert not graded(bank, f"The answer is {right}1.").passed
    with pytest.raises(ConfigError, match="countdown runs answers as code"):
        asked(["countdown"], 2)
