"""HTTP to a model server: short control calls, and streams whose reads are stamped on arrival.

Every measured request has its own connection, because a server may close a kept-alive one when a
stream ends (T21), and requests are never retried. The request's clock starts when the connection is
open and the first header byte is about to be written. Proxies of the environment are ignored, so a
loopback request stays on the loopback.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx

from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.providers.wire.api_key import ApiKey
from orket_lib.providers.wire.body import beginning, unpacked, up_to
from orket_lib.providers.wire.deadline import Deadline, OutOfTime
from orket_lib.providers.wire.events import StampedReads, json_object
from orket_lib.providers.wire.refusals import error_text, refusal
from orket_lib.vocabulary.errors import Fault, ProviderError, RequestFailed, RequestTimedOut
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.providers import server_address
from orket_lib.vocabulary.units import MIB

CONTROL_TIMEOUT_S = 30.0
# Of a control answer. Lists of thousands of models are smaller, and parsing takes 25 times as much.
MOST_CONTROL_BYTES = 4 * MIB
_BYTES_PER_TOKEN = 8192  # far above what any format wraps around a token, logprobs included
_LEAST_BYTES = 4 * MIB
_MOST_ERROR_BYTES = 64 * 1024  # of an error's body: its beginning is enough


@dataclass(frozen=True)
class StampedStream:
    """The body of one streamed answer.

    Attributes:
        reads: The bytes of each read, with the clock at its arrival (seconds).
        written_s: The clock when the request was written.
        connect_s: How long connecting took before that, in seconds; None when not observed.
        content_type: What the server says that the body is; may be empty.
    """

    reads: list[tuple[float, bytes]]
    written_s: float
    connect_s: float | None
    content_type: str = ""


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
        self._key = ApiKey(api_key)
        try:
            self.base_url = server_address(base_url)
            address = httpx.URL(self.base_url)
        except (ValueError, httpx.InvalidURL) as error:
            raise ProviderError(
                f"{base_url}: not a valid address: {error}", Cause.NOT_SET_UP
            ) from None
        key = self._key.value
        self._http = httpx.Client(
            base_url=address,
            headers={
                "Accept-Encoding": "identity",  # raw reads are stamped
                **({"Authorization": f"Bearer {key}"} if key else {}),
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
            with self._asked("GET", path, None, timeout_s, "") as (response, _):
                return response.status_code
        except (RequestFailed, RequestTimedOut):
            return None

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        timeout_s: float = CONTROL_TIMEOUT_S,
        most_bytes: int = MOST_CONTROL_BYTES,
    ) -> dict[str, Any]:
        """Return the JSON object in the answer of a route.

        Raises:
            RequestFailed: The server is not there, or answers with an error, no JSON object, or
                more than `most_bytes`.
            RequestTimedOut: The answer is not complete after `timeout_s`.
        """
        try:
            # Hidden after parsing, too: JSON may spell a character of the key in several ways.
            return self._key.hidden(
                json_object(self.text(method, path, body, timeout_s, most_bytes))
            )
        except ValueError as error:
            where = self._where(method, path)
            raise RequestFailed(f"{where}{self._key.message(str(error))}", Fault.NOT_JSON) from None

    def text(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        timeout_s: float = CONTROL_TIMEOUT_S,
        most_bytes: int = MOST_CONTROL_BYTES,
    ) -> str:
        """Return the answer of a route; raises as `call` does."""
        where = self._where(method, path)
        with self._asked(method, path, body, timeout_s, where) as (response, deadline):
            if response.status_code != httpx.codes.OK:
                raise self._refused(response, deadline, where)
            content = beginning(response, most_bytes, deadline, where)
        if len(content) > most_bytes:
            message = f"{where}no end of the answer after {most_bytes / MIB:g} MiB"
            raise RequestFailed(message, Fault.ENDLESS)
        return self._key.hidden(content.decode("utf-8", errors="replace"))

    def generation(
        self,
        path: str,
        body: Mapping[str, Any],
        request: GenerationRequest,
        assemble: Callable[[StampedStream], Generation],
        is_whole: Callable[[StampedReads], bool],
    ) -> Generation:
        """Post a request and return its streamed answer, without our key.

        Args:
            path: Of the route.
            body: What is sent.
            request: With the time limit of the whole exchange, and the limit of the answer: reading
                stops at far more text than that.
            assemble: Reads the answer from the stream.
            is_whole: Tells whether an answer ended whose body did not end properly: some servers
                keep the connection open, or close it without HTTP's last chunk.

        Raises:
            RequestTimedOut: The request ran past its time limit.
            RequestFailed: The server answered with an error, disconnected, or does not stop; or
                `assemble` raised it.
        """
        stream = self._stream(path, body, request, is_whole)
        try:
            found = assemble(stream)
        except RequestFailed as error:
            message = self._key.message(str(error))
            raise RequestFailed(message, error.fault, error.evidence.cause) from None
        shown = self._key.hidden(found)
        return found if shown is found else replace(shown, key_hidden=True)

    def _stream(
        self,
        path: str,
        body: Mapping[str, Any],
        request: GenerationRequest,
        is_whole: Callable[[StampedReads], bool],
    ) -> StampedStream:
        begun_s = time.perf_counter()
        most = max(_LEAST_BYTES, request.max_tokens * _BYTES_PER_TOKEN)
        reads: list[tuple[float, bytes]] = []
        headers, marks = httpx.Headers(), dict[str, float]()
        broken: RequestFailed | RequestTimedOut | None = None
        try:
            with self._asked("POST", path, body, request.timeout_s, "") as (response, deadline):
                headers, marks = response.headers, deadline.marks
                if response.status_code != httpx.codes.OK:
                    raise self._refused(response, deadline, "")
                stamped = ((time.perf_counter(), read) for read in response.iter_raw())
                for read in up_to(most, stamped):
                    reads.append(read)
                    deadline.require_time()
                deadline.require_time()
        except (RequestFailed, RequestTimedOut) as error:
            broken = error
        if reads:
            reads = list(up_to(most, unpacked(reads, headers.get("content-encoding", ""))))
        if sum(len(read) for _, read in reads) > most:
            message = f"no end of the answer after far more than {request.max_tokens} tokens"
            raise RequestFailed(message, Fault.ENDLESS)
        if broken and not is_whole(reads):
            raise broken
        return StampedStream(
            reads,
            marks.get("http11.send_request_headers.started", begun_s),
            _connect_time(marks),
            headers.get("content-type", ""),
        )

    @contextmanager
    def _asked(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        timeout_s: float,
        where: str,
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
                message = self._key.message(f"{type(error).__name__}: {error}")
                raise RequestFailed(f"{where}{message}", fault) from None

    def _where(self, method: str, path: str) -> str:
        return f"{method} {self.base_url}{path}: "

    def _refused(self, response: httpx.Response, deadline: Deadline, where: str) -> RequestFailed:
        body = beginning(response, _MOST_ERROR_BYTES, deadline, where)
        said = self._key.message(error_text(body.decode("utf-8", errors="replace")))
        return refusal(response.status_code, said, where, self._hint(response))

    def _hint(self, response: httpx.Response) -> str:
        """Return what a status probably means for the address that was typed."""
        target = response.headers.get("location")
        if response.is_redirect and target:
            return f"; it points to {self._key.message(target)[:200]}; set base_url to that address"
        path = httpx.URL(self.base_url).path.rstrip("/")
        if response.status_code == httpx.codes.NOT_FOUND and path:
            return f"; does `{path}` belong in base_url?"
        return ""


def most_bytes_of_tokens(text: str) -> int:
    """Return how large the list of a text's tokens may be: a token has at least one byte."""
    return MOST_CONTROL_BYTES + 16 * len(text.encode("utf-8", "replace"))


def _connect_time(marks: dict[str, float]) -> float | None:
    start = marks.get("connection.connect_tcp.started")
    end = marks.get("connection.connect_tcp.complete")
    return end - start if start is not None and end is not None else None
