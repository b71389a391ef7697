"""The content of the page."""

from __future__ import annotations

import re

import pytest
from fidelity_builders import kld
from page_texts import page_text
from report_summaries import cells, failed, polluted, row, row_of, section, seven, summary

from orket_lib.artifacts.views.fidelity import Agreement, FamilyAgreement, Fidelity
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.artifacts.views.summary import CanaryDrift, CanarySummary
from orket_lib.report.formatting import DASH
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane

CASES: dict[str, list[list[RowMetrics]]] = {
    "no session": [],
    "one row": [[row("Q8_0", 8.5, 0.9)]],
    "one failure": [[failed("Q8_0", 8.5)]],
    "all polluted": [[polluted("Q8_0", 8.5, 0.9, "a | b"), polluted("Q4_0", 4.5, 0.8, "c\nd")]],
    "seven": [seven()],
    "unknown bits": [[row("MY_Q", Null("UNKNOWN_TAG"), 0.9)]],
    "two models": [seven(), [row("Q8_0", 8.5, 0.9, model_id="a|b"), failed("Q4_0", 4.5)]],
}


@pytest.mark.parametrize("models", CASES.values(), ids=CASES.keys())
def test_every_table_is_whole(models: list[list[RowMetrics]]) -> None:
    text = page_text(summary(*models))

    tables = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    assert tables
    for table in tables:
        lines = table.splitlines()
        assert {len(cells(line)) for line in lines} == {len(cells(lines[0]))}
    assert "None |" not in text and "null" not in text.lower().replace("null reason", "")


def test_the_quant_table_has_everything_an_operator_asks() -> None:
    text = page_text(summary(seven()))

    assert row_of(text, "Q4_K_M") == [
        *("Q4_K_M", "9.54e-07 MiB", "4.90", "0.964", "-2 +0, p = 0.5", "kept, P=0.996", "2561"),
        *("9876", "11.9", "0.0180", "62.4", "—", "yes", "minimum viable, best value"),
    ]
    assert row_of(text, "F16")[4] == "baseline"
    verdicts = section(text, "Verdicts")
    assert "| Q4_K_M | KEPT | 0.996 |" in verdicts
    assert "| Q2_K | LOST | < 0.001 |" in verdicts
    assert "| 168 | 127 | 0 | p = 1.2e-38 |" in verdicts
    assert "Smallest that suffices: Q4_K_M; best that fits: F16." in verdicts
    assert "| sort (84) | 0.750 |" in section(text, "Adherence per task family")


def test_sections_come_in_the_order_of_interest() -> None:
    text = page_text(summary(seven()))

    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == [
        "orket-nano: run Q4_K_M",
        "Quants",
        "What breaks",
        "Verdicts",
        "Fidelity",
        "Adherence per task family",
        "What counts, and what doesn't",
        "Failed rows",
        "Disturbances and notes",
        "Canary",
        "Missing numbers",
        "How it was measured",
        "Conditions",
        "Stability KPIs",
        "Legend",
    ]


def test_in_lane_ci_the_report_knows_no_best_value_and_no_ceiling() -> None:
    matrix = {"sweep": "reference", "latency_ceiling": 2}
    ci = page_text(summary(seven(), lane=Lane.CI, matrix=matrix))
    lab = page_text(summary(seven(), matrix=matrix))

    assert "Latency ceiling, s: 2 (decides nothing in lane ci)" in ci
    assert "Latency ceiling, s: 2\n" in lab
    assert "there is no best value" in section(ci, "Legend")
    assert "best value" not in ci[: ci.index("## Legend")].lower()
    assert "minimum viable, best value" in lab


def test_the_success_that_was_asked_for_stands_beside_the_strict_one() -> None:
    rows = [polluted("Q8_0", 8.5, 0.9, "hot")]
    asked = section(page_text(summary(rows, include_invalid=True)), "Stability KPIs")
    strict = section(page_text(summary(rows)), "Stability KPIs")

    assert "| frontier_success_rate | 0.000 |" in asked
    assert "| frontier_success_rate_as_asked | 1.000 |" in asked
    assert "as_asked" not in strict


def test_lane_ci_is_said_before_anything_else() -> None:
    ci = page_text(summary(seven(), lane=Lane.CI))

    assert ci.index("ci lane: speeds are not evidence") < ci.index("## orket-nano: run Q4_K_M")
    assert "ci lane" not in page_text(summary(seven()))


