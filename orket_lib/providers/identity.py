"""What a running server says of itself and its models; see `ServerIdentity`."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PureWindowsPath

from orket_lib.artifacts.measurements.spec import ServerIdentity
from orket_lib.artifacts.printed.offers import OfferedModel
from orket_lib.processes.time_limit import within
from orket_lib.providers.catalog import Catalog
from orket_lib.providers.registry import provider_for, read_catalog
from orket_lib.vocabulary.errors import ProviderError
from orket_lib.vocabulary.providers import PROVIDERS, same_server

PATIENCE_S = 15.0  # of a busy machine; nothing listens is known at once


def read_identities(
    provider: str,
    base_url: str | None,
    api_key: str | None,
    tags: Collection[str | None],
    patience_s: float = PATIENCE_S,
) -> dict[str | None, ServerIdentity]:
    """Return what a server says of each model; those that it doesn't offer are left out.

    Nothing is loaded, and nothing is returned from a server that doesn't answer in time.

    Args:
        provider: Which API it has.
        base_url: Of the server; None means the provider's default.
        api_key: For the server.
        tags: Names of models; None is the only model of a server that was started with a file.
        patience_s: Time limit.
    """
    traits = PROVIDERS[provider]
    url = base_url or str(traits.default_url)
    named = {tag for tag in tags if tag is not None}
    closely = () if traits.details_per_model else named
    provider_for(provider)  # its import must not count towards the patience
    try:
        catalog = within(patience_s, lambda: read_catalog(provider, url, api_key, closely))
    except (ProviderError, TimeoutError):
        return {}
    found = {tag: _offered(catalog, tag) for tag in tags}
    return {
        tag: _identity(url, catalog.offering.build, model, traits.loads_models)
        for tag, model in found.items()
        if model is not None
    }


def _offered(catalog: Catalog, tag: str | None) -> OfferedModel | None:
    if tag is not None:
        return catalog.find(tag)
    models = catalog.offering.models
    return models[0] if len(models) == 1 else None


def _name_of(path: str | None) -> str | None:
    """Return a repository as it is, and a file without its folder, which may move."""
    if path is None:
        return None
    is_file = path.endswith(".gguf") or path.startswith(("/", "~")) or "\\" in path
    return PureWindowsPath(path).name if is_file else path


def _identity(
    url: str, build: str | None, model: OfferedModel, loads_models: bool
) -> ServerIdentity:
    return ServerIdentity(
        address=str(same_server(url)),
        build=build,
        owner=model.owner,
        path=_name_of(model.path),
        digest=model.digest,
        quant_tag=model.quant_tag,
        # A server that loads models tells some sizes of the model that is selected at the moment.
        bytes=None if loads_models else model.bytes,
        parameters=model.parameters,
        n_ctx=model.n_ctx,
    )
