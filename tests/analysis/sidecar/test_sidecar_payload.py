from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import LETTERS, NEGATIVE, NO_FINITE_NUMBER, NO_NUMBER_AT_ALL

from orket_lib.analysis.sidecar.payload import objects_in, printed_number
from orket_lib.artifacts.measurements.sidecar_fields import ALIASES, FIELDS, usable

BENCH: list[dict[str, Any]] = [
    {"n_prompt": 512, "n_gen": 0, "avg_ts": 4000.5, "n_depth": 0, "model_type": "llama 3B"},
    {"n_prompt": 0, "n_gen": 128, "avg_ts": 80.0, "n_depth": 4096},
    {"n_prompt": 0, "n_gen": 128, "avg_ts": 120.25, "n_depth": 0},
    {"n_prompt": 512, "n_gen": 128, "avg_ts": 999.0, "n_depth": 0},
]
NUMBERS = st.floats(0, 1e300, exclude_min=True) | st.integers(1, 2**53)
NO_NUMBER = st.none() | NO_NUMBER_AT_ALL | NO_FINITE_NUMBER
TEXT = st.sampled_from(
    ["", "\n", "\ufeff", "[INFO] {loading}\nggml: [0]\n", "result: ", " (ok)\n", "{", '{"trunc\n']
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"ttft_ms": 5}', id="alone"),
        pytest.param('\ufeff{"ttft_ms": 5}', id="with a BOM"),
        pytest.param('[INFO] {loading}\nggml: [0]\n{"ttft_ms": 5}\nbye\n', id="among log lines"),
        pytest.param('result: {"ttft_ms": 5} (ok)', id="within a line"),
        pytest.param('{\n  "ttft_ms": 5,\n  "nested": {"ttft_ms": 7}\n}', id="on several lines"),
        pytest.param('{"ttft_ms": 9}\n{"ttft_ms": 5}', id="the last of several lines"),
        pytest.param('[{"ttft_ms": 9}, 3, {"ttft_ms": 5}]', id="in a list"),
        pytest.param('{"ttft_ms": 5}\n{"ttft_ms": NaN}', id="before one that is no number"),
        pytest.param('{"ttft_ms": 5}\n{"trunc', id="before a torn one"),
    ],
)
def test_an_object_is_found_wherever_it_stands(text: str) -> None:
    assert printed_number(objects_in(text), "ttft_ms") == 5


@given(LETTERS.filter(lambda text: "{" not in text))
@example("[1]")
@example("{ttft_ms: 5}")
@example("{" * 9)
def test_text_without_an_object_has_none(text: str) -> None:
    assert objects_in(text) == []


@given(st.lists(st.dictionaries(LETTERS, st.floats(-9, 9) | LETTERS, max_size=3), max_size=3), TEXT)
def test_objects_are_found_in_order_whatever_is_around_them(
    objects: list[dict[str, Any]], around: str
) -> None:
    for indent in (None, 2):
        printed = [json.dumps(item, indent=indent) for item in objects]
        assert objects_in(around + around.join(printed) + around) == objects
    assert objects_in(json.dumps(objects)) == objects


@pytest.mark.parametrize("text", ["{}", "[1, {}]", "result: { }\n"])
def test_an_empty_object_is_one(text: str) -> None:
    assert objects_in(text) == [{}]


@pytest.mark.parametrize(
    "text", ['{"' * 100_000, '{"a":' * 60_000, "[1, " * 80_000, "\0" * 200_000]
)
def test_text_that_is_all_brackets_costs_no_minutes(text: str) -> None:
    begin = time.process_time()
    assert objects_in(text) == []
    assert time.process_time() - begin < 20


@given(st.sampled_from([(field, alias) for field in ALIASES for alias in ALIASES[field]]), NUMBERS)
def test_every_alias_counts_and_the_field_s_own_name_comes_first(
    names: tuple[str, str], number: float
) -> None:
    field, alias = names
    assert printed_number([{alias: number}], field) == number
    assert printed_number([{alias: number, field: 8}], field) == 8.0
    assert printed_number([{alias: number, field: None}], field) == number
    assert printed_number([{alias: True, field: "8"}], field) is None


@given(st.sampled_from(list(ALIASES)), NO_NUMBER)
def test_of_several_aliases_the_first_with_a_number_counts(field: str, bad: object) -> None:
    aliases = ALIASES[field]
    printed: dict[str, Any] = {name: float(n) for n, name in enumerate(aliases, start=1)}
    assert printed_number([printed], field) == 1.0
    assert printed_number([printed | {aliases[0]: bad}], field) == (
        2.0 if len(aliases) > 1 else None
    )


@given(NO_NUMBER)
@example("1.5")
@example(True)
@example(None)
@example(10**400)
def test_what_is_no_number(value: object) -> None:
    assert {usable(field, value) for field in FIELDS} == {None}


@given(NEGATIVE)
@example(-1.0)
def test_only_a_temperature_can_be_negative(value: float) -> None:
    assert {field for field in FIELDS if usable(field, value) is not None} == {
        "thermal_start_c",
        "thermal_end_c",
    }


@given(NUMBERS)
def test_a_number_is_one_of_every_field(value: float) -> None:
    assert {usable(field, value) for field in FIELDS} == {value}


def test_zero_is_a_number_where_nothing_can_be_meant_by_it() -> None:
    assert usable("fan_speed_percent", 0) == 0.0
    assert usable("vram_used_mb", 0.0) == 0.0
    assert [usable(field, 0) for field in ("ttft_ms", "prefill_tps", "decode_tps")] == [None] * 3
    assert usable("thermal_start_c", -4) == -4.0


@pytest.mark.parametrize("as_text", [json.dumps, lambda rows: "\n".join(map(json.dumps, rows))])
def test_rows_of_llama_bench_give_the_two_rates(as_text: Any) -> None:
    objects = objects_in("build: 1234\n" + as_text(BENCH))
    assert printed_number(objects, "prefill_tps") == 4000.5
    assert printed_number(objects, "decode_tps") == 120.25
    assert printed_number(objects, "ttft_ms") is None


def test_a_rate_of_its_own_name_wins_over_llama_bench() -> None:
    assert printed_number([*BENCH, {"generation_tps": 77}], "decode_tps") == 77.0
