"""Why a measurement is not clean: the one table of reasons and their effects.

A *soft* reason pollutes a row when its rate exceeds the row's policy; a *hard* reason pollutes it
when it is seen once; a *note* is only shown. Reasons of the kind `PHYSICS` (timing and host) don't
pollute in lane `ci`, where only answers count; reasons of the kind `IDENTITY` (the served model or
its settings are not the requested ones) pollute in every lane.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """The effect of a reason on a row."""

    SOFT = "soft"
    HARD = "hard"
    NOTE = "note"


class Kind(StrEnum):
    """What a reason is about."""

    PHYSICS = "physics"
    IDENTITY = "identity"


class Reason(StrEnum):
    """Everything that can be wrong with a run that was answered."""

    MISSING_TOKEN_TIMINGS = "MISSING_TOKEN_TIMINGS"
    HIGH_ORCHESTRATION_OVERHEAD = "HIGH_ORCHESTRATION_OVERHEAD"
    HIGH_CPU_SATURATION = "HIGH_CPU_SATURATION"
    HIGH_SYSTEM_LOAD = "HIGH_SYSTEM_LOAD"
    CPU_STEAL = "CPU_STEAL"
    CPU_THROTTLED = "CPU_THROTTLED"  # by a quota of this container or job
    MISSING_EXPERIMENTAL_CONTROLS = "MISSING_EXPERIMENTAL_CONTROLS"
    FOREIGN_GPU_PROCESS = "FOREIGN_GPU_PROCESS"
    THERMAL_THROTTLE = "THERMAL_THROTTLE"
    PREFIX_CACHE_HIT = "PREFIX_CACHE_HIT"
    CONTEXT_MISMATCH = "CONTEXT_MISMATCH"
    CONTEXT_TRUNCATED = "CONTEXT_TRUNCATED"
    QUANT_IDENTITY_MISMATCH = "QUANT_IDENTITY_MISMATCH"
    HARDWARE_MISMATCH = "HARDWARE_MISMATCH"
    SERVER_RESTARTED = "SERVER_RESTARTED"
    FOREIGN_REQUESTS = "FOREIGN_REQUESTS"
    TELEMETRY_GAP = "TELEMETRY_GAP"
    SWAPPING = "SWAPPING"
    GPU_UNATTRIBUTABLE = "GPU_UNATTRIBUTABLE"
    SW_POWER_CAP = "SW_POWER_CAP"
    QUANT_IDENTITY_UNVERIFIED = "QUANT_IDENTITY_UNVERIFIED"
    SERVER_DIED = "SERVER_DIED"
    POLLUTED_RUNS_REPEATED = "POLLUTED_RUNS_REPEATED"
    COOLDOWN_TARGET_NOT_REACHED = "COOLDOWN_TARGET_NOT_REACHED"
    SCORE_REPORTED_BY_RUNNER = "SCORE_REPORTED_BY_RUNNER"
    PROBE_SHORTENED = "PROBE_SHORTENED"
    API_KEY_REPEATED = "API_KEY_REPEATED"
    CANARY_LATENCY = "CANARY_LATENCY"
    TEMPLATE_TOKEN_LEAKED = "TEMPLATE_TOKEN_LEAKED"


class Spoils(StrEnum):
    """What can't be trusted in a row that a reason pollutes.

    Greedy answers don't depend on other programs on the machine; times do.
    """

    SPEED = "speed"
    BOTH = "speed and quality"


class Entry(NamedTuple):
    """One line of the table."""

    severity: Severity
    kind: Kind
    spoils: Spoils = Spoils.SPEED


TABLE: dict[Reason, Entry] = {
    Reason.MISSING_TOKEN_TIMINGS: Entry(Severity.SOFT, Kind.PHYSICS),
    Reason.HIGH_ORCHESTRATION_OVERHEAD: Entry(Severity.SOFT, Kind.PHYSICS),
    Reason.HIGH_CPU_SATURATION: Entry(Severity.SOFT, Kind.PHYSICS),
    Reason.HIGH_SYSTEM_LOAD: Entry(Severity.SOFT, Kind.PHYSICS),
    Reason.CPU_STEAL: Entry(Severity.SOFT, Kind.PHYSICS),
    Reason.CPU_THROTTLED: Entry(Severity.SOFT, Kind.PHYSICS),
    Reason.MISSING_EXPERIMENTAL_CONTROLS: Entry(Severity.HARD, Kind.IDENTITY, Spoils.BOTH),
    Reason.FOREIGN_GPU_PROCESS: Entry(Severity.HARD, Kind.PHYSICS),
    Reason.THERMAL_THROTTLE: Entry(Severity.HARD, Kind.PHYSICS),
    Reason.PREFIX_CACHE_HIT: Entry(Severity.HARD, Kind.PHYSICS),
    Reason.CONTEXT_MISMATCH: Entry(Severity.HARD, Kind.IDENTITY, Spoils.BOTH),
    Reason.CONTEXT_TRUNCATED: Entry(Severity.HARD, Kind.IDENTITY, Spoils.BOTH),
    Reason.QUANT_IDENTITY_MISMATCH: Entry(Severity.HARD, Kind.IDENTITY, Spoils.BOTH),
    Reason.HARDWARE_MISMATCH: Entry(Severity.HARD, Kind.IDENTITY),
    Reason.SERVER_RESTARTED: Entry(Severity.HARD, Kind.PHYSICS, Spoils.BOTH),
    Reason.FOREIGN_REQUESTS: Entry(Severity.HARD, Kind.PHYSICS),
    Reason.TELEMETRY_GAP: Entry(Severity.HARD, Kind.PHYSICS),
    Reason.SWAPPING: Entry(Severity.HARD, Kind.PHYSICS),
    Reason.GPU_UNATTRIBUTABLE: Entry(Severity.NOTE, Kind.PHYSICS),
    Reason.SW_POWER_CAP: Entry(Severity.NOTE, Kind.PHYSICS),
    Reason.QUANT_IDENTITY_UNVERIFIED: Entry(Severity.NOTE, Kind.IDENTITY),
    Reason.SERVER_DIED: Entry(Severity.NOTE, Kind.PHYSICS),
    Reason.POLLUTED_RUNS_REPEATED: Entry(Severity.NOTE, Kind.PHYSICS),
    Reason.COOLDOWN_TARGET_NOT_REACHED: Entry(Severity.NOTE, Kind.PHYSICS),
    Reason.SCORE_REPORTED_BY_RUNNER: Entry(Severity.NOTE, Kind.IDENTITY),
    Reason.PROBE_SHORTENED: Entry(Severity.NOTE, Kind.PHYSICS),
    Reason.API_KEY_REPEATED: Entry(Severity.NOTE, Kind.IDENTITY),
    Reason.CANARY_LATENCY: Entry(Severity.HARD, Kind.PHYSICS),
    Reason.TEMPLATE_TOKEN_LEAKED: Entry(Severity.NOTE, Kind.IDENTITY),
}


# Disturbances by other work, which another try may not meet. A server without times, or a wrong
# quant, would be the same again.
TRANSIENT = frozenset(
    (
        Reason.HIGH_CPU_SATURATION,
        Reason.HIGH_SYSTEM_LOAD,
        Reason.CPU_STEAL,
        Reason.FOREIGN_GPU_PROCESS,
        Reason.THERMAL_THROTTLE,
        Reason.SERVER_RESTARTED,
        Reason.FOREIGN_REQUESTS,
        Reason.TELEMETRY_GAP,
        Reason.SWAPPING,
    )
)


def severity(reason: Reason) -> Severity:
    """Return the effect of `reason` on a row."""
    return TABLE[reason].severity


def pollutes_in_ci(reason: Reason) -> bool:
    """Tell whether `reason` pollutes in lane ci, too."""
    return TABLE[reason].kind is Kind.IDENTITY


def spoils_quality(reason: Reason) -> bool:
    """Tell whether `reason` may have changed the answers."""
    return TABLE[reason].spoils is Spoils.BOTH