def test_a_null_is_a_dash_with_its_reason_and_never_zero() -> None:
    rows = [
        row("Q8_0", 8.5, 0.9, generation_tokens_per_second=Null("TIMING_UNAVAILABLE")),
        row("Q4_0", 4.5, 0.0, ttft_ms=Null("SOMETHING_NEW")),
        failed("Q2_K", 3.16),
    ]

    text = page_text(summary(rows))

    assert row_of(text, "Q8_0")[6] == "—"
    assert row_of(text, "Q4_0")[3] == "0.000"
    assert row_of(text, "Q4_0")[8] == "—"
    assert row_of(text, "Q2_K")[3:11] == ["—"] * 8
    missing = section(text, "Missing numbers")
    assert (
        "- orket-nano Q8_0: generation_tokens_per_second: TIMING_UNAVAILABLE "
        "(the server reported no usable times)\n" in missing
    )
    assert "- orket-nano Q4_0: ttft_ms: SOMETHING_NEW\n" in missing
    assert re.search(
        r"- orket-nano Q2_K: adherence_score, .*vs baseline: STATUS_LOAD_FAILED", missing
    )
    assert "- orket-nano all quants: peak_vram_mib" not in missing  # Q2_K has another reason


def test_fields_that_are_null_everywhere_are_one_line() -> None:
    missing = section(page_text(summary(seven())), "Missing numbers")

    assert "- orket-nano all quants: cpu_saturation_rate, system_load_rate: NOT_SAMPLED" in missing


def test_tasks_that_could_not_be_asked_are_counted_with_the_reason() -> None:
    rows = [row.model_copy(update={"not_asked": {"TOOLS_NOT_IN_TEMPLATE": 27}}) for row in seven()]
    missing = section(page_text(summary(rows)), "Missing numbers")
    assert (
        "- orket-nano all quants: score of 27 tasks: TOOLS_NOT_IN_TEMPLATE "
        "(the model's chat template takes no tools)" in missing
    )


def test_without_a_valid_row_the_report_says_what_is_missing() -> None:
    text = page_text(summary([polluted("Q8_0", 8.5, 0.9, "85 | C")]))

    assert "## orket-nano: no recommendation" in text
    assert row_of(text, "Q8_0")[12] == "no: run quality is POLLUTED"
    assert "| Q8_0 | run quality is POLLUTED |" in section(text, "Verdicts")
    assert "| Q8_0 | THERMAL_THROTTLE | hard | pollutes | 85 \\| C |" in text
    assert "vs baseline: NO_VALID_BASELINE" in section(text, "Missing numbers")


def test_notes_and_reasons_that_count_nothing_are_shown_only() -> None:
    note = Observation.of(Reason.SW_POWER_CAP, "300 W")
    load = Observation.of(Reason.HIGH_SYSTEM_LOAD, "load 9")
    rows = [row("Q8_0", 8.5, 0.9, notes=(note,), run_quality_reasons=(load,))]

    seen = section(page_text(summary(rows, lane=Lane.CI)), "Disturbances and notes")

    assert "| Q8_0 | SW_POWER_CAP | note | shown only | 300 W |" in seen
    assert "| Q8_0 | HIGH_SYSTEM_LOAD | soft | shown only | load 9 |" in seen


def test_failed_rows_give_their_reason() -> None:
    text = page_text(summary([failed("Q2_K", 3.16)]))

    assert "- orket-nano Q2_K: load_failed, the file is \\| not a model\n" in section(
        text, "Failed rows"
    )
    assert section(page_text(summary(seven())), "Failed rows").strip() == "None."


def canary(**changes: object) -> str:
    values: dict[str, object] = {
        "enabled": True,
        "passed": False,
        "failed_reasons": ("LATENCY_VARIANCE_UNAVAILABLE",),
        "adherence_variance": 0.0,
        "internal_latency_cv": Null("FEWER_THAN_2_SAMPLES"),
        "latency_variance_threshold": 0.03,
    }
    return page_text(summary(canary=CanarySummary.of(**(values | changes))))


