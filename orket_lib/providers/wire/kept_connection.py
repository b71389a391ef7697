"""A connection that is kept between requests, for many short ones whose time is not measured.

Measured requests have a connection each (T21).
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from orket_lib.providers.base import ServerAddress
from orket_lib.providers.wire.api_key import ApiKey
from orket_lib.providers.wire.events import json_object
from orket_lib.providers.wire.http import MOST_CONTROL_BYTES
from orket_lib.providers.wire.refusals import error_text, refusal
from orket_lib.vocabulary.errors import Fault, RequestFailed, RequestTimedOut
from orket_lib.vocabulary.units import MIB

_CLOSED = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class KeptConnection:
    """Posts JSON to one server.

    Args:
        address: Of the server.
        timeout_s: Longest silence of the server, in seconds.
    """

    def __init__(self, address: ServerAddress, timeout_s: float) -> None:
        url = urlsplit(address.base_url)
        secure = url.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self._connection = kind(url.hostname or "", url.port, timeout=timeout_s)
        self._path = url.path.rstrip("/")
        self._timeout_s = timeout_s
        self._key = ApiKey(address.api_key)
        key = {"Authorization": f"Bearer {self._key.value}"} if self._key.value else {}
        self._headers = {"Content-Type": "application/json", **key}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def post(
        self,
        path: str,
        body: Mapping[str, Any],
        most_bytes: int = MOST_CONTROL_BYTES,
        only_numbers: bool = False,
    ) -> dict[str, Any]:
        """Return the JSON object in the answer of a route, without our key.

        Args:
            path: Of the route.
            body: What is sent.
            most_bytes: Limit of the answer.
            only_numbers: The caller takes only numbers from the answer, so the key is not searched
                for in its texts, which would take longer than all else.

        Raises:
            RequestFailed: The server is not there, or answers with an error, no JSON object, or
                more than `most_bytes`.
            RequestTimedOut: It is silent for too long.
        """
        content = json.dumps(body).encode()
        try:
            status, answer = self._exchange(path, content, most_bytes)
        except TimeoutError:
            self.close()
            raise RequestTimedOut(f"silent for {self._timeout_s:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            self.close()
            gone = isinstance(error, ConnectionRefusedError)
            fault = Fault.REFUSED if gone else Fault.RESET
            message = self._key.message(f"{type(error).__name__}: {error}")
            raise RequestFailed(message, fault) from None
        if len(answer) > most_bytes:
            self.close()
            message = f"no end of the answer after {most_bytes / MIB:g} MiB"
            raise RequestFailed(message, Fault.ENDLESS)
        said = answer.decode("utf-8", errors="replace")
        if status != http.client.OK:
            raise refusal(status, self._key.message(error_text(said)))
        try:
            found = json_object(said)
            return found if only_numbers else self._key.hidden(found)
        except ValueError as error:
            raise RequestFailed(self._key.message(str(error)), Fault.NOT_JSON) from None

    def _exchange(self, path: str, content: bytes, most_bytes: int) -> tuple[int, bytes]:
        """Send a request; on a connection that the server has closed since, on a new one."""
        kept = self._connection.sock is not None
        try:
            return self._once(path, content, most_bytes)
        except _CLOSED:
            self.close()
            if not kept:
                raise
            return self._once(path, content, most_bytes)

    def _once(self, path: str, content: bytes, most_bytes: int) -> tuple[int, bytes]:
        self._connection.request("POST", self._path + path, content, self._headers)
        response = self._connection.getresponse()
        return response.status, response.read(most_bytes + 1)
