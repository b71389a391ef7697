"""A file that is not there is one message and exit code 1, whichever command was to read it."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import pytest
from explorer_artifacts import frontier_of_text
from report_summaries import seven, summary

from orket_lib.artifacts.io import write_json, write_model
from orket_lib.artifacts.views.summary import Summary
from orket_lib.cli import GROUPS, main

SERVER = "--provider openai --base-url http://127.0.0.1:9 --model m"

# `no...` is not there; what is read before it is.
LINES = [
    "sweep no.yaml",
    "init no.gguf",
    "plan no.yaml",
    "plan some.yaml no.yaml",
    "doctor no.yaml",
    "status no.yaml",
    "preflight --needs no.json --out o.json",
    "quantize --base no.gguf --quant Q4_K_M --binary PYTHON --out o.gguf",
    "measure-canary --spec no.json --out o.json",
    "canary-verdict --policy no.json --receipt no.json --out o.json",
    "require --canary no.json",
    "require --preflight no.json",
    "require --kpi-gate no.json",
    "require --regression no.json",
    "require --cells no.json",
    "measure-cell --spec no.json --tasks no.json --out o.json",
    "run-report --receipt no.json --spec no.json --tasks no.json --out o.json",
    "measure-sidecar --spec no.json --out o.json",
    "sidecar-view --receipt no.json --settings no.json --out o.json",
    "sidecar-probe --backend cpu --model no.gguf --quant Q4_K_M --out o.json",
    "row --report no.json --settings no.json --out o.json",
    "look --settings no.json --rows no.json --cells . --model m --batch 1 --out o.json",
    "summary --matrix no.json --canary no.json --out o.json",
    "kpis --summary no.json --out o.json",
    "kpi-gate --summary no.json",
    "kpi-gate --summary summary.json --policy no.json",
    "frontier --summary no.json --out o.json",
    "measure-contexts --frontier no.json --cells no.json --policy no.json --settings no.json "
    "--needs no.json --model m --out-folder o",
    "context-ceiling --contexts 512 --summary-template no_{context}.json --out o.json",
    "measure-contexts --quant F16 --row no.json --cells no.json --policy no.json "
    "--settings no.json --needs no.json --model m --out-folder o",
    "context-quants --contexts 512 --folders no --out o.json",
    "measure-thermal --frontier no.json --cells no.json --settings no.json --model m --out o.json",
    "thermal-profile --summaries no.json --out o.json",
    "thermal-profile --summaries summary.json --quant-tag F16 --frontier no.json --out o.json",
    "history add no.json",
    "contracts --frontier no.json",
    "contracts --frontier frontier.json no.json",
    "contracts --context no.json",
    "contracts --thermal no.json",
    "baselines record --summary no.json",
    "baselines record --report no.json --bank b.json",
    "baselines compare --summary no.json",
    "report --summary no.json --out-md o.md",
    "report --summary summary.json --out-html o.html --context no.json",
    "report --summary summary.json --out-md o.md --thermal no.json",
    "tasks validate no.json",
    "tasks list no.json",
    "tasks show no.json 1",
    "tasks import no.csv --out o.json",
    "tasks verify no.json",
    f"run-task --task no.json --run-dir . {SERVER}",
    "clocks --summary no.json",
    "fidelity no.json no.json",
    "measure-fidelity --rows . --cells no.json --settings no.json --tasks no.json --model m "
    "--out o.json",
    "kld --receipt no.json --out o.json",
    "watch no.yaml",
    "show no.yaml",
    "open no.yaml",
    "retry Q8_0 no.yaml",
    "init no.gguf",
    "flips no.yaml",
    "compare no.yaml no.yaml",
    "export no.yaml",
    "verify no.zip",
]


@cache
def of_seven() -> Summary:
    return summary(seven())


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_model(Path("summary.json"), of_seven())
    write_json(Path("frontier.json"), frontier_of_text())
    Path("some.yaml").write_text("models: [nano]\nquants: [Q8_0]\n", encoding="utf-8")


def test_every_command_is_tried() -> None:
    assert {line.split()[0] for line in LINES} == {
        name for group in GROUPS for name in group.commands
    } - {"where", "start", "completion", "bundle"}  # they read no file that is named


@pytest.mark.parametrize("line", LINES)
def test_a_missing_file_is_exit_code_1_and_named(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main([sys.executable if word == "PYTHON" else word for word in line.split()])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else -1
    said = capsys.readouterr()
    assert (code, said.out) == (1, "")
    missing = next(word for word in line.split() if word.startswith("no"))
    assert missing.format(context=512) in said.err
    assert not list(Path().glob("o.*"))
