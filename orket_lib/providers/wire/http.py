"""HTTP to a model server: short control calls, and streams whose reads are stamped on arrival.

Every measured request has its own connection, because a server may close a kept-alive one when a
stream ends (T21), and requests are never retried. The request's clock starts when the connection is
open and the first header byte is about to be written. Proxies of the environment are ignored, so a
loopback request stays on the loopback.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from orket_lib.providers.wire.deadline import Deadline, OutOfTime
from orket_lib.providers.wire.events import json_object
from orket_lib.vocabulary.environment import ENV_REFERENCE
from orket_lib.vocabulary.errors import Fault, ProviderError, RequestFailed, RequestTimedOut
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.units import MIB

CONTROL_TIMEOUT_S = 30.0
_BYTES_PER_TOKEN = 8192  # far above what any format wraps around a token, logprobs included
_LEAST_BYTES = 4 * MIB
_MOST_ERROR_BYTES = 64 * 1024  # of an error's body: its beginning is enough
_FAULTS = {404: Fault.NOT_FOUND, 503: Fault.LOADING}
# Statuses that are about the client or its competitors, not about the request.
_CAUSES = {401: Cause.NOT_SET_UP, 403: Cause.NOT_SET_UP, 429: Cause.OCCUPIED}


@dataclass(frozen=True)
class StampedStream:
    """The body of one streamed answer.

    Attributes:
        reads: The bytes of each read, with the clock at its arrival (seconds).
        written_s: The clock when the request was written.
        connect_s: How long connecting took before that, in seconds; None when not observed.
    """

    reads: list[tuple[float, bytes]]
    written_s: float
    connect_s: float | None


class HttpServer:
    """The HTTP side of one model server.

    Args:
        base_url: `http://127.0.0.1:PORT`.
        api_key: Sent as a bearer token when given; `${ENV:NAME}` is looked up.
        transport: For tests; the network otherwise.

    Raises:
        ProviderError: The address is invalid, the variable that the key names is not set, or the
            key has a character that no header allows.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.base_url = base_url
        self._key = _resolved(api_key)
        try:
            address = httpx.URL(base_url)
        except httpx.InvalidURL as error:
            raise ProviderError(
                f"{base_url}: not a valid address: {error}", Cause.NOT_SET_UP
            ) from None
        self._http = httpx.Client(
            base_url=address,
            headers={
                "Accept-Encoding": "identity",  # raw reads are stamped
                **({"Authorization": f"Bearer {self._key}"} if self._key else {}),
            },
            timeout=CONTROL_TIMEOUT_S,
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=False,
            transport=transport,
        )

    def close(self) -> None:
        """Free the client's resources."""
        self._http.close()

    def status(self, path: str, timeout_s: float = CONTROL_TIMEOUT_S) -> int | None:
        """Return the HTTP status of `GET path`, or None when there is no answer."""
        try:
            with self._asked("GET", path, None, timeout_s) as (response, _):
                return response.status_code
        except (RequestFailed, RequestTimedOut):
            return None

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        timeout_s: float = CONTROL_TIMEOUT_S,
    ) -> dict[str, Any]:
        """Return the JSON object in the answer of a route.

        Raises:
            RequestFailed: The server is not there, or answers with an error or no JSON object.
            RequestTimedOut: The answer is not complete after `timeout_s`.
        """
        try:
            return json_object(self.text(method, path, body, timeout_s))
        except ValueError as error:
            raise RequestFailed(f"{method} {path}: {error}", Fault.NOT_JSON) from None

    def text(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        timeout_s: float = CONTROL_TIMEOUT_S,
    ) -> str:
        """Return the answer of a route; raises as `call` does."""
        where = f"{method} {path}: "
        with self._asked(method, path, body, timeout_s, where) as (response, deadline):
            if response.status_code != httpx.codes.OK:
                raise self._refused(response, deadline, where)
            return b"".join(_until(deadline, response)).decode("utf-8", errors="replace")

    def stream(
        self, path: str, body: Mapping[str, Any], timeout_s: float, max_tokens: int
    ) -> StampedStream:
        """Post a request and return its streamed answer, each read with its arrival.

        Args:
            path: Of the route.
            body: The request.
            timeout_s: Of the whole request, and of each silence within it.
            max_tokens: The requested limit; reading stops at far more text than that.

        Raises:
            RequestTimedOut: The request ran past its time limit.
            RequestFailed: The server answered with an error, disconnected, or does not stop.
        """
        begun_s = time.perf_counter()
        allowed = max(_LEAST_BYTES, max_tokens * _BYTES_PER_TOKEN)
        reads: list[tuple[float, bytes]] = []
        with self._asked("POST", path, body, timeout_s) as (response, deadline):
            if response.status_code != httpx.codes.OK:
                raise self._refused(response, deadline)
            for read in response.iter_raw():
                reads.append((time.perf_counter(), read))
                deadline.require_time()
                allowed -= len(read)
                if allowed < 0:
                    raise RequestFailed(
                        f"no end of the answer after far more than {max_tokens} tokens",
                        Fault.ENDLESS,
                    )
            deadline.require_time()
        written = deadline.marks.get("http11.send_request_headers.started", begun_s)
        return StampedStream(reads, written, _connect_time(deadline.marks))

    @contextmanager
    def _asked(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        timeout_s: float,
        where: str = "",
    ) -> Iterator[tuple[httpx.Response, Deadline]]:
        """Send a request; yield its response, with its body not read yet."""
        answered = False
        with Deadline(timeout_s) as deadline:
            try:
                with self._http.stream(
                    method,
                    path,
                    json=body,
                    timeout=timeout_s,
                    extensions={"trace": deadline.trace},
                ) as response:
                    answered = True
                    yield response, deadline
            except (httpx.HTTPError, OutOfTime) as error:
                silent = isinstance(error, httpx.TimeoutException)
                if silent or deadline.passed:
                    how = "silent for" if silent or not answered else "no end after"
                    raise RequestTimedOut(f"{where}{how} {timeout_s:g} s") from None
                fault = Fault.REFUSED if isinstance(error, httpx.ConnectError) else Fault.RESET
                message = self._without_key(f"{type(error).__name__}: {error}")
                raise RequestFailed(f"{where}{message}", fault) from None

    def _refused(
        self, response: httpx.Response, deadline: Deadline, where: str = ""
    ) -> RequestFailed:
        status = response.status_code
        rejected = status < httpx.codes.INTERNAL_SERVER_ERROR
        general = Fault.REJECTED if rejected else Fault.SERVER_ERROR
        body = b""
        for read in _until(deadline, response):
            body += read
            if len(body) > _MOST_ERROR_BYTES:
                break
        said = self._without_key(_error_text(body.decode("utf-8", errors="replace")))
        return RequestFailed(
            f"{where}HTTP {status}: {said[:200]}",
            _FAULTS.get(status, general),
            _CAUSES.get(status),
        )

    def _without_key(self, text: str) -> str:
        """Return a message of a server or library, which may quote the key, without it."""
        return text.replace(self._key, "[api_key]") if self._key else text


