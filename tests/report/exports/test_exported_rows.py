"""The points of a sweep, its flat table, and the frontier as a view sees it."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest
from report_summaries import failed, polluted, row, seven, summary

from orket_lib.analysis.frontier import explorer_sessions
from orket_lib.report.exports.rows import scatter_points, summary_table
from orket_lib.report.views import frontier_view, role_text
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane


def test_points_carry_the_role_of_the_summary() -> None:
    points = scatter_points(summary(seven()), include_invalid=False)

    assert [point.quant_tag for point in points] == [
        "F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K",
    ]  # fmt: skip
    roles = {point.quant_tag: point.frontier_role for point in points if point.frontier_role}
    assert roles == {"Q4_K_M": "minimum_viable+best_value"}
    assert points[4].generation_tps == 2561.0
    assert all(point.valid for point in points)


def test_two_roles_may_be_two_quants() -> None:
    rows = [row("Q8_0", 8.5, 0.9, total_latency=0.1), row("Q4_K_M", 4.9, 0.9, total_latency=0.2)]

    points = scatter_points(summary(rows), include_invalid=False)

    assert [point.frontier_role for point in points] == ["best_value", "minimum_viable"]


def test_rows_that_are_not_valid_are_listed_and_get_a_role_only_when_asked() -> None:
    found = summary([polluted("Q8_0", 8.5, 0.9, "hot"), polluted("Q4_K_M", 4.9, 0.9, "hot")])

    strict = scatter_points(found, include_invalid=False)
    lenient = scatter_points(found, include_invalid=True)

    assert [(point.valid, point.frontier_role) for point in strict] == [(False, ""), (False, "")]
    assert [point.valid for point in lenient] == [False, False]
    assert lenient[1].frontier_role == "minimum_viable"


def test_a_strict_view_of_a_lenient_summary_drops_the_roles() -> None:
    found = summary([polluted("Q8_0", 8.5, 0.9, "hot")], include_invalid=True)

    assert scatter_points(found, include_invalid=True)[0].frontier_role != ""
    assert scatter_points(found, include_invalid=False)[0].frontier_role == ""


def test_nulls_keep_their_reasons() -> None:
    nothing = Null("TIMING_UNAVAILABLE")
    rows = [row("Q8_0", 8.5, 0.9, generation_tokens_per_second=nothing), failed("Q2_K", 3.2)]

    measured, unmeasured = scatter_points(summary(rows), include_invalid=False)

    assert measured.generation_tps is None
    assert measured.null_reasons == {"generation_tps": "TIMING_UNAVAILABLE"}
    assert unmeasured.adherence_score is None
    assert unmeasured.null_reasons["total_latency"] == "STATUS_LOAD_FAILED"
    assert not unmeasured.valid


def test_no_session_has_no_points() -> None:
    assert scatter_points(summary(), include_invalid=True) == ()


def test_a_view_moves_the_threshold_with_the_baseline() -> None:
    rows = [polluted("F16", 16.0, 0.8, "hot"), row("Q8_0", 8.5, 0.6)]
    (session,) = summary(rows).sessions

    as_is, lenient = frontier_view(session, Lane.LAB), frontier_view(session, Lane.LAB, True)

    assert (as_is.baseline, as_is.recomputed) == ("Q8_0", False)
    assert as_is.floor == 0.6 * 0.95
    assert (lenient.baseline, lenient.recomputed) == ("F16", True)
    assert lenient.floor == 0.8 * 0.95
    assert role_text(as_is, "Q8_0") == "baseline, minimum viable, best value"
    assert role_text(lenient, "Q8_0") == ""


def test_in_lane_ci_nothing_is_the_best_value_even_if_an_older_summary_says_so() -> None:
    older = summary(seven()).model_copy(update={"execution_lane": Lane.CI})

    for found in (summary(seven(), lane=Lane.CI), older):
        for include_invalid in (False, True):
            roles = {p.quant_tag: p.frontier_role for p in scatter_points(found, include_invalid)}
            assert {tag: role for tag, role in roles.items() if role} == {
                "Q4_K_M": "minimum_viable"
            }
        (session,) = explorer_sessions(found)
        assert (session.minimum_viable_quant, session.best_value_quant) == ("Q4_K_M", "")


def test_a_null_is_an_empty_cell_with_its_reason_and_never_0() -> None:
    found = summary(seven())
    back = pd.read_csv(io.StringIO(summary_table(found)))
    assert list(back["quant_tag"]) == [row.quant_tag for row in found.sessions[0].per_quant]
    assert back["peak_vram_mib"].isna().all()
    assert back["null_reasons"].str.contains("peak_vram_mib: ").all()
    assert back["adherence_score"].notna().all()
    assert back["null_reasons"].str.contains("same_answer_rate: NO_ANSWERS_TO_COMPARE").all()


def test_the_table_has_file_and_counts() -> None:
    table = list(csv.DictReader(io.StringIO(summary_table(summary(seven())))))
    assert [row["file_bytes"] for row in table] == ["1"] * 7
    assert table[0]["file_sha256"] == "0" * 64
    flips = [(row["tasks_correct_to_wrong"], row["tasks_wrong_to_correct"]) for row in table]
    assert flips[0] == ("", "")
    assert flips[-1] == ("127", "0")
    assert [row["verdict"] for row in table] == ["", *["KEPT"] * 4, "LOST", "LOST"]
    assert float(table[4]["verdict_kept_low"]) < 1 < float(table[4]["verdict_kept_high"]) + 0.05
    low, score, high = (
        float(table[4][name]) for name in ("adherence_low", "adherence_score", "adherence_high")
    )
    assert low < score < high
    assert [float(row["bits_per_weight"]) for row in table][::6] == [16.05, 3.16]


def test_the_table_has_the_place_among_all_models() -> None:
    big = [row("Q8_0", 8.5, 0.7, model_id="big"), failed("Q2_K", 3.2)]
    small = [row("Q8_0", 8.5, 0.99, model_id="small")]

    listed = summary_table(summary([big[0], big[1].model_copy(update={"model_id": "big"})], small))

    again = pd.read_csv(io.StringIO(listed), dtype=str, keep_default_na=False)
    assert list(again["overall_rank"]) == ["2", "", "1"]
    assert list(again["overall_pareto"]) == ["False", "", "True"]
    alone = next(csv.DictReader(io.StringIO(summary_table(summary(small)))))
    assert (alone["overall_rank"], alone["overall_pareto"]) == ("", "")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-dash", "'-dash"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", r"\t=1"),
        ("a\x1b[2J\nb", r"a\x1b[2J\nb"),
        ("qwen3:8b", "qwen3:8b"),
        ("a=b", "a=b"),
        ("1-2", "1-2"),
        ("", ""),
    ],
)
def test_a_name_is_one_cell_and_no_formula(name: str, shown: str) -> None:
    table = summary_table(summary([row("Q8_0", 8.5, 0.9, model_id=name)]))
    read = next(csv.DictReader(io.StringIO(table)))
    assert read["model_id"] == shown
    assert float(read["adherence_score"]) == 0.9
