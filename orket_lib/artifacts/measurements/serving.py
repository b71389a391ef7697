"""Where a sweep's models are served.

This is not part of the spec. Of a server that the harness doesn't start, the spec holds the
identity (`ServerIdentity`): its address, and what it says of itself.
"""

from __future__ import annotations

from pydantic import Field

from orket_lib.artifacts.base import Record
from orket_lib.vocabulary.providers import remote_host


class ServerLocation(Record):
    """Where a model is served."""

    base_url: str | None = Field(
        None, description="of a running server; null = the provider's default"
    )
    api_key: str | None = Field(None, description="`${ENV:NAME}`; the key itself is never stored")
    exclusive: bool = Field(False, description="other models may be unloaded from the server")
    server_binary: str | None = Field(None, description="of a server that the harness starts")

    @property
    def remote(self) -> str | None:
        """The host of the server when it is another machine, else None."""
        return remote_host(self.base_url)


class Places(Record):
    """Where a sweep's models are served (`policy/place.json`)."""

    shared: ServerLocation = Field(
        default_factory=ServerLocation, description="of models without settings of their own"
    )
    own: dict[str, ServerLocation] = Field({}, description="of models with settings of their own")

    @property
    def remote(self) -> str | None:
        """The host of the servers, which are all on one machine, when it is another; else None."""
        hosts = [self.shared.remote, *(it.remote for it in self.own.values())]
        return next(filter(None, hosts), None)

    def of(self, model: str) -> ServerLocation:
        """Return where a model is served."""
        return self.own.get(model, self.shared)


class KvCache(Record):
    """The KV cache that a llama.cpp server has allocated, by its own log."""

    type_k: str = Field(description="of the keys, such as f16 or q8_0")
    type_v: str = Field(description="of the values")
    cells: int = Field(description="tokens that it holds")
    mib: float = Field(description="its size")
    computed_mib: float | None = Field(
        description="its size by the file's header; null where layers don't all keep the whole "
        "context, or the header doesn't say it"
    )
