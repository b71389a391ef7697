"""Access to the providers by name; each is imported only when it is used."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module

from orket_lib.providers.base import Generation, GenerationRequest, Provider, RunningModel
from orket_lib.providers.catalog import Catalog
from orket_lib.vocabulary.errors import ProviderError, RequestFailed, RequestTimedOut
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.providers import PROVIDERS


def provider_for(name: str) -> Provider:
    """Return the provider of that name.

    Raises:
        ProviderError: There is none.
    """
    if name not in PROVIDERS:
        raise ProviderError(f"provider `{name}`: there is none of that name", Cause.NOT_SET_UP)
    module, _, attribute = PROVIDERS[name].implementation.partition(":")
    provider: Provider = getattr(import_module(module), attribute)()
    return provider


def read_catalog(
    provider: str, base_url: str, api_key: str | None = None, closely: Collection[str] | None = None
) -> Catalog:
    """Return the models that a server offers.

    Args:
        provider: Which API it has.
        base_url: Of the server.
        api_key: For the server; `${ENV:NAME}` is looked up.
        closely: Models to request details of, where these cost one request each; None means all.
            A model with several names is listed under the one given here.

    Raises:
        ProviderError: The server is not there, does not answer, or answers with an error.
    """
    return provider_for(provider).catalog(base_url, api_key, closely)


def unload_all(provider: str, base_url: str, api_key: str | None = None) -> None:
    """Unload every model that a server holds in memory.

    Raises:
        LoadError: One stays loaded, or the server does not answer.
    """
    module, _, _ = PROVIDERS[provider].implementation.partition(":")
    import_module(module).unload_all(base_url, api_key)


def ask_running(model: RunningModel, request: GenerationRequest) -> Generation:
    """Send one request to a model that is already served; nothing is loaded or changed.

    The request is worded as in the session that serves the model, so the same question gets the
    same answer from either.

    Raises:
        RequestTimedOut: The request ran past its time limit.
        RequestFailed: The server is not there, answered with an error, or cut the stream.
    """
    url = model.address.base_url
    try:
        return provider_for(model.provider).ask(model, request)
    except RequestTimedOut as error:
        raise RequestTimedOut(f"{url}: {error}") from None
    except RequestFailed as error:
        raise RequestFailed(f"{url}: {error}", error.fault, error.evidence.cause) from None
