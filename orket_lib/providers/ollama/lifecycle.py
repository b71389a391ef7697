"""Loading and unloading on an Ollama server that is not ours, so that it is left as it was found.

Whatever somebody else has loaded stops the run by name, unless the config says that the server is
ours alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from orket_lib.artifacts.views.run_report import LoadTimes
from orket_lib.providers.action_log import Diary
from orket_lib.providers.ollama.client import OllamaClient
from orket_lib.providers.ollama.models import Loaded, Offer, find, find_loaded, is_cloud
from orket_lib.providers.shared_server import evict, leave, load_errors, not_loaded
from orket_lib.vocabulary.errors import LoadError, RequestFailed, RequestTimedOut
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.nulls import Null

NAME = "Ollama"
_NO_MEMORY = "requires more system memory"


def read_build(client: OllamaClient) -> str:
    """Return which Ollama it is.

    Raises:
        LoadError: None is there.
    """
    try:
        return f"ollama {client.version() or 'of an unknown version'}"
    except (RequestFailed, RequestTimedOut) as error:
        elsewhere = os.environ.get("OLLAMA_HOST")
        hint = f" (OLLAMA_HOST is {elsewhere}, and is not read)" if elsewhere else ""
        raise LoadError(
            f"no Ollama answers at {client.address.base_url}; start it, or set base_url{hint}: "
            f"{error}",
            Cause.GONE,
        ) from None


def find_offer(client: OllamaClient, tag: str) -> Offer:
    """Return what the server has for a tag.

    Raises:
        LoadError: It has nothing of that name, or somebody else has it.
    """
    with load_errors(NAME, "looking for the model"):
        found = find(tag, client.offers())
    if is_cloud(tag) or (found and found.cloud):
        raise cloud_refusal(tag, found.remote_host if found else None)
    if found is None:
        raise LoadError(
            f"Ollama at {client.address.base_url} has no model {tag}; type: ollama pull {tag}",
            Cause.NOT_OFFERED,
        )
    return found


def cloud_refusal(tag: str, host: str | None) -> LoadError:
    """Return why a model that somebody else runs is not measured."""
    where = host or "somebody else's"
    told = f"{tag} is a cloud model: it runs at {where}, and is not measured here"
    return LoadError(told, Cause.ELSEWHERE)


def make_room(client: OllamaClient, exclusive: bool, diary: Diary) -> None:
    """See to it that no model is loaded.

    Raises:
        LoadError: Somebody else's is and may not be unloaded, or it doesn't go.
    """
    with load_errors(NAME, "looking at what is loaded"):
        models = client.loaded()
        if models and not exclusive:
            names = ", ".join(model.name for model in models)
            stops = "; ".join(f"ollama stop {model.name}" for model in models)
            raise LoadError(
                f"Ollama has loaded {names}, and not for us; type: {stops}; or set exclusive: "
                "true, and it is unloaded for you",
                Cause.OCCUPIED,
            )
        for model in models:
            there = partial(_is_loaded, client, model.name, model.digest)
            evict(model.name, partial(client.unload, model.name), there)
            diary.say(f"unloaded {model.name}, which somebody else had loaded (exclusive: true)")


def load(client: OllamaClient, tag: str, options: Mapping[str, Any], diary: Diary) -> LoadTimes:
    """Load a model that is not loaded.

    Raises:
        LoadError: It doesn't load.
    """
    diary.say(f"loading {tag} with {dict(options)}")
    begin = time.perf_counter()
    try:
        client.load(tag, options)
    except (RequestFailed, RequestTimedOut) as error:
        seconds = time.perf_counter() - begin
        raise not_loaded(tag, error, _NO_MEMORY, seconds, diary) from None
    seconds = time.perf_counter() - begin
    diary.say(f"loaded {tag} in {seconds:.3f} s")
    return LoadTimes.of(load_seconds=seconds, model_seconds=Null("NOT_REPORTED"))


def loaded_as(client: OllamaClient, tag: str, offer: Offer) -> Loaded:
    """Return how the server lists a model that it has just loaded.

    Raises:
        LoadError: It doesn't.
    """
    with load_errors(NAME, "looking at what is loaded"):
        found = find_loaded(client.loaded(), tag, offer.digest)
    if found is None:
        told = f"Ollama says that it loaded {tag}, and doesn't list it as loaded"
        raise LoadError(told, Cause.NOT_OFFERED)
    return found


def unload(client: OllamaClient, tag: str, offer: Offer, diary: Diary) -> None:
    """Unload our model and look whether it went."""
    there = partial(_is_loaded, client, tag, offer.digest)
    leave(tag, partial(client.unload, tag), there, diary)


def _is_loaded(client: OllamaClient, tag: str, digest: str | None) -> bool:
    return find_loaded(client.loaded(), tag, digest) is not None
