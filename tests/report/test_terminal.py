"""What the workflow prints at its end."""

from __future__ import annotations

import pytest
from report_summaries import failed, polluted, row, seven, summary

from orket_lib.artifacts.views.row import FailureCount
from orket_lib.report.terminal import terminal_summary
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import AnswerFailure, Lane

REPORT = "results/reference/quant_sweep/sweep_report.md"


def line_of(text: str, tag: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.startswith(f"{tag} "))


def test_a_sweep_fits_100_columns_and_says_what_to_run() -> None:
    text = terminal_summary(summary(seven(), lane=Lane.CI), REPORT)

    assert max(map(len, text.splitlines())) <= 100
    assert line_of(text, "Q4_K_M") == [
        "Q4_K_M", "4.90", "0.964", "-2", "+0", "p=0.5", "2561", "11.9", "0.0180", "62.4",
        "kept,", "P=0.996,", "pick",
    ]  # fmt: skip
    assert "best value" not in text.lower()
    assert line_of(text, "F16")[3] == "-"
    assert "orket-nano: run Q4_K_M" in text
    assert "ci lane: speeds are not evidence" in text
    assert text.endswith(f"report: {REPORT}\n")


def test_lane_lab_has_no_warning() -> None:
    assert "evidence" not in terminal_summary(summary(seven()), REPORT)


def test_a_width_is_kept_and_the_report_path_is_never_broken() -> None:
    path = "results/" + "x" * 120 + "/sweep_report.md"

    text = terminal_summary(summary(seven()), path, width=80)

    *others, last = text.splitlines()
    assert max(map(len, others)) <= 80
    assert last == f"report: {path}"


def test_colour_is_ansi_and_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")  # both: whoever calls decides, not the environment

    assert "\x1b[" not in terminal_summary(summary(seven()), REPORT)
    assert "\x1b[32m" in terminal_summary(summary(seven()), REPORT, colour=True)


def test_nulls_and_foreign_letters_stay_within_cp1252() -> None:
    null = Null("TIMING_UNAVAILABLE")
    rows = [
        row("Q8_0", 8.5, 0.9, model_id="模型 [red]—", generation_tokens_per_second=null),
        polluted("Q4_K_M", 4.9, 0.9, "hot"),
        failed("Q2_K", 3.16),
    ]

    text = terminal_summary(summary(rows), REPORT)

    assert text.encode("cp1252").decode("cp1252") == text
    assert "?? [red]—" in text
    assert line_of(text, "Q8_0")[4] == "-"
    assert line_of(text, "Q4_K_M")[-2:] == ["not", "valid"]
    assert line_of(text, "Q2_K")[2:] == ["-", "-", "-", "-", "-", "-", "load", "failed"]


def test_why_answers_failed_and_why_a_quant_did_not_load_is_in_the_table() -> None:
    cut = FailureCount(failure=AnswerFailure.CUT, runs=84, first="add-0001 run 1")
    wrong = FailureCount(failure=AnswerFailure.WRONG, runs=3, first="add-0002 run 1")
    rows = [row("Q8_0", 8.5, 0.5, failures=(wrong, cut), test_runs=168), failed("Q2_K", 3.16)]
    text = terminal_summary(summary(rows), REPORT, width=160)
    assert "84 of 168 CUT" in text
    assert "3 of 168" not in text  # wrong answers are the quant's own
    assert "Q2_K: the file is | not a model" in text
    assert "raise max_output_tokens" in text


def test_nothing_measured_says_so() -> None:
    assert "Nothing was measured" in terminal_summary(summary(), REPORT)
    only_failures = terminal_summary(summary([failed("Q2_K", 3.16)]), REPORT)
    assert "no quant has answers to judge" in " ".join(only_failures.split())


def test_every_model_has_its_table() -> None:
    other = [row("Q8_0", 8.5, 0.9, model_id="other")]

    lines = terminal_summary(summary(seven(), other), REPORT).splitlines()

    titles = ["orket-nano on the CPU", "other on the CPU"]
    assert [line for line in lines if line in titles] == titles


def test_several_models_end_with_the_best_of_all() -> None:
    small = [row("Q8_0", 8.5, 0.99, model_id="small", peak_memory_rss=3000.0)]
    big = [row("Q8_0", 8.5, 0.7, model_id="big", peak_memory_rss=9000.0)]

    text = terminal_summary(summary(big, small), REPORT)

    said = " ".join(text.split("all models\n")[1].split())
    assert said.startswith("best of all: small Q8_0, adherence 0.988 (")
    assert "best of big: Q8_0 is behind by 0.286 (" in said
    assert "best that fits (by RAM, as no GPU serves): 4 to 48 GiB: small Q8_0" in said
    assert "all models" not in terminal_summary(summary(small), REPORT)


def test_a_server_s_words_in_the_ranking_send_no_control_characters() -> None:
    words = "refused\x1b]0;title\x07"
    absent = failed("Q2_K", 3.16).model_copy(update={"model_id": "other", "status_reason": words})
    text = terminal_summary(summary(seven(), [absent]), REPORT)
    assert "not ranked: other Q2_K (refused\\x1b]0;title" in " ".join(text.split())
    assert "\x1b" not in text
