"""Before a running server is measured: it is still the one that the sweep was planned with."""

from __future__ import annotations

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.providers.base import Source
from orket_lib.providers.identity import PATIENCE_S, read_identities
from orket_lib.vocabulary.errors import LoadError
from orket_lib.vocabulary.failures import Cause

_AGAIN = "type the same command again"


def require_same_server(
    spec: MeasurementSpec, source: Source, patience_s: float = PATIENCE_S
) -> None:
    """Ask a server that the harness didn't start what it is, and refuse another one.

    A server that does not answer is left to the provider, which says why.

    Raises:
        LoadError: It contradicts what it said when the sweep was planned.
    """
    planned = spec.server
    if planned is None:
        return
    place, tag = source.place, spec.artifact.tag
    now = read_identities(spec.provider, place.base_url, place.api_key, [tag], patience_s).get(tag)
    if now is None:
        return
    if not planned.answered and now.answered:
        raise LoadError(
            f"the server at {planned.address} did not answer when this sweep was planned, so it "
            f"was not known what is measured; {_AGAIN}",
            Cause.OCCUPIED,
        )
    different = planned.differences(now)
    if different:
        raise LoadError(
            f"the server at {planned.address} is not the one that this sweep was planned with: "
            f"{'; '.join(different)}; {_AGAIN}",
            Cause.NOT_OFFERED,
        )
