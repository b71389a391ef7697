"""The table of all runs: what is in it, as CSV, as Parquet, and as it is documented."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import pandas as pd
import pytest
from builders import probe, report, run, session
from report_summaries import failed, row, summary

from orket_lib.artifacts.printed.run_table import ExportedRun
from orket_lib.artifacts.views.run_report import NotAsked, Observation, RunReport
from orket_lib.report.exports.runs import columns, csv_text, parquet_bytes, run_rows
from orket_lib.vocabulary.errors import OrketError
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Outcome

HOSTILE = '<script>\x1b[2J\u202e\0 =1+1, "quoted"\r\n| **b**'
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "export.md"


def rows_of(found: RunReport | None, measured: bool = True) -> list[ExportedRun]:
    one = row("Q4_K_M", 4.9, 0.5) if measured else failed("Q4_K_M", 4.9)
    sweep = summary([one])
    return list(run_rows(sweep, sweep.sessions[0].per_quant[0], found))


def table_of(found: RunReport | None, answers: bool = False) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_text(rows_of(found), answers))))


def test_every_run_is_one_row_with_what_was_served() -> None:
    hot = Observation.of(Reason.THERMAL_THROTTLE, "85 °C")
    found = report(
        sessions=(session(), session(index=1)),
        probes=(probe(0), probe(1)),
        discarded_probes=(probe(0, ttft_ms=Null("NOT_OBSERVED")),),
        test_runs=(run(1), run(2, outcome=Outcome.FAIL, answer="7")),
        discarded_runs=(run(2, reasons=(hot,)).model_copy(update={"session": 1}),),
        not_asked=(
            NotAsked(test_id="tool-0009", task_id=9, family="tool", tier=2, reason="TOOLS_REFUSED"),
        ),
    )
    table = table_of(found)
    assert [(it["kind"], it["counted"], it["outcome"], it["failure"]) for it in table] == [
        ("probe", "True", "", ""),
        ("probe", "True", "", ""),
        ("probe", "False", "", ""),
        ("answer", "True", "pass", ""),
        ("answer", "True", "fail", "WRONG"),
        ("answer", "False", "pass", ""),
        ("not_asked", "False", "", ""),
    ]
    assert [it["adherence_score"] for it in table] == ["", "", "", "1.0", "0.0", "1.0", ""]
    assert "adherence_score: NOT_OF_THIS_KIND" in table[0]["null_reasons"]
    assert "ttft_ms: NOT_OBSERVED" in table[2]["null_reasons"]
    assert "adherence_score: TOOLS_REFUSED" in table[6]["null_reasons"]
    assert table[5]["run_quality_reasons"] == "THERMAL_THROTTLE: 85 °C"
    assert table[5]["session"] == "1"
    served = ("bits_per_weight", "file_bytes", "file_sha256", "n_ctx", "load_seconds", "machine")
    assert [table[3][name] for name in served] == [
        *("4.9", "1", "0" * 64, "2048", "0.5", "linux|testing_cpu|4|16|none")
    ]
    figures = ("output_tokens", "generation_tokens_per_second", "total_latency", "ttft_ms")
    assert [table[3][name] for name in figures] == ["32", "155.0", "0.32", "110.0"]


def test_a_quant_without_runs_is_one_row_that_says_why() -> None:
    (one,) = rows_of(None, measured=False)
    assert (one.kind, one.counted, one.status_reason) == (
        "no_run",
        False,
        "the file is | not a model",
    )
    assert one.null_reasons["adherence_score"] == "STATUS_LOAD_FAILED"


def test_the_same_runs_give_the_same_text() -> None:
    found = report(probes=(probe(0),), test_runs=(run(1),))
    assert csv_text(rows_of(found), True) == csv_text(rows_of(found), True)
    names = [reason.split(":")[0] for reason in table_of(found)[0]["null_reasons"].split("; ")]
    assert names == [name for name in ExportedRun.readings() if name in names]


def test_a_hostile_answer_is_one_cell_of_visible_text() -> None:
    huge = "=" + "x" * 1_000_000
    found = report(probes=(), test_runs=(run(1, answer=HOSTILE), run(2, answer=huge)))
    text = csv_text(rows_of(found), answers=True)
    assert all(line.isprintable() for line in text.split("\n"))
    assert text.count("\n") == 3
    shown, cut = (it["answer"] for it in csv.DictReader(io.StringIO(text)))
    assert shown == r"<script>\x1b[2J\u202e\x00 =1+1, " + r'"quoted"\r\n| **b**'
    assert cut == f"'={'x' * 31_996}..."
    assert "answer" not in table_of(found)[0]


def test_pandas_reads_numbers_as_numbers() -> None:
    back = pd.read_csv(io.StringIO(csv_text(rows_of(report(probes=(probe(0),))), False)))
    kinds = {"whole number": "iuf", "number": "fi"}
    for column in columns(answers=False):
        if column.kind in kinds and back[column.name].notna().any():
            assert back[column.name].dtype.kind in kinds[column.kind], column.name


def test_without_pyarrow_one_message_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(OrketError, match="type `pip install pyarrow`, or write CSV") as raised:
        parquet_bytes(iter(()), answers=False)
    assert "\n" not in str(raised.value)


def test_parquet_has_the_same_table_with_units_and_texts_as_they_are() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    found = rows_of(report(probes=(probe(0),), test_runs=(run(1, answer=f"{HOSTILE}\ud800"),)))
    content = parquet_bytes(iter(found), answers=True)
    assert content == parquet_bytes(iter(found), answers=True)
    table = parquet.read_table(io.BytesIO(content))
    assert table.column_names == [column.name for column in columns()]
    assert table.schema.field("ttft_ms").metadata[b"unit"] == b"ms"
    assert table["answer"].to_pylist() == [None, f"{HOSTILE}\ufffd"]
    assert table["adherence_score"].to_pylist() == [None, 1.0]
    assert table["counted"].to_pylist() == [True, True]


def test_the_page_has_every_column_as_it_is() -> None:
    listed = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    described = [f"| `{it.name}` | {it.kind} | {it.unit} | {it.meaning} |" for it in columns()]
    assert listed[listed.index(described[0]) :] == described
