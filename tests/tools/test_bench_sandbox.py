"""`tools/bench sandbox`: what one judged example costs, measured here."""

from __future__ import annotations

import json
import re

import pytest
from bench.__main__ import main
from task_forms import walled


def test_every_sandbox_that_works_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    walled()
    assert main(["sandbox", "--answers", "3", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["costs"]
    assert {row["examples"] for row in rows} == {1, 4}
    assert all(len(row["ms_per_example"]) == 3 for row in rows)
    assert all(cost > 0 for row in rows for cost in row["ms_per_example"])


def test_the_median_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    sandbox = walled()
    assert main(["sandbox", "--answers", "3"]) == 0
    out = capsys.readouterr().out
    assert re.search(rf"^{sandbox.name} +answers with 4 .* median [\d.]+ ms per example", out, re.M)


def test_a_median_needs_three(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["sandbox", "--answers", "2"])
    assert stop.value.code == 2
    assert "at least 3" in capsys.readouterr().err
