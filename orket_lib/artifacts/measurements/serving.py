"""Where a sweep's models are served: what a measurement needs to find and does not depend on.

It is kept apart from the spec, so that a server on another port measures nothing again. A server on
another machine is another thing to measure; that stands in the spec, as its `machine`.
"""

from __future__ import annotations

from pydantic import Field

from orket_lib.artifacts.base import Record
from orket_lib.vocabulary.addresses import remote_host


class ServerLocation(Record):
    """Where a sweep's models are served, as the workflow renders it."""

    base_url: str | None = Field(None, description="of a server that runs; null = provider's own")
    api_key: str | None = Field(None, description="`${ENV:NAME}`; the key itself is nowhere")
    exclusive: bool = Field(False, description="other models may be unloaded from the server")
    server_binary: str | None = Field(None, description="of a server that we start")

    @property
    def remote(self) -> str | None:
        """The host that serves when it is another machine, else None."""
        return remote_host(self.base_url)
