"""`orket sweep` as a person calls it, up to the start of Snakemake."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from ollama_running import simulated_ollama

from orket_lib.cli import main
from orket_lib.commands.sweeps import _named
from orket_lib.doctor.suggested import Suggestion
from orket_lib.vocabulary.providers import PROVIDERS
from orket_lib.workflow.job_environment import rerun_command

ROOT = Path(__file__).resolve().parents[2]
NANO = ROOT / "models" / "orket-nano" / "orket-nano-F16.gguf"
SNAKEMAKE = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile")]
CONFIG = "{models: [m], quants: [Q8_0], artifact_template: x.gguf}"
pytestmark = pytest.mark.skipif(os.name == "nt", reason="there, Snakemake is a child process")


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that this process would have become."""
    commands: list[list[str]] = []

    def become(program: str, words: list[str]) -> None:
        assert program == words[0]
        commands.append(words)
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", become)
    monkeypatch.setenv("ORKET_SNAKEMAKE_COMMAND", "snakemake")  # and take it away afterwards
    return commands


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["--reference", "--yes"], []),
        (["--reference", "--quick"], ["--config", "quick=true"]),
        (["a.yaml", "my own.yaml"], ["--configfile", "a.yaml", "my own.yaml"]),
        (
            ["a.yaml", "--quick", "--config", "seed=9", "n_ctx=512"],
            ["--configfile", "a.yaml", "--config", "seed=9", "n_ctx=512", "quick=true"],
        ),
        (
            ["a.yaml", "--want", "decode_tps=30", "--config", "seed=9", "--want", "memory_gib=1.5"],
            [
                "--configfile",
                "a.yaml",
                "--config",
                "seed=9",
                "wants={decode_tps: 30, memory_gib: 1.5}",
            ],
        ),
        (
            ["--reference", "--yes", "--want", "context=512"],
            ["--config", "wants={context: 512}"],
        ),
    ],
)
def test_snakemake_is_started_with_our_workflow(
    started: list[list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    typed: list[str],
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.yaml", "my own.yaml"):
        Path(name).write_text(CONFIG, encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["sweep", *typed])
    assert started == [[*SNAKEMAKE, *words]]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--want", "decod_tps=3"], "--want decod_tps=3: there is no such want; did you mean `d"),
        (["--want", "watts=3"], "there is no such want; there are decode_tps, ttft_ms"),
        (["--want", "decode_tps"], "--want decode_tps: needs a number, as in --want decode_tps=30"),
        (["--want", "decode_tps=x"], '--want decode_tps: must be a number (got "x")'),
        (["--want", "ram_gib=-1"], '--want ram_gib: must be a number > 0 (got "-1")'),
        (["--want", "ram_gib=inf"], '--want ram_gib: must be a number > 0 (got "inf")'),
        (["--want", "context=1e300"], "a whole number of tokens from 256 to 2147483647"),
        (["--want", "ram_gib=1", "--want", "ram_gib=2"], "--want ram_gib: given 2 times"),
        (["--want", "ram_gib=1", "--config", "wants={ttft_ms: 3}"], "in one of the two ways"),
    ],
)
def test_a_want_that_is_wrong_is_one_clear_line(
    started: list[list[str]],
    capsys: pytest.CaptureFixture[str],
    typed: list[str],
    said: str,
) -> None:
    assert main(["sweep", "--reference", *typed]) == 1
    assert said in capsys.readouterr().err
    assert not started


def test_messages_name_a_snakemake_that_can_be_typed(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit):
        main(["sweep", "--reference"])
    assert rerun_command(["make_row"]).startswith(f"{sys.executable} -m snakemake -R make_row")
    assert started


def test_what_snakemake_would_end_in_a_traceback_with_is_said(
    started: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template = tmp_path / "template.yaml"
    template.write_text("__use_yte__: true\n", encoding="utf-8")
    for typed, words in (
        (["none.yaml"], "none.yaml: No such file"),
        ([str(template)], "must not be a template"),
        (["--reference", "--config", "seed"], "--config seed: must be key=value"),
        (["--reference", "a.yaml"], "--reference: not allowed together with anything else"),
        ([str(template), "ollama:x"], "a config names its models itself"),
    ):
        assert main(["sweep", *typed]) == 1
        assert words in capsys.readouterr().err
    assert started == []


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Suggestion:
    """What the doctor suggests, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    suggestion = Suggestion(
        "a model", {"models": ["My:model"], "quants": ["Q8_0"], "artifact_template": "x.gguf"}, {}
    )
    monkeypatch.setattr(_named, "propose", lambda wanted: suggestion)
    return suggestion


def test_with_nothing_named_the_doctor_s_suggestion_is_run(
    started: list[list[str]], found: Suggestion, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["sweep", "--yes"])
    assert started == [[*SNAKEMAKE, "--configfile", "My_model.yaml"]]
    assert yaml.safe_load(Path("My_model.yaml").read_text(encoding="utf-8")) == found.config
    assert "quants: [Q8_0]" in capsys.readouterr().err

    mine = "{models: ['My:model'], quants: [Q8_0], artifact_template: y.gguf}  # mine\n"
    Path("My_model.yaml").write_text(mine, encoding="utf-8")
    with pytest.raises(SystemExit):  # the same command goes on
        main(["sweep", "--yes"])
    assert started[1] == started[0]
    assert mine in capsys.readouterr().err
    assert Path("My_model.yaml").read_text(encoding="utf-8") == mine


def test_a_config_about_other_models_is_never_replaced(
    started: list[list[str]], found: Suggestion, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("My_model.yaml", "My_model-2.yaml"):
        Path(name).write_text(CONFIG, encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["sweep", "--yes"])
    assert started == [[*SNAKEMAKE, "--configfile", "My_model-3.yaml"]]
    assert Path("My_model.yaml").read_text(encoding="utf-8") == CONFIG
    assert "My_model-3.yaml: written" in capsys.readouterr().err


def test_a_folder_or_file_is_swept_unasked_by_the_config_that_is_written(
    started: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")  # no llama-server
    (tmp_path / "möwe 1").mkdir()
    for quant in ("Q8_0", "Q4_K_M"):
        source = ROOT / "models" / "orket-nano" / f"orket-nano-{quant}.gguf"
        (tmp_path / "möwe 1" / f"m-{quant}.gguf").write_bytes(source.read_bytes())
    (tmp_path / "blob").write_bytes(source.read_bytes())  # without a suffix, as Ollama keeps them
    for what in ("möwe 1", "möwe 1/m-Q4_K_M.gguf", "blob"):
        with pytest.raises(SystemExit):
            main(["sweep", what, "--quick", "--config", "seed=9"])
    settings = ["--config", "seed=9", "quick=true"]
    assert started == [
        [*SNAKEMAKE, "--configfile", name, *settings]
        for name in ("m.yaml", "m-2.yaml", "blob.yaml")
    ]
    config = yaml.safe_load(Path("m.yaml").read_text(encoding="utf-8"))
    assert (config["quants"], config["seed"]) == (["Q8_0", "Q4_K_M"], 9)
    assert "quick" not in config  # of one call


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder that even root can't write to")
def test_a_folder_that_can_t_be_written_to_is_said(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir("/proc")
    for typed in (["sweep", "--reference"], ["init", str(ROOT / "models")]):
        assert main(typed) == 3
        said = capsys.readouterr().err
        assert "/proc: can't be written to" in said
        assert "cd FOLDER" in said
    assert started == []


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize(("answer", "agreed"), [("\n", True), ("y\n", True), ("n\n", False)])
def test_it_is_asked_first(
    started: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
    agreed: bool,
) -> None:
    terminal = io.StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    if agreed:
        with pytest.raises(SystemExit):
            main(["sweep"])
    else:
        assert main(["sweep"]) == 3
        assert "type: orket sweep --yes" in capsys.readouterr().err
    assert bool(started) is agreed
    assert Path("My_model.yaml").exists() is agreed


@pytest.mark.usefixtures("found")
def test_without_a_terminal_nothing_is_measured_unasked(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["sweep"]) == 3
    assert started == []


@pytest.mark.parametrize(
    ("answer", "unloads"),
    [("y\n", True), ("n\n", False), (None, False)],
    ids=["y", "n", "no terminal"],
)
def test_what_another_server_holds_in_memory_is_named_and_unloaded_if_agreed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str | None,
    unloads: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.yaml").write_text(CONFIG, encoding="utf-8")
    terminal = io.StringIO(answer or "")
    monkeypatch.setattr(terminal, "isatty", lambda: answer is not None)
    monkeypatch.setattr(sys, "stdin", terminal)
    with simulated_ollama({"nano:f16": {"file": str(NANO)}}) as server:
        found = replace(PROVIDERS["ollama"], default_url=server.url)
        monkeypatch.setitem(PROVIDERS, "ollama", found)
        server.load("nano:f16")
        with pytest.raises(SystemExit):
            main(["sweep", "m.yaml"])
        said = capsys.readouterr().err
        assert f"ollama at {server.url} holds nano:f16 in memory" in said
        assert (server.loaded == []) is unloads
        assert ("type first: ollama stop nano:f16" in said) is not unloads
