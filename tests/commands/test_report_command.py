"""`orket report`: any one of its outputs, or several."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import NOW
from report_summaries import seven, summary

from orket_lib.artifacts.io import read_model, write_json, write_model
from orket_lib.artifacts.views.receipt import TakenPart
from orket_lib.artifacts.views.summary import Summary
from orket_lib.artifacts.views.verdict import SweepWants
from orket_lib.cli import main
from orket_lib.report.terminal import terminal_summary


@pytest.fixture(autouse=True)
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_model(Path("summary.json"), summary(seven()))


def made(*options: str) -> set[str]:
    assert main(["report", "--summary", "summary.json", *options]) == 0
    return {path.as_posix() for path in Path().rglob("*.*") if path.name != "summary.json"}


@pytest.mark.parametrize(
    ("options", "files"),
    [
        (("--out-md", "a/r.md"), {"a/r.md", "a/plots/frontier.png", "a/plots/fidelity.png"}),
        (("--out-html", "a/r.html"), {"a/r.html"}),
        (("--out-md", "r.md", "--out-plot", "p.png"), {"r.md", "p.png", "fidelity.png"}),
        (("--out-plot", "p.png"), {"p.png", "fidelity.png"}),
        (("--out-scatter", "s.json"), {"s.json"}),
        (("--out-table", "t.csv"), {"t.csv"}),
        (("--out-wants", "w.json"), {"w.json"}),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_any_one_of_the_outputs_is_made_alone(options: tuple[str, ...], files: set[str]) -> None:
    assert made(*options) == files


def test_a_page_without_the_report_is_the_page_beside_one() -> None:
    made("--out-html", "alone/r.html")
    made("--out-md", "both/r.md", "--out-html", "both/r.html")
    assert Path("alone/r.html").read_bytes() == Path("both/r.html").read_bytes()


def test_what_is_wanted_is_answered_in_each_form() -> None:
    write_model(Path("summary.json"), summary(seven(), matrix={"wants": {"decode_tps": 2700.0}}))
    made("--out-md", "r.md", "--out-html", "r.html", "--out-wants", "w.json")
    (found,) = read_model(Path("w.json"), SweepWants).models
    assert found.nearly[0] == "Q4_K_M"
    assert found.sentences[-1] == "With 2561 tokens/s, Q4_K_M meets the rest."
    for name in ("r.md", "r.html"):
        text = Path(name).read_text(encoding="utf-8").replace("\\_", "_")
        assert all(line.partition(" ")[2][-30:] in text for line in found.sentences[1:])
    assert "With 2561 tokens/s" in terminal_summary(
        read_model(Path("summary.json"), Summary), "r.html"
    )


def test_no_output_at_all_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["report", "--summary", "summary.json"])
    assert ended.value.code == 2
    assert "nothing to write: give --out-md" in capsys.readouterr().err


def receipt_of(sha256: str) -> None:
    """Write the receipt of the one row that was measured here."""
    write_json(Path("cells/receipt.json"), {"parts": [{"sha256": sha256}]})


@pytest.fixture
def quoting() -> None:
    """A summary whose first row quotes a measurement."""
    rows = list(seven())
    part = TakenPart(kind="answers", path="answers.json", sha256="a" * 64, measured_at=NOW)
    rows[0] = rows[0].model_copy(update={"report_path": "cells/run.json", "parts": (part,)})
    write_model(Path("summary.json"), summary(rows))


@pytest.mark.usefixtures("quoting")
def test_a_report_of_measurements_that_were_replaced_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    receipt_of("b" * 64)
    assert main(["report", "--summary", "summary.json", "--out-md", "r.md"]) == 1
    said = capsys.readouterr().err
    assert "F16: cells/receipt.json has other measurements than this summary" in said
    assert not Path("r.md").exists()


@pytest.mark.usefixtures("quoting")
def test_a_report_of_the_measurements_that_count_is_made() -> None:
    receipt_of("a" * 64)
    made("--out-md", "r.md")


@pytest.mark.usefixtures("quoting")
def test_a_report_is_made_far_from_its_storage() -> None:
    made("--out-md", "r.md")
