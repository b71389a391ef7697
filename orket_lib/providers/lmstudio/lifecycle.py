"""Loading and unloading in an LM Studio, which is left as it was found.

A model that another client has loaded stops the run with an error that names it, unless the config
sets `exclusive`. Since 0.4, LM Studio has routes to load and unload. Before, it loaded a model on
the first request, with the context set in the application, and unloaded it when it was idle.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from orket_lib.artifacts.views.run_report import LoadTimes
from orket_lib.providers.base import reported
from orket_lib.providers.lmstudio.client import LmStudioClient
from orket_lib.providers.lmstudio.models import Instance, Listed, find, loaded
from orket_lib.providers.shared_server import (
    ActionLog,
    evict,
    leave,
    listed_names,
    load_errors,
    not_loaded,
)
from orket_lib.vocabulary.errors import LoadError, ProviderError, RequestFailed, RequestTimedOut
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.providers import typed

NAME = "LM Studio"
_TTL_S, _LAST_TTL_S = 3600, 1  # older versions: during the measurement, and after it
_NO_MEMORY = "insufficient system resources"


def find_model(client: LmStudioClient, tag: str) -> Listed:
    """Return the model with this tag.

    Raises:
        LoadError: No LM Studio answers, or it has no such model.
    """
    url = client.address.base_url
    try:
        models, _ = client.models()
    except (RequestFailed, RequestTimedOut) as error:
        hint = "; api_key: ${ENV:NAME} names its token" if "HTTP 401" in str(error) else ""
        raise LoadError(
            f"no LM Studio answers at {url}; type: lms server start; or set base_url{hint}: "
            f"{error}",
            Cause.GONE,
        ) from None
    found = find(tag, models)
    if found is None:
        names = listed_names([item.key for item in models])
        message = f"LM Studio at {url} has {names}, and not {tag}; type: lms get {typed(tag)}"
        raise LoadError(message, Cause.NOT_OFFERED)
    return found


def unload_others(client: LmStudioClient, exclusive: bool, actions: ActionLog) -> None:
    """Make sure that no model is loaded.

    Raises:
        LoadError: A loaded model must not be unloaded, or stays loaded.
    """
    with load_errors(NAME, "looking at what is loaded"):
        models, manageable = client.models()
        names = list(loaded(models))
        if names and not (exclusive and manageable):
            raise LoadError(_foreign(names, manageable), Cause.OCCUPIED)
        for name in names:
            is_loaded = partial(_is_loaded, client, name)
            evict(name, partial(client.unload, name), is_loaded, actions)


@contextmanager
def loaded_model(
    client: LmStudioClient, tag: str, settings: Mapping[str, Any], actions: ActionLog
) -> Iterator[tuple[Instance, LoadTimes]]:
    """Load a model until the context ends; yield its instance and load times.

    Raises:
        LoadError: It does not load.
    """
    with load_errors(NAME, f"loading {tag}"):
        _, manageable = client.models()
    name = tag
    begin = time.perf_counter()
    model_seconds: float | None = None
    try:
        if manageable:
            name, model_seconds = client.load(tag, settings)
        else:
            client.load_by_asking(tag, _TTL_S)
    except BaseException as error:  # also Ctrl-C: the model may be loaded by now
        _leave_all(client, tag, manageable, actions)
        if isinstance(error, (RequestFailed, RequestTimedOut)):
            seconds = time.perf_counter() - begin
            raise not_loaded(tag, error, _NO_MEMORY, seconds, actions) from None
        raise
    load_seconds = time.perf_counter() - begin
    actions.add(f"loaded {tag} as {name} in {load_seconds:.3f} s")
    try:
        with load_errors(NAME, "looking at what is loaded"):
            instance = loaded(client.models()[0]).get(name)
        if instance is None:
            message = f"LM Studio reported {tag} as loaded, but doesn't list it"
            raise LoadError(message, Cause.NOT_OFFERED)
        yield (
            instance,
            LoadTimes.of(load_seconds=load_seconds, model_seconds=reported(model_seconds)),
        )
    finally:
        _leave(client, name, manageable, actions)


def _leave(client: LmStudioClient, name: str, manageable: bool, actions: ActionLog) -> None:
    """Unload our instance; an older version does so after a request with a short time to live."""
    drop = partial(client.load_by_asking, name, _LAST_TTL_S)
    unload = partial(client.unload, name) if manageable else drop
    leave(name, unload, partial(_is_loaded, client, name), actions)


def _leave_all(client: LmStudioClient, tag: str, manageable: bool, actions: ActionLog) -> None:
    """Unload every instance of a model that was not loaded before."""
    try:
        found = find(tag, client.models()[0])
    except ProviderError as error:
        actions.add(f"could not check whether {tag} is loaded: {error}")
        return
    for instance in found.instances if found else ():
        _leave(client, instance.id, manageable, actions)


def _foreign(names: list[str], manageable: bool) -> str:
    lines = "; ".join(f"lms unload {typed(name)}" for name in names)
    text = f"LM Studio has {', '.join(names)} loaded for another client; type: {lines}"
    if manageable:
        return f"{text}; or set exclusive: true to have it unloaded"
    return f"{text} (exclusive has no effect before version 0.4)"


def _is_loaded(client: LmStudioClient, name: str) -> bool:
    return name in loaded(client.models()[0])
