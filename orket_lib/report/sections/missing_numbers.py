"""The numbers that a report does not have, each with the reason that the summary gives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from orket_lib.artifacts.views.summary import ModelSession, Summary, SummaryRow

_MEANINGS = {
    "CACHED_TOKENS_UNKNOWN": "the server doesn't tell how much of a prompt came from its cache",
    "CANARY_OFF": "the sweep ran without a canary",
    "DECODE_CLOCK_UNKNOWN": "it could not be told when the server starts its generation clock",
    "ENERGY_COUNTER_RESET": "the device's energy counter began anew in the middle",
    "ENERGY_COUNTER_STUCK": "the device's energy counter stands still",
    "GPU_LOST": "the GPU was there, and stopped to answer",
    "GPU_NOT_WATCHED": "no GPU was watched beside the model",
    "MEMORY_UNKNOWN": "memory of this quant or of the baseline is missing",
    "NOTHING_MEASURED": "no row was measured",
    "NOT_ABOVE_IDLE": "the GPUs took no more than they do doing nothing",
    "NOT_APPLICABLE": "the hardware or tool that the sidecar is for is not here",
    "NOT_PRINTED": "the sidecar's command did not print it",
    "NOT_REPORTED": "the server, or the runner's command, does not report it",
    "NOT_SAMPLED": "the host was not watched at that moment",
    "NOT_SEEN_ON_A_GPU": "no process of the server was seen on a GPU, and it may still use one",
    "NOT_SUPPORTED": "the card or its driver doesn't tell it",
    "NO_ANSWER_SHOWN": "the runner shows scores and no answers, so there is nothing to compare",
    "NO_CONTENT": "the server sent no text",
    "NO_CORRECT_ANSWER": "no graded run passed",
    "NO_DEVICE": "the driver is there and shows no GPU",
    "NO_DRIVER": "the driver of this vendor is not here",
    "NO_ENERGY_COUNTER": "the device counts no energy",
    "NO_GPU": "this machine has no GPU that could be read",
    "NO_GPU_USED": "the model was served from main memory only",
    "NO_IDLE_SECOND": "a GPU never rested for a whole second, so its idle power is unknown",
    "NO_LOCAL_FILE": "the model's file is the server's, and not ours to read",
    "NO_MEMORY_SAVED": "the quant takes no less memory than the baseline",
    "NO_PEAK_COUNTER": "this system keeps no peak of a process's memory",
    "NO_PERMISSION": "the driver tells it to nobody with these rights",
    "NO_PROCESS_LIST": "the driver lists no processes",
    "NO_RUN_ANSWERED": "every run ended in an error or a timeout",
    "NO_SENSOR": "the card has no such sensor",
    "NO_TEMPERATURE_SENSOR": "this machine shows no temperature of its processor",
    "NO_VALID_BASELINE": "no valid row to compare with",
    "OLDER_FILE": "the file is older than this number",
    "ONE_RUN_PER_TASK": "determinism needs at least two runs of each task",
    "PROCESS_GONE": "the server had ended before it was looked at",
    "PROCESS_MEMORY_NOT_AVAILABLE": "the system tells no GPU memory of single processes",
    "PROMPT_FULLY_CACHED": "the server took the whole prompt from its cache",
    "REMOTE_SERVER": "the serving process is on another machine, or can't be found on this one",
    "SERVER_ALREADY_RUNNING": "the server had loaded its model before we came",
    "SERVER_NOT_SEEN_ON_A_GPU": "there are several GPUs, and nobody knows which of them serve",
    "SHARED_BY_MIG_INSTANCES": "the whole card's, and nobody knows this part's share",
    "TELEMETRY_GAP": "nobody looked for more than 3 s",
    "TIMING_UNAVAILABLE": "the server gave no usable times",
    "TOKEN_COUNT_UNAVAILABLE": "the server gave no usable token counts",
    "TOO_FEW_OUTPUT_TOKENS": "too few tokens for a rate",
    "UNKNOWN_TAG": "bits per weight are not known; `quant_bits` in the config sets them",
    "VRAM_NOT_MEASURED": "the server may use a GPU, and how much of it was not measured",
    "WINDOW_TOO_SHORT": "too short times with rests between them for the device's energy",
}


@dataclass(frozen=True)
class Missing:
    """Fields that are null for one reason.

    Attributes:
        where: Model and quants, or the part of the summary.
        fields: Their names in the summary.
        reason: The code.
        meaning: What the code means, `""` for one that speaks for itself.
    """

    where: str
    fields: str
    reason: str
    meaning: str


def missing_numbers(summary: Summary) -> list[Missing]:
    """Return everything that is null in a summary, fields of one reason together."""
    found = [item for session in summary.sessions for item in _of_session(session)]
    kpis = summary.stability_kpis.null_reasons
    found += [_missing("stability KPIs", name, reason) for name, reason in kpis.items()]
    canary = summary.canary.null_reasons
    found += [_missing("canary", name, reason) for name, reason in canary.items()]
    return found


def _of_session(session: ModelSession) -> Iterator[Missing]:
    tags: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in session.per_quant:
        for name, reason in dict.fromkeys(_nulls(row, session)):
            tags[name, reason].append(row.quant_tag)
    together: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (name, reason), listed in tags.items():
        everywhere = len(listed) == len(session.per_quant) > 1
        together[reason, "all quants" if everywhere else ", ".join(listed)].append(name)
    for (reason, quants), names in together.items():
        yield _missing(f"{session.model_id} {quants}", ", ".join(names), reason)


def _nulls(row: SummaryRow, session: ModelSession) -> Iterator[tuple[str, str]]:
    for name in SummaryRow.readings():
        if name in row.null_reasons:
            yield name, row.null_reasons[name]
    if row.sidecar:
        for name in row.sidecar.readings():
            if name in row.sidecar.null_reasons:
                yield f"sidecar {name}", row.sidecar.null_reasons[name]
    if row.energy:
        for name, reason in row.energy.null_reasons.items():
            yield f"energy {name}", reason
    for gpu in row.gpus:
        for name, reason in gpu.null_reasons.items():
            yield f"GPU {gpu.index} {name}", reason
    for vendor, reason in row.gpus_absent.items():
        yield f"GPUs of {vendor}", reason
    if session.baseline_quant is None:
        yield "vs baseline", "NO_VALID_BASELINE"
    elif row.adherence_score is None:
        yield "vs baseline", row.null_reasons["adherence_score"]


def _missing(where: str, fields: str, reason: str) -> Missing:
    meaning = _MEANINGS.get(reason, "")
    if reason.startswith("STATUS_"):
        meaning = "the cell has no measurement, see failed rows"
    return Missing(where, fields, reason, meaning)
