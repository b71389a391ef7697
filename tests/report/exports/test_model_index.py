"""Measurements as metadata of a model card."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from report_summaries import failed, polluted, row, seven, summary

from orket_lib.artifacts.measurements.spec import TaskSelection
from orket_lib.artifacts.views.summary import Summary
from orket_lib.report.exports.model_index import model_index
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.statuses import Lane

TASKS = TaskSelection(bank_id="general", ids=(1, 2, 3), sha256="b" * 64)


def index(found: Summary, tasks: TaskSelection | None = TASKS) -> dict[str, Any]:
    text = model_index(found.sessions[0], found, tasks, "2026-01-02")
    (one,) = yaml.safe_load(text)["model-index"]
    assert isinstance(one, dict)
    return one


def test_it_has_the_fields_that_the_hub_documents() -> None:
    one = index(summary(seven()))
    assert one["name"] == "orket-nano"
    (result,) = one["results"]
    assert result["task"] == {"type": "text-generation", "name": "Text Generation"}
    assert result["dataset"] == {
        "type": "general",
        "name": "Orket task bank general",
        "revision": "b" * 64,
        "args": {"tasks": 3},
    }
    for metric in result["metrics"]:
        assert set(metric) == {"type", "name", "value", "args"}
        assert isinstance(metric["value"], float)
    assert len({metric["name"] for metric in result["metrics"]}) == 3 * 7


def test_a_value_says_what_it_was_measured_with_and_how_sure_it_is() -> None:
    metrics = index(summary(seven()))["results"][0]["metrics"]
    (kept,) = (it for it in metrics if it["name"] == "Adherence, 0 to 1 (Q4_K_M)")
    assert kept["value"] == 0.964
    args = kept["args"]
    assert args["interval_95"][0] < 0.964 < args["interval_95"][1]
    assert (args["file_sha256"], args["bits_per_weight"]) == ("0" * 64, 4.9)
    assert (args["verdict"], args["measured_at"]) == ("KEPT", "2026-01-02")
    (rate,) = (it for it in metrics if it["name"] == "Decode rate, tokens/s (Q4_K_M)")
    assert rate["args"]["machine"].startswith("linux|intel")


def test_what_does_not_count_is_left_out() -> None:
    ci = index(summary(seven(), lane=Lane.CI))["results"][0]["metrics"]
    assert {it["type"] for it in ci} == {"adherence", "peak_memory_mib"}
    rows = [row("Q8_0", 8.5, 0.9), polluted("Q4_0", 4.5, 0.9, "hot"), failed("Q2_K", 3.2)]
    strict = index(summary(rows))["results"][0]["metrics"]
    assert {it["args"]["quant"] for it in strict} == {"Q8_0"}
    with pytest.raises(ArtifactError, match="orket-nano: nothing was measured that counts"):
        index(summary([failed("Q2_K", 3.2)]))


def test_a_name_is_text_whatever_it_says() -> None:
    evil = "---\nlicense: mit\x1b[2J\u202e: {a: &b [*b]} <b>"
    one = index(summary([row("Q8_0", 8.5, 0.9, model_id=evil)]), tasks=None)
    assert one["name"] == r"---\nlicense: mit\x1b[2J\u202e: {a: &b [*b]} <b>"
    assert one["results"][0]["dataset"]["type"] == "config/task_banks/reference.json"
