"""From a sidecar measurement to its fields: each a number with its source, or null with a reason.

Pure functions, so an improved parser can read old measurements again. Errors are codes that don't
depend on time or place: `missing:ttft_ms`, `timeout`, `invalid_format:sidecar_payload`.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orket_lib.analysis.rows.aggregates import median_ttft_ms, probe_rates
from orket_lib.analysis.sidecar.payload import Payload, missing_tool, objects_in, printed_number
from orket_lib.artifacts.measurements.sidecar import (
    CapturedText,
    SensorReadings,
    ServedProbes,
    SidecarMeasurement,
    SidecarNumbers,
    SidecarReport,
)
from orket_lib.artifacts.measurements.sidecar_fields import (
    EXCUSED,
    FIELDS,
    NO_GPU,
    NOT_MEASURED,
    OPTIONAL,
    REQUEST_FLOOR,
    REQUIRED,
    Source,
)
from orket_lib.artifacts.views.row import RowSidecar
from orket_lib.vocabulary.nulls import Null, all_of, apply
from orket_lib.vocabulary.statuses import SidecarStatus

_OURS = SidecarReport.model_fields["schema_version"].default
_NO_PAYLOAD = "invalid_format:sidecar_payload"
_REPEATED = (
    *("hardware_fingerprint", "measured_at", "spec_digest"),
    *("command", "exit_status", "stdout", "stderr", "out_file"),
)

Numbers = Mapping[str, float | Null]


@dataclass(frozen=True)
class ParsedSidecar:
    """The fields of a sidecar measurement."""

    status: SidecarStatus
    errors: tuple[str, ...]
    numbers: SidecarNumbers
    source: Mapping[str, Source]


def parse_sidecar(measurement: SidecarMeasurement) -> ParsedSidecar:
    """Return the fields of a sidecar measurement, and its errors."""
    if not measurement.applicable:
        nothing = dict.fromkeys(FIELDS, Null("NOT_APPLICABLE"))
        return _parsed(SidecarStatus.NOT_APPLICABLE, [measurement.error], nothing, {})
    return _own_probe(measurement) if measurement.spec.template is None else _command(measurement)


def sidecar_fields(measurement: SidecarMeasurement) -> dict[str, Any]:
    """Return the fields of a view that come from the measurement."""
    parsed = parse_sidecar(measurement)
    return {
        **{name: getattr(measurement, name) for name in _REPEATED},
        **{name: getattr(measurement.spec, name) for name in ("model_id", "quant_tag", "backend")},
        "sidecar_parse_status": parsed.status,
        "sidecar_parse_errors": parsed.errors,
        "source": parsed.source,
        **{field: parsed.numbers.reading(field) for field in FIELDS},
    }


def row_sidecar(view: SidecarReport, view_path: str) -> RowSidecar:
    """Return the part of a view that a row repeats."""
    return RowSidecar.of(
        errors=view.sidecar_parse_errors,
        view_path=view_path,
        measured_at=view.measured_at,
        **{field: view.reading(field) for field in RowSidecar.readings()},
    )


def _own_probe(measurement: SidecarMeasurement) -> ParsedSidecar:
    serving = measurement.serving
    failure = serving.failure if serving else None
    trouble = _trouble(measurement) or failure or (None if serving else "no_result")
    served = _served_numbers(serving, Null(_reason(trouble or NOT_MEASURED)))
    numbers, source = _with_sensors(served, "profile", measurement.sensors, None, FIELDS)
    return _judged(trouble, numbers, source, EXCUSED)


def _command(measurement: SidecarMeasurement) -> ParsedSidecar:
    objects = _objects(measurement)
    trouble = _trouble(measurement) or (None if objects else _NO_PAYLOAD)
    lacking = _lacking(measurement) if trouble else None
    own = next((item for item in reversed(objects) if item.get("schema_version") == _OURS), None)
    reported = SidecarStatus.NOT_APPLICABLE if lacking else _reported_status(objects)
    default = "NOT_APPLICABLE" if lacking else _reason(trouble or "NOT_PRINTED")
    unknowable = measurement.spec.not_measured
    printed: dict[str, float | Null] = {}
    for field in FIELDS:
        number = printed_number(objects, field)
        why = _reported_reason(own, field) or (NOT_MEASURED if field in unknowable else default)
        printed[field] = Null(why) if number is None else number
    source = _sources(printed, "template")
    errors: list[str | None] = [lacking] if lacking else _reported_errors(objects)
    if reported is SidecarStatus.NOT_APPLICABLE:
        failed = _exit_error(measurement) if source else None
        return _parsed(reported, [*errors, failed], printed, source)
    filled = FIELDS if unknowable else REQUIRED
    numbers, source = _with_sensors(printed, "template", measurement.sensors, "sampler", filled)
    if own and reported is SidecarStatus.PARSE_ERROR and not trouble:
        return _parsed(reported, errors, numbers, source)
    return _judged(trouble, numbers, source, _excused(measurement, own))


def _judged(
    trouble: str | None,
    numbers: Numbers,
    source: Mapping[str, Source],
    excused: Sequence[str],
) -> ParsedSidecar:
    """Return the status that follows from the missing fields; excused reasons don't count."""
    if trouble:
        return _parsed(SidecarStatus.PARSE_ERROR, [trouble], numbers, source)
    missing = [
        field
        for field in (*REQUIRED, *OPTIONAL)
        if isinstance(value := numbers[field], Null) and value.reason not in excused
    ]
    status = SidecarStatus.OPTIONAL_FIELD_MISSING if missing else SidecarStatus.OK
    if any(field in REQUIRED for field in missing):
        status = SidecarStatus.REQUIRED_FIELD_MISSING
    return _parsed(status, [f"missing:{field}" for field in missing], numbers, source)


