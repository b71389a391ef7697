"""A file nested deeper than Python reads is damaged like any other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orket_lib.artifacts.io import json_value
from orket_lib.doctor.places import _lm_studio
from orket_lib.measure.journal.journal import read_lines
from orket_lib.providers.ollama.store import stored_models
from orket_lib.sweep.batches import why_dropped
from orket_lib.telemetry.gpu.samples import read_gpu_samples
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.workflow.receipts import interruptions, receipt_state, taken_parts

DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("read", "nothing"),
    [(receipt_state, (0, False)), (taken_parts, None), (interruptions, ()), (why_dropped, None)],
)
def test_a_receipt_counts_as_none(
    read: Callable[[Path], Any], nothing: object, tmp_path: Path
) -> None:
    receipt = tmp_path / "receipt.json"
    receipt.write_text(DEEP)
    assert read(receipt) == nothing


def test_a_line_of_a_journal_is_damaged(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    journal.write_text(DEEP + "\n")
    with pytest.raises(ArtifactError, match="line 1 is damaged"):
        read_lines(journal)


def test_samples_end_before_such_a_line(tmp_path: Path) -> None:
    samples = tmp_path / "gpu.jsonl"
    samples.write_text(f'{{"devices": [], "absent": null}}\n{DEEP}\n')
    record = read_gpu_samples(samples)
    assert record is not None and record.samples == ()
    samples.write_text(DEEP)
    assert read_gpu_samples(samples) is None


def test_files_of_other_programs_are_passed_over(tmp_path: Path) -> None:
    manifest = tmp_path / "manifests/registry.ollama.ai/library/m/latest"
    settings = tmp_path / ".lmstudio/settings.json"
    for file in (manifest, settings):
        file.parent.mkdir(parents=True)
        file.write_text(DEEP)
    assert list(stored_models(tmp_path)) == []
    assert _lm_studio(tmp_path) == tmp_path / ".lmstudio/models"


@pytest.mark.parametrize("text", [DEEP, "", "{'a': 1}"])
def test_what_is_no_value_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        json_value(text)
