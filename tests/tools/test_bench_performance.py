"""`tools/bench performance`: its tables, and what is said of a program that isn't there."""

from __future__ import annotations

from pathlib import Path

import clients
import pytest
from bench.__main__ import main
from clients import client_cost
from programs import NotRun, cost, program
from tables import Table, times


def test_a_table_is_markdown_with_its_notes() -> None:
    table = Table("A title", ("what", "time"), (("a|b", "1.0 s"),), ("A note.",))
    assert table.markdown() == (
        "### A title\n\n| what | time |\n| --- | --- |\n| a\\|b | 1.0 s |\n\nA note.\n"
    )


def test_a_ratio_to_nothing_is_none() -> None:
    assert (times(3, 2), times(3, 0)) == ("1.50 x", "-")


def test_starting_cancels_out_of_the_cost_of_a_request_and_of_a_chunk() -> None:
    def client(_: int, requests: int, chunks: int, __: Path) -> float:
        return 5.0 + requests * (0.002 + 0.00001 * chunks)

    found = client_cost(client, 10, 110)
    assert found.request == pytest.approx(2.32)
    assert found.chunk == pytest.approx(0.01)


def test_a_program_that_is_not_there_or_fails_is_no_number(tmp_path: Path) -> None:
    with pytest.raises(NotRun, match="not given: --aiperf PROGRAM"):
        program(None, "--aiperf")
    with pytest.raises(NotRun, match="--aiperf: no program there"):
        program(tmp_path / "aiperf", "--aiperf")
    with pytest.raises(NotRun, match="can't be started: No such file"):
        cost([tmp_path / "aiperf"], tmp_path)
    with pytest.raises(NotRun, match=r"sh: exit 3: it broke$"):
        cost(["sh", "-c", "echo start; echo it broke; exit 3"], tmp_path)
    with pytest.raises(NotRun, match=r"sh: exit 3: ERROR no net$"):
        cost(["sh", "-c", "echo ERROR no net; echo bye; exit 3"], tmp_path)
    assert cost(["sh", "-c", "echo yes"], tmp_path).said == "yes\n"


@pytest.mark.slow
def test_clients_are_measured_and_the_absent_are_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "_LONG", 64)
    assert main(["performance", "--small", "--parts", "clients"]) == 0
    out = capsys.readouterr().out
    assert "| http.client, parsed |" in out
    assert "| orket |" in out
    assert "GuideLLM: not run: not given: --guidellm PROGRAM" in out