def _until(deadline: Deadline, response: httpx.Response) -> Iterator[bytes]:
    """Yield the reads of a body.

    Raises:
        OutOfTime: The time is up.
    """
    for read in response.iter_bytes():
        deadline.require_time()
        yield read
    deadline.require_time()


def _resolved(reference: str | None) -> str | None:
    """Return a key, taken from the environment where `${ENV:NAME}` says so."""
    named = ENV_REFERENCE.fullmatch(reference or "")
    if named and named[1] not in os.environ:
        message = f"api_key: the environment has no variable {named[1]}"
        raise ProviderError(message, Cause.NOT_SET_UP)
    key = os.environ[named[1]] if named else reference
    if not key:
        return None
    key = key.strip()  # the line end of a key that was read from a file
    if not (key.isascii() and key.isprintable()):
        message = "api_key: has a character that is not allowed in an HTTP header"
        raise ProviderError(message, Cause.NOT_SET_UP)
    return key


def _connect_time(marks: dict[str, float]) -> float | None:
    start = marks.get("connection.connect_tcp.started")
    end = marks.get("connection.connect_tcp.complete")
    return end - start if start is not None and end is not None else None


def _error_text(body: str) -> str:
    try:
        detail = json_object(body).get("error", body)
    except ValueError:
        detail = body
    return str(detail.get("message", detail) if isinstance(detail, dict) else detail)
