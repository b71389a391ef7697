"""What can go wrong with one request: a closed set, so that outcomes can be counted by cause."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """How a request failed. None of them is retried: what was asked is what is told."""

    REFUSED = "refused"  # nobody listens there
    LOADING = "loading"  # 503: the server is there and its model is not
    NOT_FOUND = "not_found"  # the server has no such model or route
    REJECTED = "rejected"  # another 4xx: the server does not take the request
    SERVER_ERROR = "server_error"  # another 5xx
    RESET = "reset"  # the connection ended before the answer did
    ERROR_IN_STREAM = "error_in_stream"  # an error line under HTTP 200
    CUT_STREAM = "cut_stream"  # the stream ended without its last line
    NOT_JSON = "not_json"  # what came is not what the protocol says
    ENDLESS = "endless"  # far more text than was asked for