def test_the_canary_verdict_is_told() -> None:
    failure = canary()
    assert "FAILED: LATENCY_VARIANCE_UNAVAILABLE." in section(failure, "Canary")
    assert "latency — (limit 0.0300)" in section(failure, "Canary")
    assert "- canary: internal_latency_cv: FEWER_THAN_2_SAMPLES" in failure

    nothing = Null("CANARY_OFF")
    off = canary(
        enabled=False,
        passed=True,
        failed_reasons=(),
        adherence_variance=nothing,
        internal_latency_cv=nothing,
    )
    assert "Off: the machine" in section(off, "Canary")
    assert "- canary: adherence_variance: CANARY_OFF (the sweep ran without a canary)\n" in off

    quality = canary(quality_only=True, explanations=("varies by 0.2; mostly firefox (pid 7)",))
    assert "Failed by latency alone, so quality was measured" in section(quality, "Canary")
    assert "mostly firefox (pid 7). On a quiet machine" in section(quality, "Canary")
    assert "again=probes" in section(quality, "Canary")

    passed = canary(passed=True, failed_reasons=(), internal_latency_cv=0.01234)
    assert "Passed. Adherence variance 0.000 (must be 0)" in section(passed, "Canary")
    assert "latency 0.0123 (limit 0.0300)" in section(passed, "Canary")


def test_kpis_and_conditions_are_those_of_the_summary() -> None:
    found = summary(seven())
    text = page_text(found)

    assert "| determinism_rate | 1.000 |" in text
    assert "Quant rows: 7. Models: 1. Graded runs: 2352." in text
    conditions = section(text, "Conditions")
    for line in (
        "- Lane: lab",
        "- Tasks: 168",
        "- Runs per task: 2",
        "- Threads: default",
        "- Clock of the rates: server",
        "- Config digest: f00d",
        "- Commit: c0ffee (uncommitted changes)",
    ):
        assert f"{line}\n" in conditions
    assert "Temperature" not in conditions  # this matrix doesn't name one


def test_another_view_changes_roles_and_never_the_recommendation() -> None:
    found = summary([polluted("Q8_0", 8.5, 0.9, "hot")])

    lenient = page_text(found, include_invalid=True)

    assert row_of(lenient, "Q8_0")[13] == "baseline, minimum viable, best value"
    assert "include rows that are not valid" in lenient
    assert "no recommendation" in lenient
    assert page_text(found, include_invalid=False) == page_text(found)


def test_the_drift_of_the_canary_is_told() -> None:
    drift = CanaryDrift.of(
        model_id="nano",
        quant_tag="F16",
        opened_at="2026-01-01T00:00:00Z",
        closed_at="2026-01-01T01:00:00Z",
        opening_seconds=0.4,
        closing_seconds=0.5,
        drift=0.25,
        p_value=0.028,
        same_answers=False,
        failure=None,
    )
    found = summary(seven())
    canary = found.canary.model_copy(update={"drifts": (drift,)})
    text = section(page_text(found.model_copy(update={"canary": canary})), "Canary")
    assert (
        "- nano F16: DIFFERENT SCORES than before; latency +25.0% (0.400 s at "
        "2026-01-01T00:00:00Z, 0.500 s at 2026-01-01T01:00:00Z, p = 0.028)." in text
    )
    assert "after the sweep" not in section(page_text(found), "Canary")


def test_what_the_machine_ran_with_is_told_and_where_rows_differ() -> None:
    def with_(quant: str, bits: float, **platform: str) -> RowMetrics:
        return row(quant, bits, 0.9).model_copy(update={"platform": platform})

    rows = [
        with_("Q8_0", 8.5, kernel="6.1", cpu_governor="performance"),
        with_("Q4_0", 4.5, kernel="6.1", cpu_governor="powersave"),
    ]
    text = section(page_text(summary(rows)), "Drivers and builds")
    assert "- kernel: 6.1\n" in text
    model = rows[0].model_id
    assert f"- cpu_governor: performance ({model} Q8_0); powersave ({model} Q4_0)\n" in text


def test_without_a_word_of_the_machine_there_is_no_such_section() -> None:
    assert "ran with" not in page_text(summary(seven()))


def test_several_models_are_ranked_together() -> None:
    small = [
        row("F16", 16.0, 0.99, model_id="small", peak_memory_rss=5000.0),
        row("Q2_K", 3.2, 0.3, model_id="small", peak_memory_rss=Null("NOT_SAMPLED")),
        failed("Q8_0", 8.5).model_copy(update={"model_id": "small"}),
    ]
    big = [row("F16", 16.0, 0.7, model_id="big", peak_memory_rss=9000.0)]
    text = page_text(summary(big, small))
    part = section(text, "All models")
    lines = [
        cells(line)
        for line in (part + section(text, "The whole ranking")).splitlines()
        if line.startswith("| ")
    ]
    picks = [line for line in lines if len(line) == 8]
    table = picks[3:]
    assert [line[:2] for line in picks[:3]] == [
        ["Model", "Pick"],
        ["big", "only F16 was measured"],
        ["small", "run F16"],
    ]
    assert [line[:3] for line in table[1:]] == [
        ["1", "small", "F16"],
        ["2", "big", "F16"],
        ["3", "small", "Q2_K"],
    ]
    assert table[1][4] == "best"
    assert table[3][-2:] == [DASH, "unknown: NOT_SAMPLED"]
    fits = [line for line in lines if len(line) == 4][1:]
    assert fits[0] == ["4 GiB", DASH, DASH, "no ranked quant is known to fit"]
    assert fits[1] == ["8 GiB", "small", "F16", "4.88 GiB of RAM"]
    assert "- not ranked: small Q8_0 (the file is \\| not a model)" in part


