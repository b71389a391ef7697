"""What every visit to a server that is not ours has in common: it is left as it was found.

A model is loaded for one session and unloaded after it, and what was done is written down. A model
that stays, ours or somebody else's, stops the next cell by name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orket_lib.providers.diary import Diary
from orket_lib.vocabulary.errors import LoadError, ProviderError, RequestFailed, RequestTimedOut

GONE_S, POLL_S = 60.0, 0.1


@contextmanager
def load_errors(server: str, doing: str) -> Iterator[None]:
    """Make what goes wrong with a server before its model answers a failure to load it."""
    try:
        yield
    except (RequestFailed, RequestTimedOut) as error:
        raise LoadError(f"{server} failed while {doing}: {error}") from None


def not_loaded(tag: str, error: ProviderError, no_memory: str, diary: Diary) -> LoadError:
    """Return why a model did not load, and write it down.

    Args:
        tag: Of the model.
        error: What the server said.
        no_memory: What this kind of server says when there is too little of it; the harness tells
            that from other failures by the words of the log.
        diary: Of the visit.
    """
    kind = "out of memory: " if no_memory in str(error) else ""
    diary.say(f"{kind}{error}")
    return LoadError(f"{tag} did not load: {kind}{error}")


def evict(name: str, unload: Callable[[], None], is_loaded: Callable[[], bool]) -> None:
    """Unload somebody else's model.

    Raises:
        LoadError: It doesn't go.
    """
    unload()
    if not _gone(is_loaded):
        raise LoadError(f"{name} is still loaded after {GONE_S:g} s")


def leave(
    name: str, unload: Callable[[], None], is_loaded: Callable[[], bool], diary: Diary
) -> None:
    """Unload our own model, and write down whether it went."""
    try:
        unload()
        went = _gone(is_loaded)
    except ProviderError as error:
        diary.say(f"could not unload {name}: {error}")
        return
    late = f"{name} is still loaded {GONE_S:g} s after it was told to go"
    diary.say(f"unloaded {name}" if went else late)


def _gone(is_loaded: Callable[[], bool]) -> bool:
    """Wait until a model is no longer loaded; False when that doesn't happen."""
    deadline = time.monotonic() + GONE_S
    while is_loaded():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True
