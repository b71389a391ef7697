"""Loading and unloading in an LM Studio that is not ours, so that it is left as it was found.

Whatever somebody else has loaded stops the run by name, unless the config says that the server is
ours alone. Since 0.4 it loads and unloads as it is told. Before, it loaded a model when that was
first asked, with the context that is set for it in the application, and forgot it when it had not
been used for a while.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from orket_lib.artifacts.views.run_report import LoadTimes
from orket_lib.providers.action_log import Diary
from orket_lib.providers.lmstudio.client import LmStudioClient
from orket_lib.providers.lmstudio.models import Instance, Listed, find, loaded
from orket_lib.providers.shared_server import evict, leave, load_errors, not_loaded
from orket_lib.vocabulary.errors import LoadError, ProviderError, RequestFailed, RequestTimedOut
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.nulls import Null

NAME = "LM Studio"
_TTL_S, _LAST_TTL_S = 3600, 1  # an older version: while we measure, and when we leave
_NO_MEMORY = "insufficient system resources"
_SHOWN = 8  # names of models in a message


def find_model(client: LmStudioClient, tag: str) -> Listed:
    """Return the model that a tag names.

    Raises:
        LoadError: No LM Studio is there, or it has no such model.
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
        names = ", ".join(item.key for item in models[:_SHOWN]) or "nothing"
        told = f"LM Studio at {url} has {names}, and not {tag}; type: lms get {tag}"
        raise LoadError(told, Cause.NOT_OFFERED)
    return found


def make_room(client: LmStudioClient, exclusive: bool, diary: Diary) -> None:
    """See to it that no model is loaded.

    Raises:
        LoadError: Somebody else's is and may not be unloaded, or it doesn't go.
    """
    with load_errors(NAME, "looking at what is loaded"):
        models, manageable = client.models()
        names = list(loaded(models))
        if names and not (exclusive and manageable):
            raise LoadError(_foreign(names, manageable), Cause.OCCUPIED)
        for name in names:
            evict(name, partial(client.unload, name), partial(_is_loaded, client, name))
            diary.say(f"unloaded {name}, which somebody else had loaded (exclusive: true)")


@contextmanager
def loaded_model(
    client: LmStudioClient, tag: str, n_ctx: int | None, diary: Diary
) -> Iterator[tuple[Instance, LoadTimes]]:
    """Have a model loaded until the context ends; yield it as the server lists it.

    Raises:
        LoadError: It doesn't load.
    """
    with load_errors(NAME, f"loading {tag}"):
        _, manageable = client.models()
    name = tag
    begin = time.perf_counter()
    model_seconds: float | None = None
    try:
        if manageable:
            name, model_seconds = client.load(tag, n_ctx)
        else:
            client.load_by_asking(tag, _TTL_S)
    except BaseException as error:  # also Ctrl-C: what has come to be loaded is ours
        _leave_all(client, tag, manageable, diary)
        if isinstance(error, (RequestFailed, RequestTimedOut)):
            seconds = time.perf_counter() - begin
            raise not_loaded(tag, error, _NO_MEMORY, seconds, diary) from None
        raise
    load_seconds = time.perf_counter() - begin
    diary.say(f"loaded {tag} as {name} in {load_seconds:.3f} s")
    try:
        with load_errors(NAME, "looking at what is loaded"):
            instance = loaded(client.models()[0]).get(name)
        if instance is None:
            told = f"LM Studio says that it loaded {tag}, and doesn't list it as loaded"
            raise LoadError(told, Cause.NOT_OFFERED)
        yield (
            instance,
            LoadTimes.of(
                load_seconds=load_seconds,
                model_seconds=Null("NOT_REPORTED") if model_seconds is None else model_seconds,
            ),
        )
    finally:
        _leave(client, name, manageable, diary)


def _leave(client: LmStudioClient, name: str, manageable: bool, diary: Diary) -> None:
    """Unload an instance of ours; an older version forgets it when it is next asked."""
    drop = partial(client.load_by_asking, name, _LAST_TTL_S)
    unload = partial(client.unload, name) if manageable else drop
    leave(name, unload, partial(_is_loaded, client, name), diary)


def _leave_all(client: LmStudioClient, tag: str, manageable: bool, diary: Diary) -> None:
    """Unload every instance of a model of which none was loaded before us."""
    try:
        found = find(tag, client.models()[0])
    except ProviderError as error:
        diary.say(f"could not look whether {tag} is loaded: {error}")
        return
    for instance in found.instances if found else ():
        _leave(client, instance.id, manageable, diary)


def _foreign(names: list[str], manageable: bool) -> str:
    lines = "; ".join(f"lms unload {name}" for name in names)
    text = f"LM Studio has loaded {', '.join(names)}, and not for us; type: {lines}"
    if manageable:
        return f"{text}; or set exclusive: true, and it is unloaded for you"
    return f"{text} (this version can't be told to: exclusive has no effect before 0.4)"


def _is_loaded(client: LmStudioClient, name: str) -> bool:
    return name in loaded(client.models()[0])
