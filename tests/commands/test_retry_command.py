"""`orket retry CELL` as a person calls it, up to the start of Snakemake."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import yaml
from config_folder import folder

from orket_lib.cli import main
from orket_lib.config.shipped import workflow_file

__all__ = ["folder"]

pytestmark = [
    pytest.mark.usefixtures("folder"),
    pytest.mark.skipif(os.name == "nt", reason="there, Snakemake is a child process"),
]
RECEIPT = "results/mine/cells/nano/Q4_K_M/receipt.json"


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that this process would have become."""
    commands: list[list[str]] = []

    def become(program: str, words: list[str]) -> None:
        commands.append(words)
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", become)
    monkeypatch.setenv("ORKET_SNAKEMAKE_COMMAND", "snakemake")
    return commands


def config(*models: str, **further: object) -> None:
    """Write `mine.yaml`, with two quants of each model."""
    files = {model: {"Q8_0": "models/nano-Q8_0.gguf"} for model in models}
    for found in files.values():
        found["Q4_K_M"] = "models/nano-Q4_K_M.gguf"
    content = {
        "models": list(models),
        "quants": ["Q8_0", "Q4_K_M"],
        "artifacts": files,
        "task_bank": "bank.json",
        "canary": {"runs": 0},
        **further,
    }
    Path("mine.yaml").write_text(yaml.safe_dump(content))


@pytest.mark.parametrize("cell", ["Q4_K_M", "nano/Q4_K_M"])
def test_the_command_is_printed_and_run(
    started: list[list[str]], capsys: pytest.CaptureFixture[str], cell: str
) -> None:
    config("nano")
    with pytest.raises(SystemExit):
        main(["retry", cell, "mine.yaml", "--config", "seed=9"])
    where = ["-s", str(workflow_file())]
    words = ["-R", RECEIPT, "--configfile", "mine.yaml", "--config", "seed=9"]
    assert started == [[sys.executable, "-m", "snakemake", *where, *words]]
    assert capsys.readouterr().err == f"snakemake {' '.join([*where, *words])}\n"


def test_all_rounds_of_a_cell_are_measured_again(started: list[list[str]]) -> None:
    config("nano", rounds=2)
    Path("Snakefile").touch()  # as in a checkout
    with pytest.raises(SystemExit):
        main(["retry", "Q4_K_M", "mine.yaml"])
    again = RECEIPT.replace("receipt", "round-2/receipt")
    assert started[0][3:] == ["-R", RECEIPT, again, "--configfile", "mine.yaml"]


@pytest.mark.parametrize(
    ("models", "cell", "words"),
    [
        (("nano",), "Q4_K_X", "no such cell"),
        (("nano",), "nano/Q4_K", "did you mean `nano/Q4_K_M`?"),
        (("nano", "other"), "Q4_K_M", "several models have this quant; cells: nano/Q8_0, "),
    ],
)
def test_a_cell_that_is_not_one_is_refused_with_those_there_are(
    started: list[list[str]],
    capsys: pytest.CaptureFixture[str],
    models: tuple[str, ...],
    cell: str,
    words: str,
) -> None:
    config(*models)
    assert main(["retry", cell, "mine.yaml"]) == 1
    assert words in capsys.readouterr().err
    assert started == []