def test_one_model_has_no_ranking() -> None:
    assert "## All models" not in page_text(summary(seven()))


def test_fidelity_has_its_tables_and_the_baseline_s_own_noise() -> None:
    found = summary(seven())
    counts = {"tasks": 168, "same_answers": 36, "same_answer_rate": 36 / 168}
    start = {"same_start_share": 0.5, "same_start_low": 0.45, "same_start_high": 0.55}
    rate = {"same_answer_low": 0.158, "same_answer_high": 0.281}
    nothing = dict.fromkeys(Agreement.readings(), Null("ONE_RUN_PER_TASK"))
    family = FamilyAgreement(family="add", **counts, **start)
    records = (
        Fidelity(
            quant_tag="Q2_K",
            baseline_quant="F16",
            agreement=Agreement(**counts, **start, **rate),
            by_family=(family,),
        ),
        Fidelity(
            quant_tag="F16",
            baseline_quant="F16",
            agreement=Agreement.of(tasks=0, same_answers=0, **nothing),
        ),
    )
    changed = found.sessions[0].model_copy(update={"fidelity": records})
    text = section(page_text(found.model_copy(update={"sessions": (changed,)})), "Fidelity")
    assert "answers compared with those of F16" in text
    assert row_of(text, "F16, second run") == ["F16, second run", DASH, DASH, "ONE_RUN_PER_TASK"]
    assert row_of(text, "Q2_K") == [
        *("Q2_K", "36 of 168", "0.214 (0.158 to 0.281)", "0.500 (0.450 to 0.550)")
    ]
    assert text.index("F16, second run") < text.index("| Q2_K |")
    assert row_of(text, "add") == ["add", DASH, "36 of 168"]


def test_divergences_have_a_table_of_their_own() -> None:
    found = summary(seven())
    nothing = dict.fromkeys(Agreement.readings(), Null("NO_ANSWERS_TO_COMPARE"))
    records = tuple(
        Fidelity(
            quant_tag=item.quant_tag,
            baseline_quant="F16",
            agreement=Agreement.of(tasks=0, same_answers=0, **nothing),
            kld=item,
        )
        for item in kld(texts={"Q2_K": 0.25, "Q8_0": None}).compared
    )
    changed = found.sessions[0].model_copy(update={"fidelity": records})
    text = section(page_text(found.model_copy(update={"sessions": (changed,)})), "Fidelity")
    table = [cells(line) for line in text.splitlines() if line.startswith("| ")]
    lines = [line for line in table if len(line) == 7]
    assert lines[1][:5] == [
        "F16, measured again",
        "text",
        "1260",
        "kld",
        "0.0001 (9e-05 to 0.00011)",
    ]
    assert lines[3] == [
        *("Q2_K", "text", "1260", "kld", "0.25 (0.23 to 0.28)"),
        *("0.750", "0.900 (0.850 to 0.940)"),
    ]
    assert lines[5] == ["Q8_0", "text", DASH, DASH, "NO_PROBABILITIES", DASH, DASH]


def test_without_fidelity_there_is_no_section() -> None:
    found = summary(seven())
    changed = found.sessions[0].model_copy(update={"fidelity": ()})
    text = page_text(found.model_copy(update={"sessions": (changed,)}))
    assert "## Fidelity" not in text


def test_what_all_models_lack_is_one_line() -> None:
    other = [it.model_copy(update={"model_id": "other"}) for it in seven()]
    missing = section(page_text(summary(seven(), other)), "Missing numbers")
    assert missing.count("NOT_SAMPLED") == 1
    assert "- all models, all quants: cpu_saturation_rate, system_load_rate: NOT_SAMPLED" in missing
    third = [row("Q8_0", 8.5, 0.9, model_id="third", cpu_saturation_rate=0.0)]
    assert "- other all quants: cpu" in section(
        page_text(summary(seven(), other, third)), "Missing numbers"
    )
