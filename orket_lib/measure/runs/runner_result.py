"""Parses the output of a runner's command: its answer and its own figures.

Its result is the last line of its output that is a JSON object; other lines are ignored. A figure
that is not a finite number of the right kind is null with a reason. An invalid result is an error,
never a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from orket_lib.artifacts.io import json_value
from orket_lib.artifacts.measurements.runner import RunnerReadings
from orket_lib.artifacts.measurements.sidecar import CapturedText
from orket_lib.artifacts.measurements.tokens import (
    TokenAudit,
    TokenCounts,
    TokenLatencies,
    TokenMetrics,
    TokenThroughput,
)
from orket_lib.artifacts.measurements.tool_calls import ToolCall
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.rates import MIN_OUTPUT_TOKENS
from orket_lib.vocabulary.statuses import TokenStatus

_CALLS = TypeAdapter(tuple[ToolCall, ...])
_MISSING = Null("NOT_REPORTED")
_INVALID = Null("INVALID_VALUE")
_MOST = 1e15  # above it, whole numbers are no longer exact as floats
_REPLACED = "\N{REPLACEMENT CHARACTER}"
# Token figures may also be in the sections of `token_metrics`, as in our own run reports.
_SECTIONS = {
    **dict.fromkeys(("ttft_ms", "prefill_seconds", "decode_seconds"), "latencies"),
    **dict.fromkeys(("prompt_tokens", "output_tokens"), "counts"),
    **dict.fromkeys(("prompt_tokens_per_second", "generation_tokens_per_second"), "throughput"),
}


class NoResult(ValueError):
    """A command printed no valid result."""


@dataclass(frozen=True)
class RunnerResult:
    """The result of a command: an answer or its own score in [0, 1], and figures."""

    answer: str | None
    reported: RunnerReadings
    tool_calls: tuple[ToolCall, ...] = ()


def read_result(stdout: CapturedText) -> RunnerResult:
    """Return the result that a command printed.

    Raises:
        NoResult: There is no valid result; the message says why.
    """
    line, found = _last_object(stdout)
    if _REPLACED in line:
        raise NoResult("the last JSON line is not UTF-8 text (write U+FFFD itself as \\ufffd)")
    telemetry = found.get("telemetry")
    if not isinstance(telemetry, dict):
        raise NoResult("the last JSON line of its output has no object `telemetry`")
    answer, reported = found.get("answer"), _reported(telemetry)
    if answer is not None and not (isinstance(answer, str) and _is_unicode(answer)):
        raise NoResult("`answer` of the last JSON line must be text")
    if answer is None and reported.adherence_score is None:
        raise NoResult(
            "the last JSON line has neither `answer` nor `telemetry.adherence_score` from 0 to 1"
        )
    try:
        calls = _CALLS.validate_python(found.get("tool_calls") or ())
    except ValidationError:
        raise NoResult(
            "`tool_calls` of the last JSON line must be a list of calls, each with `name` and "
            "`arguments` (JSON as text)"
        ) from None
    return RunnerResult(answer, reported, calls)


def internal_seconds(reported: RunnerReadings) -> float | Null:
    """Return the time inside the model: as reported, else the sum of its parts."""
    prefill, decode = reported.reading("prefill_seconds"), reported.reading("decode_seconds")
    if reported.internal_model_seconds is not None:
        return reported.internal_model_seconds
    if isinstance(prefill, Null) or isinstance(decode, Null):
        return reported.reading("internal_model_seconds")
    return prefill + decode


def token_metrics(reported: RunnerReadings) -> TokenMetrics:
    """Return the token metrics that a command reports, as in artifacts."""
    prompt, output = _count(reported, "prompt_tokens"), _count(reported, "output_tokens")
    total: int | Null = _MISSING
    if not (isinstance(prompt, Null) or isinstance(output, Null)):
        total = prompt + output
    rate = reported.reading("generation_tokens_per_second")
    if not isinstance(output, Null) and output < MIN_OUTPUT_TOKENS:
        rate = Null("TOO_FEW_OUTPUT_TOKENS")
    return TokenMetrics(
        status=_status(total, internal_seconds(reported)),
        source="runner",
        counts=TokenCounts.of(
            prompt_tokens=prompt,
            output_tokens=output,
            thinking_tokens=Null("NOT_REPORTED"),
            total_tokens=total,
        ),
        latencies=TokenLatencies.of(
            ttft_ms=reported.reading("ttft_ms"),
            prefill_seconds=reported.reading("prefill_seconds"),
            decode_seconds=reported.reading("decode_seconds"),
            total_turn_seconds=reported.reading("total_latency"),
        ),
        throughput=TokenThroughput.of(
            prompt_tokens_per_second=reported.reading("prompt_tokens_per_second"),
            generation_tokens_per_second=rate,
        ),
        audit=TokenAudit(),
    )


def _status(counts: int | Null, times: float | Null) -> TokenStatus:
    if isinstance(counts, Null):
        return TokenStatus.NOTHING if isinstance(times, Null) else TokenStatus.NO_COUNTS
    return TokenStatus.NO_TIMES if isinstance(times, Null) else TokenStatus.OK


def nothing_reported() -> RunnerReadings:
    """Return the figures of a command that reported none."""
    return _reported({})


def _last_object(stdout: CapturedText) -> tuple[str, dict[str, Any]]:
    if stdout.end is None:
        lines, where = stdout.text.split("\n"), "its output"
    else:  # the first line of the end may be incomplete
        lines = stdout.end.split("\n")[1:]
        where = f"the last {len(stdout.end)} characters of its {stdout.bytes} bytes of output"
    for line in map(str.strip, reversed(lines)):
        if line.startswith("{") and (found := _object(line)) is not None:
            return line, found
    raise NoResult(f"there is no line with a JSON object in {where}")


def _object(line: str) -> dict[str, Any] | None:
    try:
        value = json_value(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _reported(telemetry: Mapping[str, Any]) -> RunnerReadings:
    whole = {"prompt_tokens", "output_tokens"}
    return RunnerReadings.of(
        **{
            name: _number(
                _find(telemetry, name),
                most=1.0 if name == "adherence_score" else _MOST,
                whole=name in whole,
            )
            for name in RunnerReadings.readings()
        }
    )


def _find(telemetry: Mapping[str, Any], name: str) -> object:
    if telemetry.get(name) is not None:
        return telemetry[name]
    place: object = telemetry.get("token_metrics")
    for key in (_SECTIONS.get(name), name):
        place = place.get(key) if isinstance(place, dict) else None
    return place


def _number(value: object, most: float, whole: bool) -> float | Null:
    if value is None:
        return _MISSING
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _INVALID
    if (whole and not isinstance(value, int)) or not 0 <= value <= most:  # also refuses NaN
        return _INVALID
    return value


def _count(reported: RunnerReadings, name: str) -> int | Null:
    value = reported.reading(name)
    return value if isinstance(value, Null) else int(value)


def _is_unicode(text: str) -> bool:
    """Return whether a text can be encoded, which lone surrogates can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
