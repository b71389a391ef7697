"""What every visit to a server that is not ours has in common: it is left as it was found.

A model is loaded for one session and unloaded after it, and what was done is written down. A model
that stays, ours or somebody else's, stops the next cell by name.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orket_lib.providers.action_log import Diary
from orket_lib.providers.llama_cpp.log import starved_in
from orket_lib.vocabulary.errors import LoadError, ProviderError, RequestFailed, RequestTimedOut
from orket_lib.vocabulary.failures import Cause, Ending, FailureEvidence, Shortage

GONE_S, POLL_S = 60.0, 0.1
_SIZES = re.compile(r"memory \(([\d.]+) ([KMGT])iB\) than is available \(([\d.]+) ([KMGT])iB\)")
_MIB_OF = {"K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2}
# As Go, in which Ollama is written, names signals.
_NUMBERS = {
    "killed": 9,
    "terminated": 15,
    "aborted": 6,
    "segmentation fault": 11,
    "bus error": 7,
    "illegal instruction": 4,
    "floating point exception": 8,
}
_SIGNAL = re.compile(f"signal: ({'|'.join(_NUMBERS)})")
_ENDED = re.compile(r"exit (status|code)|crashed|has terminated|no longer running", re.I)


@contextmanager
def load_errors(server: str, doing: str) -> Iterator[None]:
    """Make what goes wrong with a server before its model answers a failure to load it."""
    try:
        yield
    except (RequestFailed, RequestTimedOut) as error:
        raise LoadError(f"{server} failed while {doing}: {error}", error.evidence) from None


def not_loaded(
    tag: str, error: ProviderError, no_memory: str, after_s: float, diary: Diary
) -> LoadError:
    """Return why a model did not load, and write it down.

    Args:
        tag: Of the model.
        error: What the server said.
        no_memory: What this kind of server says when there is too little of it.
        after_s: How long it had been loading, in seconds.
        diary: Of the visit.
    """
    starved = no_memory in str(error)
    kind = "out of memory: " if starved else ""
    diary.say(f"{kind}{error}")
    seen = _too_little(str(error)) if starved else _load_seen(error, after_s)
    return LoadError(f"{tag} did not load: {kind}{error}", seen)


def _too_little(said: str) -> FailureEvidence:
    """Return a lack of memory, by numbers where the server says them."""
    sizes = _SIZES.search(said)
    if sizes is None:
        return FailureEvidence(Cause.NO_ROOM)
    needed, unit, free, free_unit = sizes.groups()
    return FailureEvidence(
        Cause.NO_ROOM,
        shortage=Shortage(float(needed) * _MIB_OF[unit], float(free) * _MIB_OF[free_unit]),
    )


def _load_seen(error: ProviderError, after_s: float) -> FailureEvidence:
    """Return what an answer to a request to load shows.

    Some servers say how the process ended that was to hold the model. By which signal says a lot;
    an exit status is 2 or so whatever it was, and so is what only repeating it can show.
    """
    if error.evidence.cause is not Cause.ANSWERED:
        return error.evidence
    said, starved = str(error), starved_in(str(error))
    signal = _SIGNAL.search(said)
    if signal:
        ending = Ending(-_NUMBERS[signal[1]], after_s)
        return FailureEvidence(Cause.ENDED, ending=ending, starved=starved)
    cause = Cause.ANSWERED if _ENDED.search(said) else Cause.NOT_LOADED
    return FailureEvidence(cause, starved=starved)


def evict(name: str, unload: Callable[[], None], is_loaded: Callable[[], bool]) -> None:
    """Unload somebody else's model.

    Raises:
        LoadError: It doesn't go.
    """
    unload()
    if not _gone(is_loaded):
        raise LoadError(f"{name} is still loaded after {GONE_S:g} s", Cause.OCCUPIED)


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
