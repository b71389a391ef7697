"""Nothing is made of a summary that contradicts itself: one message with every contradiction."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_summaries import seven, summary

from orket_lib.artifacts.io import read_json, write_json, write_model
from orket_lib.cli import main

COMMANDS = {
    "report": ("--out-md", "o/report.md", "--out-scatter", "o/scatter.json"),
    "frontier": ("--out", "o/frontier.json"),
    "kpis": ("--out", "o/kpis.json"),
    "kpi-gate": ("--out", "o/gate.json", "--verdict-only"),
}


@pytest.fixture(autouse=True)
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    quants = [row.quant_tag for row in seven()]
    matrix = {"sweep": "reference", "models": ["orket-nano"], "quants": quants}
    write_model(Path("summary.json"), summary(seven(), matrix=matrix))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_summary_of_ours_is_taken(command: str) -> None:
    assert main([command, "--summary", "summary.json", *COMMANDS[command]]) == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_every_contradiction_is_named_at_once_and_nothing_is_made(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content = read_json(Path("summary.json"))
    (session,) = content["sessions"]
    session["efficiency_frontier"]["minimum_viable_quant_tag"] = "Q9"
    session["per_quant"].append(session["per_quant"][0])
    content["stability_kpis"]["polluted_run_rate"] = 0.25
    content["matrix"]["models"] = ["another"]
    write_json(Path("summary.json"), content)

    assert main([command, "--summary", "summary.json", *COMMANDS[command]]) == 1

    said = capsys.readouterr().err
    assert said.startswith("error: summary.json: contradicts itself:\n")
    for contradiction in (
        "orket-nano has a session and is not among the matrix's models",
        "another F16 is in the matrix and has no row",
        "orket-nano F16 has 2 rows",
        "orket-nano: efficiency_frontier.minimum_viable_quant_tag names Q9, which has no row",
        "stability_kpis.polluted_run_rate is 0.25, and the rows give 0",
    ):
        assert f"\n  {contradiction}" in said
    assert said.endswith("its sweep makes it again without measuring.\n")
    assert not Path("o").exists()
