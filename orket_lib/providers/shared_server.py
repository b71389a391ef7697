"""Measuring on a server that other clients may use: it is left as it was found.

A model is loaded for one session and unloaded after it, and these actions are logged. A model that
stays loaded, whether ours or another client's, stops the next cell with an error that names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from orket_lib.processes.waiting import wait_until
from orket_lib.providers.llama_cpp.log import starved_in
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import LoadError, ProviderError, RequestFailed, RequestTimedOut
from orket_lib.vocabulary.failures import Cause, Ending, FailureEvidence, Shortage
from orket_lib.vocabulary.text import visible

GONE_S, POLL_S = 60.0, 0.1
_SHOWN = 8  # names of models in a message
_SIZES = re.compile(r"memory \(([\d.]+) ([KMGT])iB\) than is available \(([\d.]+) ([KMGT])iB\)")
_MIB_OF = {"K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2}
# Signals as named by Go, in which Ollama is written.
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


class ActionLog:
    """What we did to a server that is not ours, in place of the server's own log.

    Args:
        path: Of the file; replaced.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.write_text("", encoding="utf-8")

    def add(self, text: str) -> None:
        """Write a line with its time."""
        with self._path.open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(f"{utc_now()} {visible(text, keep='')}\n")


@contextmanager
def load_errors(server: str, doing: str) -> Iterator[None]:
    """Turn a failed request before the model answers into a failure to load it."""
    try:
        yield
    except (RequestFailed, RequestTimedOut) as error:
        raise LoadError(f"{server} failed while {doing}: {error}", error.evidence) from None


def listed_names(names: list[str]) -> str:
    """Return the first names of a list of models, for a message."""
    return ", ".join(names[:_SHOWN]) or "nothing"


def not_loaded(
    tag: str, error: ProviderError, no_memory: str, after_s: float, actions: ActionLog
) -> LoadError:
    """Return why a model did not load, and log it.

    Args:
        tag: Of the model.
        error: Of the server.
        no_memory: The words of this kind of server when memory is short.
        after_s: How long the model had been loading, in seconds.
        actions: The log.
    """
    starved = no_memory in str(error)
    text = f"{'out of memory: ' if starved else ''}{error}"
    actions.add(text)
    evidence = _shortage(str(error)) if starved else _load_evidence(error, after_s)
    return LoadError(f"{tag} did not load: {text}", evidence)


def _shortage(message: str) -> FailureEvidence:
    """Return the evidence of too little memory, with numbers where the server gives them."""
    sizes = _SIZES.search(message)
    if sizes is None:
        return FailureEvidence(Cause.NO_ROOM)
    needed, unit, free, free_unit = sizes.groups()
    return FailureEvidence(
        Cause.NO_ROOM,
        shortage=Shortage(float(needed) * _MIB_OF[unit], float(free) * _MIB_OF[free_unit]),
    )


def _load_evidence(error: ProviderError, after_s: float) -> FailureEvidence:
    """Return the evidence in the answer to a load request.

    Some servers report how the model's process ended. A signal is informative; an exit status is
    not, because it is about the same for every reason.
    """
    if error.evidence.cause is not Cause.ANSWERED:
        return error.evidence
    message, starved = str(error), starved_in(str(error))
    signal = _SIGNAL.search(message)
    if signal:
        ending = Ending(-_NUMBERS[signal[1]], after_s)
        return FailureEvidence(Cause.ENDED, ending=ending, starved=starved)
    cause = Cause.ANSWERED if _ENDED.search(message) else Cause.NOT_LOADED
    return FailureEvidence(cause, starved=starved)


def evict(
    name: str, unload: Callable[[], None], is_loaded: Callable[[], bool], actions: ActionLog
) -> None:
    """Unload another client's model.

    Raises:
        LoadError: It stays loaded.
    """
    unload()
    if not _gone(is_loaded):
        raise LoadError(f"{name} is still loaded after {GONE_S:g} s", Cause.OCCUPIED)
    actions.add(f"unloaded {name}, which another client had loaded (exclusive: true)")


def leave(
    name: str, unload: Callable[[], None], is_loaded: Callable[[], bool], actions: ActionLog
) -> None:
    """Unload our own model, and log whether it is gone."""
    try:
        unload()
        gone = _gone(is_loaded)
    except ProviderError as error:
        actions.add(f"could not unload {name}: {error}")
        return
    late = f"{name} is still loaded {GONE_S:g} s after the request to unload it"
    actions.add(f"unloaded {name}" if gone else late)


def _gone(is_loaded: Callable[[], bool]) -> bool:
    """Wait until a model is no longer loaded; False when it stays."""
    return wait_until(lambda: not is_loaded(), GONE_S, POLL_S)