def _parsed(
    status: SidecarStatus,
    errors: Sequence[str | None],
    numbers: Numbers,
    source: Mapping[str, Source],
) -> ParsedSidecar:
    return ParsedSidecar(
        status=status,
        errors=tuple(sorted(set(filter(None, errors)))),
        numbers=SidecarNumbers.of(**numbers),
        source={field: source[field] for field in FIELDS if field in source},
    )


def _trouble(measurement: SidecarMeasurement) -> str | None:
    """Return how a command failed; its output before that is still used."""
    return measurement.error or _exit_error(measurement)


def _exit_error(measurement: SidecarMeasurement) -> str | None:
    return f"exit_status:{measurement.exit_status}" if measurement.exit_status else None


def _lacking(measurement: SidecarMeasurement) -> str | None:
    """Return the error of a command that needs a GPU tool which is not installed."""
    texts = [part for name in ("stderr", "stdout") for part in _texts(getattr(measurement, name))]
    tool = missing_tool(measurement.command, measurement.error, measurement.exit_status, texts)
    return f"{tool.replace('-', '_')}_unavailable" if tool else None


def _objects(measurement: SidecarMeasurement) -> list[Payload]:
    """Return the printed objects; those of the file come last, so they win over stdout."""
    texts = (*_texts(measurement.stdout), *_texts(measurement.out_file))
    return [item for text in texts for item in objects_in(text)]


def _texts(captured: CapturedText) -> tuple[str, str]:
    return captured.text, captured.end or ""


def _excused(measurement: SidecarMeasurement, own: Payload | None) -> Sequence[str]:
    """Return the null reasons that don't make a field missing.

    Our own probe, and a tool whose profile lists what it can't measure, may leave fields out. A CPU
    profile has no GPU.
    """
    if own or measurement.spec.not_measured:
        return EXCUSED
    return (NO_GPU,) if measurement.spec.backend == "cpu" else ()


def _reported_status(objects: Sequence[Payload]) -> SidecarStatus | None:
    """Return the status that a command reports itself, if any."""
    words = [item.get("sidecar_parse_status") for item in reversed(objects)]
    return next((SidecarStatus(word) for word in words if word in list(SidecarStatus)), None)


def _reported_errors(objects: Sequence[Payload]) -> list[str | None]:
    """Return the errors that a command reports itself."""
    lists = [item.get("sidecar_parse_errors") for item in reversed(objects)]
    found = next((errors for errors in lists if isinstance(errors, list)), [])
    return [error for error in found if isinstance(error, str)]


def _reported_reason(own: Payload | None, field: str) -> str | None:
    reasons = own.get("null_reasons") if own else None
    why = reasons.get(field) if isinstance(reasons, dict) else None
    return why if isinstance(why, str) else None


def _served_numbers(serving: ServedProbes | None, failed: Null) -> dict[str, float | Null]:
    """Return the fields as measured by our own probe."""
    numbers: dict[str, float | Null] = dict.fromkeys(FIELDS, failed)
    if serving is None or serving.failure or serving.session is None:
        return numbers
    rates, load = probe_rates(serving.probes), serving.session.load
    model_s = load.reading("model_seconds")
    load_s = load.reading("load_seconds") if isinstance(model_s, Null) else model_s
    return numbers | {
        "ttft_ms": median_ttft_ms(serving.probes),
        "prefill_tps": rates["prompt_tokens_per_second"],
        "decode_tps": rates["generation_tokens_per_second"],
        "model_load_ms": apply(lambda seconds: seconds * 1000, load_s),
        REQUEST_FLOOR: all_of(serving.floor_ms, statistics.median, Null("NO_CONTENT")),
    }


def _with_sensors(
    numbers: Numbers,
    source: Source,
    sensors: SensorReadings | None,
    sensor_source: Source | None,
    fields: Sequence[str],
) -> tuple[dict[str, float | Null], dict[str, Source]]:
    """Fill nulls of `fields` with our sensors' readings, or with their more specific reasons.

    Args:
        numbers: The command's numbers.
        source: Name of their source.
        sensors: Readings of the sensors; None if nothing was run.
        sensor_source: Name of the sensors as a source; None for their own name.
        fields: Fields that may be filled.
    """
    filled = dict(numbers)
    sources = _sources(numbers, source)
    for field in SensorReadings.readings():
        if sensors and field in fields and isinstance(filled[field], Null):
            filled[field] = sensors.reading(field)
            if not isinstance(filled[field], Null):
                sources[field] = sensor_source or sensors.source
    return filled, sources


def _sources(numbers: Numbers, source: Source) -> dict[str, Source]:
    return {field: source for field, value in numbers.items() if not isinstance(value, Null)}


def _reason(word: str) -> str:
    """Return an error as a null reason: `exit_status:3` becomes `EXIT_STATUS_3`."""
    return word.upper().replace(":", "_")
