"""Models: on servers, and as files in a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from orket_lib.artifacts.printed.doctor import Fit, SeenModel, SeenServer, UnusableModel
from orket_lib.artifacts.printed.offers import OfferedModel
from orket_lib.doctor.places import Place
from orket_lib.preflight.memory import FreeMemory
from orket_lib.preflight.memory_profiles import least_profile
from orket_lib.processes.time_limit import within
from orket_lib.providers.catalog import Catalog
from orket_lib.providers.gguf.file import read_gguf, shards
from orket_lib.providers.gguf.memory_estimate import ModelShape, memory_need, shape_of
from orket_lib.providers.ollama.store import is_ollamas_own, is_store
from orket_lib.providers.registry import provider_for, read_catalog
from orket_lib.vocabulary.errors import (
    Fault,
    ProviderError,
    RequestFailed,
    RequestTimedOut,
    UnusableFile,
)
from orket_lib.vocabulary.providers import PROVIDERS, remote_host

_MOST_FILES = 500  # of a place
NO_ANSWER = "connected, but no answer"


def look_at_servers(
    urls: Mapping[str, str],
    keys: Mapping[str, str | None],
    free: FreeMemory,
    n_ctx: int,
    patience_s: float,
) -> tuple[SeenServer, ...]:
    """Return the servers at some addresses, which are asked concurrently.

    Args:
        urls: Addresses by provider.
        keys: API keys by provider, where there are any.
        free: Memory that their models would be served from.
        n_ctx: Context to estimate memory for.
        patience_s: Time limit for a server's list; details of its models may take longer.
    """

    def look(item: tuple[str, str]) -> SeenServer:
        provider, url = item
        return _look_at_server(provider, url, keys.get(provider), free, n_ctx, patience_s)

    for provider in urls:
        provider_for(provider)  # its import must not count towards the patience

    with ThreadPoolExecutor(max_workers=max(1, len(urls))) as pool:
        return tuple(pool.map(look, urls.items()))


def look_at_files(
    places: Iterable[Place], free: FreeMemory, n_ctx: int
) -> tuple[tuple[SeenModel, ...], tuple[UnusableModel, ...]]:
    """Return the models in some places, described by their headers, and the files that are none.

    A file that has several names is the first of them.
    """
    models, unusable = [], []
    seen: set[Path] = set()
    for place in places:
        for name, path in islice(place.files(), _MOST_FILES):
            real = path.resolve()
            if path != shards(path)[0] or real in seen:
                continue
            seen.add(real)
            try:
                models.append(_seen_file(place, name, path, free, n_ctx))
            except UnusableFile as error:
                unusable.append(UnusableModel(name=name, detail=error.what, remedy=error.remedy))
    return tuple(models), tuple(unusable)


def _look_at_server(
    provider: str, url: str, key: str | None, free: FreeMemory, n_ctx: int, patience_s: float
) -> SeenServer:
    try:
        asked = within(patience_s, lambda: read_catalog(provider, url, key, closely=()))
    except (ProviderError, TimeoutError) as error:
        detail = _silence(error)
        return SeenServer(provider=provider, base_url=url, answers=False, detail=detail)
    asked = _closely(provider, url, key, asked, patience_s)
    here = None if remote_host(url) else free  # the free memory of another machine is unknown
    models = tuple(
        _weighed(model, asked.shapes.get(model.name), here, n_ctx)
        for model in asked.offering.models
    )
    return SeenServer(
        provider=provider,
        base_url=url,
        answers=True,
        detail=f"{len(models)} model{'' if len(models) == 1 else 's'}",
        build=asked.offering.build,
        models=models,
    )


def _closely(
    provider: str, url: str, key: str | None, asked: Catalog, patience_s: float
) -> Catalog:
    """Ask for details of each model, unless that takes too long."""
    if not PROVIDERS[provider].details_per_model or not asked.offering.models:
        return asked
    limit = patience_s * (1 + len(asked.offering.models) / 4)
    try:
        return within(limit, lambda: read_catalog(provider, url, key))
    except (ProviderError, TimeoutError):
        return asked


def _silence(error: Exception) -> str:
    """Return why nothing is known about a server."""
    fault = error.fault if isinstance(error, RequestFailed) else None
    if fault is Fault.REFUSED:
        return "connection refused"
    if isinstance(error, TimeoutError | RequestTimedOut):
        return NO_ANSWER
    return f"not this kind of server, or not ready: {error}"


def _seen_file(place: Place, name: str, path: Path, free: FreeMemory, n_ctx: int) -> SeenModel:
    """Return what a file is.

    Raises:
        UnusableFile: It is no complete model.
    """
    facts = read_gguf(path)
    if facts.kind is not None and not facts.kind.is_model:
        raise UnusableFile(path.as_posix(), f"it is {facts.kind.what}", facts.kind.remedy)
    stored = is_store(place.path)
    if stored and is_ollamas_own(facts):
        raise UnusableFile(name, "only Ollama reads this file", "type: ollama serve")
    shape = shape_of(facts.metadata)
    model = OfferedModel(
        name=name,
        path=path.as_posix() if stored else None,
        quant_tag=facts.quant_tag,
        bytes=facts.bytes,
        n_ctx=shape.n_ctx if shape else None,
        parameters=facts.parameters,
        chats=facts.kind is None,
    )
    return _weighed(model, shape, free, n_ctx).model_copy(update={"place": place.label})


def _weighed(
    model: OfferedModel, shape: ModelShape | None, free: FreeMemory | None, n_ctx: int
) -> SeenModel:
    if model.bytes is None or model.remote is not None:
        return SeenModel(**model.model_dump())
    need = memory_need(model.bytes, shape, min(n_ctx, model.n_ctx or n_ctx))
    return SeenModel(
        **model.model_dump(),
        takes_mib=need.total_mib,
        at_least=need.cache_mib is None,
        fits=_fit(need.total_mib, free),
    )


def _fit(need_mib: float, free: FreeMemory | None) -> Fit:
    if free is None:
        return "unknown"
    profile = least_profile(need_mib, free.free_mib)
    return profile.value if profile else "no"
