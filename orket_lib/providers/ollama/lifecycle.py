"""Loading and unloading on an Ollama server, which is left as it was found.

A model that another client has loaded stops the run with an error that names it, unless the config
sets `exclusive`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from orket_lib.artifacts.views.run_report import LoadTimes
from orket_lib.providers.base import NOT_REPORTED
from orket_lib.providers.ollama.client import OllamaClient
from orket_lib.providers.ollama.models import Loaded, Offer, find, find_loaded, is_cloud
from orket_lib.providers.shared_server import ActionLog, evict, leave, load_errors, not_loaded
from orket_lib.vocabulary.errors import LoadError, RequestFailed, RequestTimedOut
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.providers import typed

NAME = "Ollama"
_NO_MEMORY = "requires more system memory"


def read_build(client: OllamaClient) -> str:
    """Return the version of the server.

    Raises:
        LoadError: No server answers.
    """
    try:
        return f"ollama {client.version() or 'of an unknown version'}"
    except (RequestFailed, RequestTimedOut) as error:
        elsewhere = os.environ.get("OLLAMA_HOST")
        hint = f" (OLLAMA_HOST is {elsewhere}, and is ignored)" if elsewhere else ""
        raise LoadError(
            f"no Ollama answers at {client.address.base_url}; start it, or set base_url{hint}: "
            f"{error}",
            Cause.GONE,
        ) from None


def find_offer(client: OllamaClient, tag: str) -> Offer:
    """Return the server's entry for a tag.

    Raises:
        LoadError: It has no such model, or the model runs in the cloud.
    """
    with load_errors(NAME, "looking for the model"):
        found = find(tag, client.offers())
    if is_cloud(tag) or (found and found.cloud):
        raise cloud_refusal(tag, found.remote_host if found else None)
    if found is None:
        raise LoadError(
            f"Ollama at {client.address.base_url} has no model {tag}; type: "
            f"ollama pull {typed(tag)}",
            Cause.NOT_OFFERED,
        )
    return found


def cloud_refusal(tag: str, host: str | None) -> LoadError:
    """Return why a model in the cloud is not measured."""
    where = host or "another host"
    message = f"{tag} is a cloud model: it runs at {where}, and is not measured here"
    return LoadError(message, Cause.ELSEWHERE)


def unload_others(client: OllamaClient, exclusive: bool, actions: ActionLog) -> None:
    """Make sure that no model is loaded.

    Raises:
        LoadError: A loaded model must not be unloaded, or stays loaded.
    """
    with load_errors(NAME, "looking at what is loaded"):
        models = client.loaded()
        if models and not exclusive:
            names = ", ".join(model.name for model in models)
            stops = "; ".join(f"ollama stop {typed(model.name)}" for model in models)
            raise LoadError(
                f"Ollama has {names} loaded for another client; type: {stops}; or set exclusive: "
                "true to have it unloaded",
                Cause.OCCUPIED,
            )
        for model in models:
            is_loaded = partial(_is_loaded, client, model.name, model.digest)
            evict(model.name, partial(client.unload, model.name), is_loaded, actions)


def load(
    client: OllamaClient, tag: str, options: Mapping[str, Any], actions: ActionLog
) -> LoadTimes:
    """Load a model that is not loaded.

    Raises:
        LoadError: It does not load.
    """
    actions.add(f"loading {tag} with {dict(options)}")
    begin = time.perf_counter()
    try:
        client.load(tag, options)
    except (RequestFailed, RequestTimedOut) as error:
        seconds = time.perf_counter() - begin
        raise not_loaded(tag, error, _NO_MEMORY, seconds, actions) from None
    seconds = time.perf_counter() - begin
    actions.add(f"loaded {tag} in {seconds:.3f} s")
    return LoadTimes.of(load_seconds=seconds, model_seconds=NOT_REPORTED)


def loaded_as(client: OllamaClient, tag: str, offer: Offer) -> Loaded:
    """Return the server's entry for a model that it has just loaded.

    Raises:
        LoadError: There is none.
    """
    with load_errors(NAME, "looking at what is loaded"):
        found = find_loaded(client.loaded(), tag, offer.digest)
    if found is None:
        message = f"Ollama reported {tag} as loaded, but doesn't list it"
        raise LoadError(message, Cause.NOT_OFFERED)
    return found


def unload(client: OllamaClient, tag: str, offer: Offer, actions: ActionLog) -> None:
    """Unload our model and check that it is gone."""
    is_loaded = partial(_is_loaded, client, tag, offer.digest)
    leave(tag, partial(client.unload, tag), is_loaded, actions)


def _is_loaded(client: OllamaClient, tag: str, digest: str | None) -> bool:
    return find_loaded(client.loaded(), tag, digest) is not None
