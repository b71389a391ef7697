"""`orket sweep` as a person calls it, up to the start of Snakemake."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from orket_lib.cli import main

ROOT = Path(__file__).resolve().parents[2]
SNAKEMAKE = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile")]


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that this process would have become."""
    commands: list[list[str]] = []

    def become(program: str, words: list[str]) -> None:
        assert program == words[0]
        commands.append(words)
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", become)
    return commands


@pytest.mark.skipif(os.name == "nt", reason="Snakemake is a child process there")
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
    ],
)
def test_snakemake_is_started_with_our_workflow(
    started: list[list[str]], typed: list[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["sweep", *typed])
    assert started == [[*SNAKEMAKE, *words]]
