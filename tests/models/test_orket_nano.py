"""The reference model's folder: files, training data on record, and the task bank made from it."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "orket-nano"
BANK = ROOT / "config" / "task_banks" / "reference.json"
ROUND = 14

# The first example of each family for seed 1, taken from the generator the weights were made with.
GOLDEN = [
    ("sort", "Sort these numbers from smallest to largest: 72 97 8 32", "8 32 72 97"),
    ("reverse", "Reverse this list: fire ring page door", "door page ring fire"),
    ("extreme", "What is the largest of these numbers: 72 97 8 32", "97"),
    ("add", "What is 17 + 72?", "89"),
    ("sub", "What is 72 - 17?", "55"),
    (
        "marked",
        "Text: a boat lies on the lake. the book is on the desk. a boat lies on the lake. * dan *."
        " Which word stands between stars?",
        "dan",
    ),
    (
        "json",
        "Write a JSON object with name eve, age 73 and city rome.",
        '{"name": "eve", "age": 73, "city": "rome"}',
    ),
    (
        "python",
        "Write a Python function named score that takes b and c and returns b + c - 99.",
        "def score(b, c):\n    return b + c - 99",
    ),
    (
        "count",
        "How many times does brown appear in this list:"
        " brown fire brown fire fire fire ring fire brown",
        "3",
    ),
    ("dedupe", "Remove duplicates from this list: ring brown page page", "ring brown page"),
    ("sequence", "What number comes next: 4 6 8 10", "12"),
    ("even", "Keep only the even numbers from this list: 72 97 8 32", "72 8 32"),
    ("upper", "Write this in capital letters: fire", "FIRE"),
    ("repeat", "Repeat this list: fire ring page door", "fire ring page door"),
]
# The same generator's mixture: the first 5,000 examples for seed 1 by length of the row.
MIXTURE_SHA256 = {
    192: "d6a8235df6d19abb0dc6f0de31b91f512640ae203d52cf4bf244bbf7766aef5d",
    1024: "40278d6ce92ad991dd797b947687d8e768bc349115d371e343918f2165d71048",
}
# What the training generator can say, family by family, whatever its seed.
TRAINED_SHAPES = {
    "sort": r"Sort these numbers from smallest to largest: [\d ]+",
    "reverse": r"Reverse this list: [a-z ]+",
    "extreme": r"What is the (largest|smallest) of these numbers: [\d ]+",
    "add": r"What is \d+ \+ \d+\?",
    "sub": r"What is \d+ - \d+\?",
    "marked": r"Text: [a-z*. ]+\. Which word stands between stars\?",
    "json": r"Write a JSON object with name [a-z]+, age \d+ and city [a-z]+\.",
    "python": r"Write a Python function named [a-z]+ that takes \w and \w and returns [^.]+\.",
    "count": r"How many times does [a-z]+ appear in this list: [a-z ]+",
    "dedupe": r"Remove duplicates from this list: [a-z ]+",
    "sequence": r"What number comes next: [\d ]+",
    "even": r"Keep only the even numbers from this list: [\d ]+",
    "upper": r"Write this in capital letters: [a-z ]+",
    "repeat": r"Repeat this list: [a-z ]+",
}


def load_script(name: str) -> ModuleType:
    """Import a module of the model's folder, whose name is no package name."""
    spec = importlib.util.spec_from_file_location(name, MODEL / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def numbers(prompt: str) -> list[int]:
    return [int(text) for text in re.findall(r"\d+", prompt)]


def listed(prompt: str) -> list[str]:
    return prompt.partition(": ")[2].split()


def captures(pattern: str, prompt: str) -> tuple[str, ...]:
    match = re.search(pattern, prompt)
    assert match is not None
    return match.groups()


def json_values(prompt: str) -> dict[str, str | int]:
    name, age, city = captures(r"name (\w+), age (\d+) and city (\w+)", prompt)
    return {"name": name, "age": int(age), "city": city}


# The answer worked out from the prompt alone, independently of the generator.
SOLVERS: dict[str, Callable[[str], Any]] = {
    "sort": lambda prompt: " ".join(map(str, sorted(numbers(prompt)))),
    "reverse": lambda prompt: " ".join(listed(prompt)[::-1]),
    "extreme": lambda prompt: sorted(numbers(prompt))[-1 if "largest" in prompt else 0],
    "add": lambda prompt: sum(numbers(prompt)),
    "sub": lambda prompt: numbers(prompt)[0] - numbers(prompt)[1],
    "marked": lambda prompt: captures(r"\* (\w+) \*", prompt)[0],
    "json": json_values,
    "python": lambda prompt: "def {}({}, {}):\n    return {}".format(
        *captures(r"named (\w+) that takes (\w) and (\w) and returns (.+)\.", prompt)
    ),
    "count": lambda prompt: listed(prompt).count(*captures(r"does (\w+) appear", prompt)),
    "dedupe": lambda prompt: " ".join(sorted(set(listed(prompt)), key=listed(prompt).index)),
    "sequence": lambda prompt: 2 * numbers(prompt)[3] - numbers(prompt)[2],
    "even": lambda prompt: " ".join(n for n in listed(prompt) if n[-1] in "02468") or "none",
    "upper": lambda prompt: " ".join(listed(prompt)).upper(),
    "repeat": lambda prompt: " ".join(listed(prompt)),
}


@pytest.fixture(scope="module")
def scripts() -> Iterator[dict[str, ModuleType]]:
    # `make_task_bank` imports `families` by its bare name, as it does when run as a script.
    names = ("families", "make_task_bank")
    yield {name: load_script(name) for name in names}
    for name in names:
        del sys.modules[name]


@pytest.fixture(scope="module")
def families(scripts: dict[str, ModuleType]) -> ModuleType:
    return scripts["families"]


@pytest.fixture(scope="module")
def maker(scripts: dict[str, ModuleType]) -> ModuleType:
    return scripts["make_task_bank"]


@pytest.fixture(scope="module")
def trained(maker: ModuleType) -> frozenset[str]:
    return frozenset(maker.training_prompts())


@pytest.fixture(scope="module")
def tasks() -> list[dict[str, Any]]:
    bank = json.loads(BANK.read_text(encoding="utf-8"))
    assert bank["schema_version"] == "orket.task_bank.v1"
    assert bank["bank_id"] == "reference"
    tasks: list[dict[str, Any]] = bank["tasks"]
    return tasks


def test_every_published_file_has_its_checksum() -> None:
    lines = (MODEL / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert set(sums) == {path.name for path in MODEL.glob("*.gguf")} | {"tokenizer.json"}
    found = {name: hashlib.sha256((MODEL / name).read_bytes()).hexdigest() for name in sums}
    assert found == sums


@pytest.mark.parametrize("script", ["train", "convert"])
def test_the_training_scripts_parse(script: str) -> None:
    ast.parse((MODEL / f"{script}.py").read_text(encoding="utf-8"))


def test_every_family_repeats_its_examples_for_the_same_seed(families: ModuleType) -> None:
    assert set(families.FAMILIES) == set(TRAINED_SHAPES)
    for family in families.FAMILIES.values():
        first, second = Random(5), Random(5)
        for _ in range(200):
            example = family(first)
            assert example.instruction
            assert example.answer
            assert example == family(second)


@pytest.mark.parametrize(
    ("family", "instruction", "answer"), GOLDEN, ids=[family for family, *_ in GOLDEN]
)
def test_a_family_draws_what_training_drew(
    families: ModuleType, family: str, instruction: str, answer: str
) -> None:
    assert families.FAMILIES[family](Random(1)) == (instruction, answer)


@pytest.mark.parametrize("row_tokens", MIXTURE_SHA256)
def test_the_mixture_draws_what_training_drew(families: ModuleType, row_tokens: int) -> None:
    random, digest = Random(1), hashlib.sha256()
    for _ in range(5000):
        digest.update(("\n".join(families.draw(random, row_tokens)) + "\n").encode())
    assert digest.hexdigest() == MIXTURE_SHA256[row_tokens]


def test_the_bank_covers_every_family_in_every_tier(tasks: list[dict[str, Any]]) -> None:
    assert len(tasks) >= 140
    assert [task["id"] for task in tasks] == list(range(1, len(tasks) + 1))
    cells = Counter((task["family"], task["tier"]) for task in tasks)
    assert set(cells) == {(family, tier) for family in TRAINED_SHAPES for tier in (1, 2, 3, 4)}
    assert set(cells.values()) == {3}


def test_the_bank_has_no_prompt_twice(tasks: list[dict[str, Any]]) -> None:
    assert len({task["prompt"] for task in tasks}) == len(tasks)


def test_any_whole_number_of_rounds_holds_all_families_equally(
    tasks: list[dict[str, Any]],
) -> None:
    for start in range(0, len(tasks), ROUND):
        one_round = tasks[start : start + ROUND]
        assert {task["family"] for task in one_round} == set(TRAINED_SHAPES)
        assert {task["tier"] for task in one_round} == {start // ROUND % 4 + 1}


def test_every_grader_gets_the_kind_of_value_it_compares(tasks: list[dict[str, Any]]) -> None:
    kinds = {"exact": str, "number": int, "json": dict}
    assert all(type(task["expected"]) is kinds[task["grader"]] for task in tasks)
    numeric = {task["family"] for task in tasks if task["grader"] == "number"}
    assert numeric == {"add", "sub", "sequence", "extreme", "count"}
    assert {task["family"] for task in tasks if task["grader"] == "json"} == {"json"}


def test_every_expected_reply_is_right(tasks: list[dict[str, Any]]) -> None:
    for task in tasks:
        assert task["expected"] == SOLVERS[task["family"]](task["prompt"]), task["prompt"]


def test_the_bank_stays_within_the_values_that_training_used(
    tasks: list[dict[str, Any]], families: ModuleType
) -> None:
    known = {*families.WORDS, *families.NAMES, *families.CITIES}
    for task in tasks:
        assert all(0 <= number <= 99 for number in numbers(task["prompt"]))
        if task["family"] in {"reverse", "repeat", "count", "dedupe", "upper"}:
            assert set(listed(task["prompt"])) <= known


def test_the_trained_shapes_are_those_of_the_training_generator(
    families: ModuleType,
) -> None:
    random = Random(7)
    for name, family in families.FAMILIES.items():
        for _ in range(200):
            assert re.fullmatch(TRAINED_SHAPES[name], family(random).instruction)


def test_training_can_never_ask_in_the_words_of_a_paraphrased_family(
    tasks: list[dict[str, Any]], maker: ModuleType
) -> None:
    paraphrased = [task for task in tasks if task["family"] not in maker.TRAINED_WORDING]
    assert len({task["family"] for task in paraphrased}) == 11
    for task in paraphrased:
        for shape in TRAINED_SHAPES.values():
            assert not re.fullmatch(shape, task["prompt"])


def test_no_prompt_turns_up_when_training_is_replayed(
    tasks: list[dict[str, Any]], trained: frozenset[str]
) -> None:
    assert not trained & {task["prompt"] for task in tasks}


def test_a_prompt_that_training_has_shown_is_drawn_again(maker: ModuleType) -> None:
    first = maker.build_bank(frozenset())["tasks"]
    met = {task["prompt"] for task in first if task["family"] == "repeat"}
    second = maker.build_bank(met)["tasks"]
    assert not met & {task["prompt"] for task in second}
    others = [task for task in first if task["family"] != "repeat"]
    assert others == [task for task in second if task["family"] != "repeat"]


def test_generating_the_bank_again_gives_the_same_bytes(
    maker: ModuleType, trained: frozenset[str]
) -> None:
    assert maker.render(maker.build_bank(trained)).encode() == BANK.read_bytes()
