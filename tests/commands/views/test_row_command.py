"""`orket row`: what a row keeps of its run report."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import STRICT, report, run, spec

from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.row_settings import RowSettings
from orket_lib.artifacts.views.row import Row
from orket_lib.artifacts.views.run_report import NotAsked
from orket_lib.cli import main
from orket_lib.vocabulary.statuses import Lane, Outcome, VramProfile


def test_a_row_keeps_what_other_quants_are_compared_with_and_a_baseline_warns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = (
        *(run(1, 0, answer="```\n1 apple\n```"), run(1, 1, answer="1 apply\n")),
        *(run(2, 0, Outcome.TIMEOUT), run(2, 1, Outcome.TIMEOUT)),
    )
    missing = NotAsked(
        test_id="calls-0003", task_id=3, family="calls", tier=2, reason="TOOLS_REFUSED"
    )
    found = report(spec=spec(), test_runs=runs, not_asked=(missing,))
    write_model(tmp_path / "run.json", found)
    settings = RowSettings(
        policy=STRICT,
        execution_lane=Lane.LAB,
        vram_profile=VramProfile.SAFE,
        provenance_ref="test",
        quant_bits={},
    )
    write_model(tmp_path / "settings.json", settings)

    asked = ["--report", tmp_path / "run.json", "--settings", tmp_path / "settings.json"]
    assert main(["row", *map(str, asked), "--out", str(tmp_path / "row.json")]) == 0

    one, two, three = read_model(tmp_path / "row.json", Row).task_scores
    assert (one.bank, one.answer, one.repeated) == ("bank", "1 apple", 6 / 7)
    assert (two.answer, two.repeated) == (None, None)
    assert (three.test_id, three.bank, three.level) == ("calls-0003", "bank", 2)
    assert (three.answer, three.adherence_score) == (None, None)
    assert three.null_reasons == {"adherence_score": "TOOLS_REFUSED"}
    assert "verdict" not in capsys.readouterr().err

    again = ["--baseline", "--out", str(tmp_path / "row.json")]
    assert main(["row", *map(str, asked), *again]) == 0
    said = capsys.readouterr().err
    assert "nano: Q4_K_M answers 1 of 2 tasks, too few for a verdict; the other quants'" in said
    assert "(2 of 4 answers of Q4_K_M failed for TIMEOUT: raise task_timeout_sec)" in said
