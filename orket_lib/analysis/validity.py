"""What makes a row valid: the only definition, asked by every stage."""

from __future__ import annotations

from orket_lib.vocabulary.statuses import Quality, RunStatus, SidecarStatus, TokenStatus

_SIDECAR_FINE = (
    SidecarStatus.OK,
    SidecarStatus.OPTIONAL_FIELD_MISSING,
    SidecarStatus.NOT_APPLICABLE,
)


def invalid_because(
    status: RunStatus,
    quality: Quality | None,
    tokens: TokenStatus | None,
    sidecar: SidecarStatus,
) -> tuple[str, ...]:
    """Return why a row is not valid; nothing for a valid one."""
    if status is not RunStatus.MEASURED:
        return (f"status is {status.value}",)
    reasons = []
    if quality is not Quality.CLEAN:
        reasons.append(f"run quality is {quality.value if quality else 'unknown'}")
    if tokens is not TokenStatus.OK:
        reasons.append(f"token metrics are {tokens.value if tokens else 'unknown'}")
    if sidecar not in _SIDECAR_FINE:
        reasons.append(f"hardware sidecar is {sidecar.value}")
    return tuple(reasons)
