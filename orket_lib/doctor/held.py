"""Models that servers on this machine hold in memory, which a sweep would have to do without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orket_lib.artifacts.printed.doctor import SeenServer
from orket_lib.config.model import SweepConfig
from orket_lib.doctor.models import look_at_servers
from orket_lib.preflight.memory import free_gpu_memory
from orket_lib.vocabulary.providers import PROVIDERS, default_urls, remote_host, typed
from orket_lib.vocabulary.text import listed

_PATIENCE_S = 2.0


@dataclass(frozen=True)
class Held:
    """Models in the memory of one server.

    Attributes:
        provider, base_url: Of the server.
        names: Of the models.
        api_key: For the server, as `${ENV:NAME}`.
    """

    provider: str
    base_url: str
    names: tuple[str, ...]
    api_key: str | None = None

    @property
    def can_unload(self) -> bool:
        """Whether the server unloads models when it is asked."""
        return PROVIDERS[self.provider].unload is not None

    @property
    def by_hand(self) -> str:
        """How to get the memory back."""
        line = PROVIDERS[self.provider].unload
        if line is None:
            return "to measure with all of the memory, stop that server first"
        lines = "; ".join(line.format(tag=typed(name)) for name in self.names)
        return f"to measure with all of the memory, type first: {lines}"

    def __str__(self) -> str:
        return (
            f"{self.provider} at {self.base_url} holds {listed(self.names)} in memory, which the "
            "measured models then lack"
        )


def held(config: SweepConfig) -> list[Held]:
    """Return what is held in memory by the servers of this machine, except for the sweep itself.

    Args:
        config: Of the sweep. A server that it may empty (`exclusive`), and a running one that keeps
            the model to be measured, are left out.
    """
    urls, own = default_urls(), set()
    keys: dict[str, str | None] = {}
    for _, view in config.views:
        if view.base_url:
            urls[view.provider] = view.base_url
        keys[view.provider] = view.api_key
        if view.exclusive or view.traits.keeps_its_model(view.base_url):
            own.add(view.provider)
    here = {name: url for name, url in urls.items() if name not in own and not remote_host(url)}
    seen = look_at_servers(here, keys, free_gpu_memory(None), config.n_ctx or 0, _PATIENCE_S)
    return list(_held(seen, keys))


def _held(servers: tuple[SeenServer, ...], keys: Mapping[str, str | None]) -> Iterator[Held]:
    for server in servers:
        # A server that can't unload has its model in memory for as long as it runs.
        stays = PROVIDERS[server.provider].unload is None
        names = tuple(it.name for it in server.models if it.loaded or (stays and it.loaded is None))
        if server.answers and names:
            yield Held(server.provider, server.base_url, names, keys.get(server.provider))
