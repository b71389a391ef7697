"""Closed sets of words that artifacts use, each with its meaning."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

Again = Literal["probes", "runs", "all"]  # the part of a cell to measure even if it is stored


class Lane(StrEnum):
    """What the numbers of a sweep are good for."""

    LAB = "lab"  # speeds count: timing and host reasons pollute
    CI = "ci"  # only answers count: speeds are recorded and shown, and never pollute


def weakest(lanes: Iterable[Lane]) -> Lane:
    """Return the lane that claims least: ci if any of them is ci."""
    return Lane.CI if Lane.CI in set(lanes) else Lane.LAB


class VramProfile(StrEnum):
    """The operator's label for how much of the memory a sweep may use."""

    SAFE = "safe"
    BALANCED = "balanced"
    STRESS = "stress"


class VramGuard(StrEnum):
    """What the preflight does about a model that may take more than its profile allows."""

    WARN = "warn"
    REFUSE = "refuse"


class RunStatus(StrEnum):
    """How the measurement of one (model, quant) ended."""

    MEASURED = "measured"
    LOAD_FAILED = "load_failed"
    CRASHED = "crashed"
    OUT_OF_MEMORY = "out_of_memory"
    INCOMPLETE = "incomplete"
    NOT_RUN = "not_run"


class Outcome(StrEnum):
    """How one run of a task ended."""

    PASS = "pass"
    FAIL = "fail"
    ANSWERED = "answered"  # a task without an expected answer: nothing to pass or fail
    ERROR = "error"
    TIMEOUT = "timeout"


class AnswerFailure(StrEnum):
    """Why an answer did not solve its task."""

    WRONG = "WRONG"
    UNPARSEABLE = "UNPARSEABLE"
    EMPTY = "EMPTY"
    ONLY_REASONING = "ONLY_REASONING"
    CUT = "CUT"
    CUT_IN_REASONING = "CUT_IN_REASONING"
    CUT_BY_CONTEXT = "CUT_BY_CONTEXT"
    TOOL_CALL = "TOOL_CALL"
    FILTERED = "FILTERED"
    TIMEOUT = "TIMEOUT"
    FAULT = "FAULT"


MEANINGS: dict[AnswerFailure, str] = {
    AnswerFailure.WRONG: "another answer than the right one",
    AnswerFailure.UNPARSEABLE: "no form that its grader could read",
    AnswerFailure.EMPTY: "nothing was answered",
    AnswerFailure.ONLY_REASONING: "reasoning, and no answer after it",
    AnswerFailure.CUT: "the answer ended at max_output_tokens",
    AnswerFailure.CUT_IN_REASONING: "max_output_tokens ended before the answer began",
    AnswerFailure.CUT_BY_CONTEXT: "the answer ended at the end of the context",
    AnswerFailure.TOOL_CALL: "the server turned the answer into the call of a tool",
    AnswerFailure.FILTERED: "the server withheld the answer",
    AnswerFailure.TIMEOUT: "no answer within task_timeout_sec",
    AnswerFailure.FAULT: "the server failed the request",
}

# Failures that may have another cause than the quant, with what to change.
ADVICE: dict[AnswerFailure, str] = {
    AnswerFailure.UNPARSEABLE: "look at such an answer in the run report: the chat template may be "
    "wrong, or the task's grader too strict",
    AnswerFailure.EMPTY: "look at what the server sends: `orket run-task` shows it",
    AnswerFailure.ONLY_REASONING: "set `thinking: off`, or start the server without its reasoning "
    "parser",
    AnswerFailure.CUT: "raise max_output_tokens",
    AnswerFailure.CUT_IN_REASONING: "raise max_output_tokens, or set `thinking: off`",
    AnswerFailure.CUT_BY_CONTEXT: "raise n_ctx",
    AnswerFailure.TOOL_CALL: "start the server without its tool call parser",
    AnswerFailure.FILTERED: "turn off the server's content filter",
    AnswerFailure.TIMEOUT: "raise task_timeout_sec",
    AnswerFailure.FAULT: "see the server's log",
}


class Quality(StrEnum):
    """Whether something disturbed a measurement."""

    CLEAN = "CLEAN"
    POLLUTED = "POLLUTED"


class TokenStatus(StrEnum):
    """Which token counts and times a server reported."""

    OK = "OK"
    NO_COUNTS = "TOKEN_COUNT_UNAVAILABLE"
    NO_TIMES = "TIMING_UNAVAILABLE"
    NOTHING = "TOKEN_AND_TIMING_UNAVAILABLE"


class SidecarStatus(StrEnum):
    """How the hardware sidecar of a measurement ended."""

    OK = "OK"
    OPTIONAL_FIELD_MISSING = "OPTIONAL_FIELD_MISSING"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    REQUIRED_FIELD_MISSING = "REQUIRED_FIELD_MISSING"
    PARSE_ERROR = "PARSE_ERROR"


class QuantVerdict(StrEnum):
    """Whether a quant keeps the quality of its baseline."""

    KEPT = "KEPT"
    LOST = "LOST"
    UNDECIDED = "UNDECIDED"
    NOT_MEASURED = "NOT_MEASURED"


class DecisionStatus(StrEnum):
    """How well founded a recommendation is."""

    PROVED = "PROVED"
    PROVED_QUALITY = "PROVED_QUALITY"
    LIKELY = "LIKELY"
    ONE_QUANT = "ONE_QUANT"
    UNDECIDED = "UNDECIDED"
    TASKS_TOO_HARD = "TASKS_TOO_HARD"
    TASKS_TOO_EASY = "TASKS_TOO_EASY"
    TASKS_NOT_GRADED = "TASKS_NOT_GRADED"
    BASELINE_NOT_MEASURED = "BASELINE_NOT_MEASURED"
    NOTHING_MEASURED = "NOTHING_MEASURED"
    NOTHING_FITS = "NOTHING_FITS"


class DropReason(StrEnum):
    """Why a quant is not asked a batch of tasks."""

    DECIDED = "DECIDED"
    MATTERS_NO_MORE = "MATTERS_NO_MORE"
    NOTHING_OPEN = "NOTHING_OPEN"
    NOT_MEASURED = "NOT_MEASURED"
    TASKS_TOO_HARD = "TASKS_TOO_HARD"
    BUDGET_SPENT = "BUDGET_SPENT"


class WantStatus(StrEnum):
    """Whether a quant meets a requirement of the config."""

    MET = "met"
    NOT_MET = "not met"
    BORDERLINE = "borderline"
    NOT_ESTABLISHED = "not established"


class WantName(StrEnum):
    """Requirements on a quant besides its quality."""

    DECODE_TPS = "decode_tps"
    TTFT_MS = "ttft_ms"
    LATENCY_S = "latency_s"
    MEMORY_GIB = "memory_gib"
    VRAM_GIB = "vram_gib"
    RAM_GIB = "ram_gib"
    CONTEXT = "context"


class FidelityMode(StrEnum):
    """How the answers of quants are compared with the baseline's, right or wrong."""

    AGREEMENT = "agreement"  # word for word, from the answers that are there anyway
    KLD = "kld"  # also by the probabilities of each token, which is a measurement of its own
    OFF = "off"


class Prefer(StrEnum):
    """Which of several sufficient quants to recommend."""

    SMALLEST = "smallest"
    BEST = "best"
