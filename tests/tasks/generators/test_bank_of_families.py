"""Generated banks: the same again, the smaller in the larger, some of all in any first part."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
from config_folder import ROOT

from orket_lib.artifacts.io import write_json
from orket_lib.tasks.bank import TaskBank, load_bank
from orket_lib.tasks.generators import FAMILIES
from orket_lib.tasks.generators.bank import generate, generated
from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.task import needs_sandbox
from orket_lib.vocabulary.errors import ConfigError

ALL = list(FAMILIES)


def test_a_bank_is_valid_and_the_same_again() -> None:
    made = generate(ALL, [1, 2, 3], len(ALL) * 6, 1)
    assert made == generate(ALL, [1, 2, 3], len(ALL) * 6, 1)
    bank = TaskBank.model_validate(made)
    assert len(bank.tasks) == len(ALL) * 6
    assert len({task.prompt for task in bank.tasks}) == len(bank.tasks)


def test_a_larger_bank_begins_with_the_smaller_one() -> None:
    small, large = (generate(ALL[:3], [1, 2], n, 1)["tasks"] for n in (17, 40))
    assert large[: len(small)] == small
    prompts = [(task.get("problem"), task["instruction"]) for task in large]
    assert len(set(prompts)) == len(prompts)


def test_another_seed_gives_other_tasks() -> None:
    first, second = ({draft for *_, draft in _drafts(seed)} for seed in (1, 2))
    assert not first & second


def _drafts(seed: int) -> list[tuple[str, str]]:
    return [
        (family, draft.problem + draft.instruction)
        for family, _, draft in generated(ALL, [2, 3], len(ALL) * 8, seed)
    ]


def test_the_first_tasks_are_of_every_family_and_level() -> None:
    places = [(family, level) for family, level, _ in generated(ALL, [1, 2, 3], len(ALL) * 9, 1)]
    count = len(ALL)
    for begin in range(0, len(places), count):
        assert {family for family, _ in places[begin : begin + count]} == set(ALL)
    assert {level for _, level in places[:3]} == {1, 2, 3}
    assert len(set(places[: 3 * count])) == 3 * count


def test_a_task_has_dice_of_its_own() -> None:
    ((family, level, draft),) = generated(["arithmetic"], [3], 1, 7)
    assert draft == FAMILIES[family].make(random.Random("7/arithmetic/3/0"), level)


def test_a_family_with_too_few_tasks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    few = ModuleType("few")
    few.NAME = "few"  # type: ignore[attr-defined]
    few.make = lambda dice, level: _draft(dice.randint(1, 5))  # type: ignore[attr-defined]
    monkeypatch.setitem(FAMILIES, "few", few)
    assert len(generate(["few"], [1], 5, 1)["tasks"]) == 5
    said = r"family 'few' has only 5 different tasks of level 1.* 6 are"
    with pytest.raises(ConfigError, match=said):
        generate(["few"], [1], 6, 1)


def _draft(value: int) -> Draft:
    return Draft(f"What is {value - 9} + 9?", {"type": "number", "expected": value}, str(value))


def test_all_that_is_wrong_is_named() -> None:
    with pytest.raises(ConfigError) as raised:
        generate(["arithmetik"], [0, 1, 1], 0, 1)
    text = str(raised.value)
    for part in ("got 'arithmetik'", "1 to 6 (got 0)", "each once", "whole number from 1 to 20000"):
        assert part in text


def test_the_shipped_bank_is_made_byte_for_byte(tmp_path: Path) -> None:
    shipped = ROOT / "config/task_banks/general.json"
    write_json(tmp_path / "general.json", generate())
    assert (tmp_path / "general.json").read_bytes() == shipped.read_bytes()


def test_the_shipped_bank_is_large_and_broad() -> None:
    bank = load_bank(ROOT / "config/task_banks/general.json")
    assert bank.bank_id == "general"
    assert len(bank.tasks) >= 480
    strata = Counter((task.family, task.tier) for task in bank.tasks)
    assert len({family for family, _ in strata}) >= 16
    assert {tier for _, tier in strata} == {1, 2, 3}
    assert min(strata.values()) >= 8  # fewer are pooled by the verdict
    assert not any(map(needs_sandbox, bank.tasks))


def test_more_tasks_are_others_than_the_shipped_ones() -> None:
    shipped, more = generate()["tasks"], generate(n=1200)["tasks"]
    assert more[: len(shipped)] == shipped
    asked = [(task.get("problem"), task["instruction"]) for task in more]
    assert len(set(asked)) == 1200
