"""What a server's answer with another status than 200 means."""

from __future__ import annotations

import http

from orket_lib.providers.wire.events import json_object
from orket_lib.vocabulary.errors import Fault, RequestFailed
from orket_lib.vocabulary.failures import Cause

_FAULTS = {404: Fault.NOT_FOUND, 503: Fault.LOADING}
# Statuses that are about the client or its competitors, not about the request.
_CAUSES = {401: Cause.NOT_SET_UP, 403: Cause.NOT_SET_UP, 429: Cause.OCCUPIED}


def refusal(status: int, said: str, where: str = "", hint: str = "") -> RequestFailed:
    """Return the error for an answer.

    Args:
        status: Of the answer.
        said: Its text, without our key.
        where: Begins the message.
        hint: Ends it.
    """
    rejected = status < http.HTTPStatus.INTERNAL_SERVER_ERROR
    general = Fault.REJECTED if rejected else Fault.SERVER_ERROR
    return RequestFailed(
        f"{where}HTTP {status}: {said[:200]}{hint}",
        _FAULTS.get(status, general),
        _CAUSES.get(status),
    )


def error_text(body: str) -> str:
    """Return what the body of such an answer says."""
    try:
        detail = json_object(body).get("error", body)
    except ValueError:
        detail = body
    return str(detail.get("message", detail) if isinstance(detail, dict) else detail)
