from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from contract_examples import example

from orket_lib.analysis.contracts import violations
from orket_lib.artifacts.base import Record
from orket_lib.artifacts.schemas import published, version_of
from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.frontier import FrontierExplorer
from orket_lib.artifacts.views.thermal_profile import ThermalProfile


def changed(model: type[Record], place: str, value: Any) -> Any:
    """Return an example with one value changed; `...` removes it."""
    content = example(model, whole=True)
    *path, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    part: Any = content
    for step in path:
        part = part[step]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return content


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("model", published(), ids=version_of)
def test_what_is_as_published_has_no_violation(model: type[Record], whole: bool) -> None:
    assert violations("x", example(model, whole), model) == []


@pytest.mark.parametrize(
    ("model", "place", "value", "expected"),
    [
        (FrontierExplorer, "model_id", ..., ["missing:model_id"]),
        (FrontierExplorer, "schema_version", ..., ["missing:schema_version"]),
        (FrontierExplorer, "provenance.ref", ..., ["missing:provenance.ref"]),
        (
            FrontierExplorer,
            "schema_version",
            "explorer.frontier.v2",
            ['schema_version:must be "explorer.frontier.v1", is "explorer.frontier.v2"'],
        ),
        (FrontierExplorer, "model_id", 7, ["model_id:must be text, is 7"]),
        (FrontierExplorer, "model_id", None, ["model_id:must be text, is null"]),
        (
            FrontierExplorer,
            "hardware_fingerprint",
            [],
            ["hardware_fingerprint:must be text or null, is []"],
        ),
        (FrontierExplorer, "sessions", {}, ["sessions:must be a list, is {}"]),
        (
            FrontierExplorer,
            "execution_lane",
            "prod",
            ['execution_lane:must be "lab" or "ci", is "prod"'],
        ),
        (
            FrontierExplorer,
            "sessions.0.quant_rows.0.total_latency",
            "1.5",
            ['sessions.0.quant_rows.0.total_latency:must be a number or null, is "1.5"'],
        ),
        (
            FrontierExplorer,
            "sessions.0.quant_rows.0.total_latency",
            True,
            ["sessions.0.quant_rows.0.total_latency:must be a number or null, is true"],
        ),
        (
            FrontierExplorer,
            "sessions.0.quant_rows.0.total_latency",
            None,
            ["missing:sessions.0.quant_rows.0.null_reasons.total_latency"],
        ),
        (
            FrontierExplorer,
            "sessions.0.quant_rows.0.null_reasons.total_latency",
            "NOT_MEASURED",
            [
                "sessions.0.quant_rows.0.null_reasons.total_latency:"
                "a reason, and the reading is not null"
            ],
        ),
        (
            FrontierExplorer,
            "sessions.0.quant_rows.0.null_reasons.speed",
            "NOT_MEASURED",
            ["sessions.0.quant_rows.0.null_reasons.speed:there is no such reading"],
        ),
        (
            FrontierExplorer,
            "sessions.0.quant_rows.0.served.build",
            5,
            ["sessions.0.quant_rows.0.served.build:must be text or null, is 5"],
        ),
        (
            FrontierExplorer,
            "sessions.0.quant_rows.0.served",
            "yes",
            ['sessions.0.quant_rows.0.served:must be a mapping or null, is "yes"'],
        ),
        (
            FrontierExplorer,
            "generated_at",
            "yesterday",
            ['generated_at:must be a time in UTC, ISO 8601 with a Z, is "yesterday"'],
        ),
        (
            FrontierExplorer,
            "generated_at",
            "2026-11-23T15:04:05+01:00",
            [
                "generated_at:must be a time in UTC, ISO 8601 with a Z, is "
                '"2026-11-23T15:04:05+01:00"'
            ],
        ),
        (
            ContextCeiling,
            "points.0.context",
            "4096",
            ['points.0.context:must be a whole number, is "4096"'],
        ),
        (ContextCeiling, "points.0.context", 0, ["points.0.context:must be greater than 0, is 0"]),
        (
            ContextCeiling,
            "points.0.reasons",
            ["TOO_SLOW"],
            [
                'points.0.reasons.0:must be "INVALID_ROW" or "ADHERENCE_BELOW_MIN" or '
                '"TTFT_MISSING" or "TTFT_ABOVE_CEILING" or "DECODE_TPS_MISSING" or '
                '"DECODE_TPS_BELOW_FLOOR" or "CONTEXT_NOT_LOADED", is "TOO_SLOW"'
            ],
        ),
        (
            ContextCeiling,
            "thresholds.include_invalid",
            0,
            ["thresholds.include_invalid:must be true or false, is 0"],
        ),
        (
            ThermalProfile,
            "polluted_run_rate",
            1.5,
            ["polluted_run_rate:must be at most 1, is 1.5"],
        ),
        (
            ThermalProfile,
            "points.0.cooldown_ok",
            "no",
            ['points.0.cooldown_ok:must be true or false or null, is "no"'],
        ),
    ],
)
def test_a_violation_is_named_with_its_place(
    model: type[Record], place: str, value: Any, expected: list[str]
) -> None:
    found = violations("it", changed(model, place, value), model)
    assert found == [f"it:{one}" for one in expected]


def test_every_violation_is_listed_in_the_order_of_places() -> None:
    content = example(ContextCeiling, whole=True)
    content["points"] = [copy.deepcopy(content["points"][0]) for _ in range(12)]
    del content["model_id"]
    content["points"][10]["context"] = -1
    content["points"][2]["context"] = "x"
    content["points"][2]["valid"] = None
    del content["points"][2]["passed"]
    content["quant_tag"] = 4
    assert violations("context", content, ContextCeiling) == [
        "context:missing:model_id",
        'context:points.2.context:must be a whole number, is "x"',
        "context:missing:points.2.passed",
        "context:points.2.valid:must be true or false, is null",
        "context:points.10.context:must be greater than 0, is -1",
        "context:quant_tag:must be text, is 4",
    ]


@pytest.mark.parametrize("content", [None, [], "text", 5, True])
def test_what_is_no_artifact_at_all_is_said(content: Any) -> None:
    (found,) = violations("frontier", content, FrontierExplorer)
    assert found.startswith("frontier:(whole file):must be a mapping, is ")


def test_a_long_value_is_cut() -> None:
    (found,) = violations("f", changed(FrontierExplorer, "sessions", "x" * 5000), FrontierExplorer)
    assert len(found) < 120


def _leaves(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for key, part in value.items() for leaf in _leaves(part, (*place, key))]
    if isinstance(value, list):
        return [leaf for i, part in enumerate(value) for leaf in _leaves(part, (*place, i))]
    return [place]


@pytest.mark.parametrize("model", [FrontierExplorer, ContextCeiling, ThermalProfile])
def test_whatever_one_value_becomes_is_found_where_it_is(model: type[Record]) -> None:
    """A list fits nowhere in place of a value that is none."""
    dice = random.Random(1)
    whole = example(model, whole=True)
    for *path, last in dice.sample(_leaves(whole), k=20):
        content = copy.deepcopy(whole)
        part: Any = content
        for step in path:
            part = part[step]
        part[last] = []
        where = ".".join(map(str, (*path, last)))
        assert [one.split(":")[1] for one in violations("x", content, model)] == [where]
