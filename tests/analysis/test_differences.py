"""What counts as a difference between a file and the same file made again."""

from __future__ import annotations

from typing import Any

import pytest

from orket_lib.analysis.differences import json_differences, text_differences


@pytest.mark.parametrize(
    ("was", "made", "lines"),
    [
        ({"a": 1.0}, {"a": 1.0 + 1e-12}, []),
        ({"generated_at": 1, "provenance": {}}, {"generated_at": 2}, []),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, ["a[0].b: 1, recomputed 2"]),
        ({"a": [1, 2]}, {"a": [1]}, ["a: [1, 2], recomputed [1]"]),
        ({"a": 1}, {}, ["a: 1, recomputed null"]),
        ({"a": True}, {"a": 1}, ["a: true, recomputed 1"]),
        ({"a": 0}, {"a": None}, ["a: 0, recomputed null"]),
        ([], {}, ["(whole file): [], recomputed {}"]),
    ],
)
def test_values_are_compared_one_by_one(was: Any, made: Any, lines: list[str]) -> None:
    assert list(json_differences(was, made)) == lines


def test_texts_are_compared_without_times_and_pictures() -> None:
    was = "made 2026-11-30T01:02:03.456Z\n<img src='data:image/png;base64,AAA='>\nQ8_0"
    made = "made 2026-12-01T01:02:03.456Z\n<img src='data:image/png;base64,BBB='>\nQ4_K_M\n\n"
    assert list(text_differences(was, made)) == [
        'line 3: "Q8_0", recomputed "Q4_K_M"',
        "3 lines, recomputed 4",
    ]


def test_of_long_lines_the_part_that_differs_is_shown() -> None:
    (line,) = text_differences(f"{'a' * 500}1{'b' * 500}", f"{'a' * 500}2{'b' * 500}")
    was, made = line.split(", recomputed ")
    assert was.startswith(f'line 1: "...{"a" * 30}1b')
    assert made.startswith(f'"...{"a" * 30}2b')
    assert len(line) < 200
