from __future__ import annotations

import copy
from typing import Any

import pytest
from explorer_artifacts import context_ceiling, frontier_of_text, thermal_profile

from orket_lib.analysis.contract_names import unknown_names

EXAMPLES = {
    "frontier": frontier_of_text(),
    "context": context_ceiling(),
    "thermal": thermal_profile(),
}
(SESSION,) = EXAMPLES["frontier"]["sessions"]
(ROW,) = SESSION["quant_rows"]
NO_PICK = {
    "minimum_viable_quant": "",
    "best_value_quant": "",
    "baseline_quant": "",
    "measured_further": "",
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_names_only_what_it_has_is_fine(name: str) -> None:
    assert unknown_names(name, EXAMPLES[name]) == []


def with_session(**changes: Any) -> Any:
    return frontier_of_text(sessions=[SESSION | changes])


@pytest.mark.parametrize(
    ("artifact", "expected"),
    [
        (
            with_session(best_value_quant="Q9", quant_rows=[ROW, ROW | {"quant_tag": "Q2"}]),
            [
                'sessions.0.best_value_quant:names "Q9", which is not there; '
                'there are "text", "Q2"',
            ],
        ),
        (
            with_session(baseline_quant="F16"),
            ['sessions.0.baseline_quant:names "F16", which is not there; there are "text"'],
        ),
        (
            with_session(quant_rows=[]),
            [
                f'sessions.0.{field}:names "text", which is not there; there are none'
                for field in (
                    "baseline_quant",
                    "measured_further",
                    "minimum_viable_quant",
                    "best_value_quant",
                )
            ],
        ),
        (
            with_session(**NO_PICK),
            [
                'quant_tag:must be "unknown", by the first session\'s minimum_viable_quant, '
                'is "text"'
            ],
        ),
        (
            frontier_of_text(quant_tag="Q9"),
            ['quant_tag:must be "text", by the first session\'s minimum_viable_quant, is "Q9"'],
        ),
        (
            frontier_of_text(sessions=[]),
            [
                'model_id:must be "unknown", by the first session\'s model_id, is "text"',
                'quant_tag:must be "unknown", by the first session\'s minimum_viable_quant, '
                'is "text"',
            ],
        ),
        (
            frontier_of_text(sessions=[SESSION, SESSION]),
            ['sessions.1.model_id:"text" has a session already'],
        ),
        (
            with_session(quant_rows=[ROW, ROW]),
            ['sessions.0.quant_rows.1.quant_tag:"text" has a row already'],
        ),
    ],
)
def test_a_frontier_that_contradicts_itself_is_told_where(
    artifact: Any, expected: list[str]
) -> None:
    assert unknown_names("frontier", artifact) == [f"frontier:{one}" for one in expected]


def test_no_quant_and_no_session_are_unknown() -> None:
    assert unknown_names("frontier", with_session(**NO_PICK) | {"quant_tag": "unknown"}) == []
    nothing = frontier_of_text(sessions=[], model_id="unknown", quant_tag="unknown")
    assert unknown_names("frontier", nothing) == []


def test_only_valid_rows_are_picked_unless_others_were_asked_for() -> None:
    polluted = with_session(quant_rows=[ROW | {"valid": False}])
    assert unknown_names("frontier", polluted | {"include_invalid": True}) == []
    assert unknown_names("frontier", polluted | {"include_invalid": False}) == [
        f'frontier:sessions.0.{field}:names "text", whose row is not valid'
        for field in ("minimum_viable_quant", "best_value_quant")
    ]


def test_a_ceiling_is_a_context_that_passed() -> None:
    point = EXAMPLES["context"]["points"][0]
    failed = context_ceiling(safe_context_ceiling=2, points=[point, point | {"context": 2}])
    assert unknown_names("context", failed) == []
    failed["points"][1]["passed"] = False
    assert unknown_names("context", failed) == [
        "context:safe_context_ceiling:is 2, and no point of that context passed"
    ]
    reason = {"safe_context_ceiling": "SMALLEST_CONTEXT_FAILED"}
    none = context_ceiling(safe_context_ceiling=None, null_reasons=reason)
    assert unknown_names("context", none) == []


def test_a_thermal_profile_tells_of_no_run_that_it_does_not_have() -> None:
    profile = copy.deepcopy(EXAMPLES["thermal"])
    profile["speed"]["runs"][0]["run_index"] = 7
    profile["throttling"][0]["run_index"] = 8
    assert unknown_names("thermal", profile) == [
        "thermal:speed.runs.0.run_index:names run 7, which is not there; there are 1",
        "thermal:throttling.0.run_index:names run 8, which is not there; there are 1",
    ]


def test_what_follows_from_a_wrong_type_is_not_told_twice() -> None:
    assert unknown_names("frontier", with_session(quant_rows=[ROW | {"quant_tag": 7}])) == []
    point = EXAMPLES["context"]["points"][0]
    assert unknown_names("context", context_ceiling(points=[point | {"context": "1"}])) == []
    point = EXAMPLES["thermal"]["points"][0]
    assert unknown_names("thermal", thermal_profile(points=[point | {"run_index": "1"}])) == []


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("value", [None, 7, "text", [], {}, [None], [[]], True])
def test_what_is_of_a_wrong_type_is_passed_over(name: str, value: Any) -> None:
    assert unknown_names(name, value) == []

    def replaced(part: Any) -> Any:
        """Yield the artifact with each of its values replaced, one at a time."""
        for key in part if isinstance(part, dict) else range(len(part)):
            whole = part[key]
            part[key] = value
            yield
            part[key] = whole
            if isinstance(whole, dict | list):
                yield from replaced(whole)

    content = copy.deepcopy(EXAMPLES[name])
    for _ in replaced(content):
        unknown_names(name, content)  # raises nothing
