"""T1 and T2: the labels of quant and context reach the server, and are read back from it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import gguf
import pytest
from nano import measure, nano_file, nano_spec, row_of

from orket_lib.artifacts.measurements.spec import ArtifactIdentity
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.processes.json_child import JsonChild
from orket_lib.providers.base import Source
from orket_lib.providers.llama_cpp import embedded
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane, RunStatus

ONE: dict[str, Any] = {"tasks": 1, "runs_per_task": 1, "probe_runs": 1}
_KEY = b"general.file_type" + struct.pack("<I", gguf.GGUFValueType.UINT32)


def lying_copy(folder: Path, claimed: gguf.LlamaFileType) -> Path:
    """Return a copy of the Q2_K model whose header names another type; not one weight differs."""
    content = bytearray(nano_file("Q2_K").read_bytes())
    assert content.count(_KEY) == 1
    place = content.index(_KEY) + len(_KEY)
    assert struct.unpack_from("<I", content, place) == (gguf.LlamaFileType.MOSTLY_Q2_K,)
    struct.pack_into("<I", content, place, claimed)
    path = folder / "orket-nano-lie.gguf"
    path.write_bytes(content)
    return path


def mismatches(report: RunReport) -> list[str]:
    return [
        seen.evidence
        for seen in report.observations
        if seen.reason is Reason.QUANT_IDENTITY_MISMATCH
    ]


def test_t01_a_header_that_lies_about_its_quant_is_convicted_by_the_weights(tmp_path: Path) -> None:
    lie = lying_copy(tmp_path, gguf.LlamaFileType.MOSTLY_Q8_0)
    report = measure(tmp_path / "cell", nano_spec("Q8_0", lie, **ONE), lie)
    served = report.sessions[0].served
    assert (served.quant_tag, served.file_quant_tag) == ("Q8_0", "Q8_0"), "the lie is believed"
    assert mismatches(report) == ["the file has 3.13 bits per weight, Q8_0 has about 8.5"]
    for lane in Lane:
        row = row_of(report, lane)
        assert not row.valid
        assert Reason.QUANT_IDENTITY_MISMATCH in [s.reason for s in row.run_quality_reasons]


def test_t01_what_is_served_is_read_back_and_not_repeated_from_the_label(tmp_path: Path) -> None:
    secretly = nano_file("Q4_K_M")
    report = measure(tmp_path / "cell", nano_spec("Q6_K", secretly, **ONE), secretly)
    assert report.status is RunStatus.MEASURED
    assert mismatches(report)[:2] == [
        "the server (/props model_ftype) says Q4_K_M, asked for Q6_K",
        "the file's header says Q4_K_M, asked for Q6_K",
    ]
    assert not row_of(report).valid


def test_t01_a_file_that_changed_since_it_was_planned_is_named_by_its_hash(tmp_path: Path) -> None:
    planned = ArtifactIdentity(sha256="a" * 64)
    wanted = nano_spec("Q2_K", **ONE).model_copy(update={"artifact": planned})
    report = measure(tmp_path / "cell", wanted)
    assert [f"planned was {'a' * 64}" in text for text in mismatches(report)] == [True]
    assert not row_of(report).valid


def test_t01_each_quant_is_another_model_to_the_server(tmp_path: Path) -> None:
    served = []
    for tag in ("Q8_0", "Q2_K"):
        log = tmp_path / f"{tag}.log"
        source = Source(nano_file(tag))
        with embedded.EmbeddedProvider().serve(nano_spec(tag), source, log) as model:
            served.append(model.served)
    assert [item.quant_tag for item in served] == ["Q8_0", "Q2_K"]
    assert len({item.sha256 for item in served}) == 2


def test_t02_a_server_with_a_smaller_context_than_asked_for_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def smaller(module: str, settings: dict[str, Any], messages: Any) -> Any:
        return JsonChild(module, settings | {"n_ctx": 1024}, messages)

    monkeypatch.setattr(embedded, "JsonChild", smaller)
    report = measure(tmp_path / "cell", nano_spec("Q2_K", **ONE))
    assert report.spec.n_ctx == 2048
    assert [(seen.reason, seen.evidence) for seen in report.observations] == [
        (Reason.CONTEXT_MISMATCH, "asked for 2048, served 1024")
    ]
    for lane in Lane:
        assert not row_of(report, lane).valid


def test_t02_the_context_that_was_asked_for_reaches_the_server_and_is_filled(
    tmp_path: Path,
) -> None:
    report = measure(tmp_path / "cell", nano_spec("Q2_K", n_ctx=768, **ONE))
    assert report.sessions[0].served.n_ctx == 768
    assert report.observations == ()
    (probe,) = report.probes
    assert probe.prompt_tokens is not None
    assert probe.output_tokens is not None
    assert 640 <= probe.prompt_tokens + probe.output_tokens <= 768
