"""One run of a sweep as a row of a table for other programs: `orket export`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from orket_lib.artifacts.base import Count, Measured, Reading, Share
from orket_lib.vocabulary.statuses import (
    AnswerFailure,
    Lane,
    Outcome,
    Quality,
    RunStatus,
    TokenStatus,
    VramProfile,
)

RunKind = Literal["answer", "probe", "not_asked", "no_run"]


def column(description: str, unit: str = "") -> Any:
    """Return a field with the unit of its numbers."""
    return Field(description=description, json_schema_extra={"unit": unit} if unit else None)


class ExportedRun(Measured):
    """One run. Columns come in this order; a null reading has its reason in `null_reasons`."""

    sweep: str = column("name of the sweep")
    model_id: str = column("model")
    quant_tag: str = column("quant")
    kind: RunKind = column(
        "`answer`: one run of a task; `probe`: one speed measurement, never graded; `not_asked`: a "
        "task that the model could not be asked; `no_run`: a quant without any run, see `status`"
    )
    counted: bool = column("false for a run that was disturbed and repeated, and where none was")
    test_id: str | None = column("task; null for a probe")
    family: str | None = column("kind of work of the task")
    level: int | None = column("intended difficulty of the task, from 1")
    bank_id: str = column("task bank")
    run_index: int | None = column("which run of the task, or which probe, from 0")
    session: int | None = column("which load of the model, from 0")
    started_s: float | None = column("start of the run after its load of the model", "s")
    status: RunStatus = column("how the measurement of this quant ended")
    status_reason: str | None = column("why the quant was not measured; null if it was")
    outcome: Outcome | None = column("how the run of a task ended; null for a probe")
    failure: AnswerFailure | None = column("kind of failure of an answer; null if it didn't fail")
    detail: str | None = column("error of the server, or why a task was not asked")
    adherence_score: Share = column("score of the answer, 0 to 1")
    form_kept: bool | None = column("whether the answer had the form that its task asks for")
    finish_reason: str | None = column("why the server ended the answer")
    answer_sha256: str | None = column("SHA-256 of the normalised answer")
    prompt_tokens: Count = column("prompt, by the server's count", "tokens")
    output_tokens: Count = column("answer, by the server's count", "tokens")
    ttft_ms: Reading = column("from the start of the request to the first text", "ms")
    total_latency: Reading = column("from the start of the request to the last text", "s")
    prefill_seconds: Reading = column("prompt, by the server's clock", "s")
    decode_seconds: Reading = column("generation, by the server's clock", "s")
    prompt_tokens_per_second: Reading = column("prefill rate", "tokens/s")
    generation_tokens_per_second: Reading = column("decode rate", "tokens/s")
    internal_model_seconds: Reading = column("time that the server computed", "s")
    orchestration_overhead_ratio: Reading = column("share of the latency outside the server")
    peak_memory_rss: Reading = column("peak of the server's processes so far", "MiB")
    peak_vram_mib: Reading = column("peak of their GPU memory so far", "MiB")
    load_seconds: Reading = column("load of the model that served the run", "s")
    token_metrics_status: TokenStatus | None = column("which counts and times the server gave")
    run_quality_status: Quality | None = column("whether something disturbed the run")
    run_quality_reasons: str = column("what disturbed it, with evidence; empty if nothing did")
    row_valid: bool = column("whether all figures of this quant count")
    invalid_because: str = column("why they don't; empty if they do")
    bits_per_weight: Reading = column("of the model file", "bits")
    file_bytes: Count = column("size of the model file", "bytes")
    file_sha256: str | None = column("SHA-256 of the model file; null if the server keeps it")
    file_digest: str | None = column("digest of the model, reported by the server")
    file_tag: str | None = column("name of the model on the server")
    provider: str = column("what served the model")
    server_build: str | None = column("version of the server")
    n_ctx: Count = column("context of the server", "tokens")
    max_output_tokens: int | None = column("limit of an answer", "tokens")
    temperature: float | None = column("temperature of the answers")
    seed: int | None = column("seed; null if the provider's default was used")
    threads: int | None = column("threads of the server; null if the provider's default was used")
    machine: str = column("`hardware_fingerprint` of the machine that measured")
    execution_lane: Lane = column("`lab`, or `ci`, in which speeds are no evidence")
    vram_profile: VramProfile = column("how much of the memory the sweep may use")
    measured_at: str = column("when the measurement of the quant began, UTC")
    answer: str | None = column("text of the answer; only with `--answers`")
