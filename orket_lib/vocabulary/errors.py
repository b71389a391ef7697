"""The error tree: every class is one situation that a user can act on.

OrketError
├── ConfigError      the sweep config is wrong; holds every problem found, not only the first
├── ArtifactError    a file of ours is missing, damaged or of another version
├── ProviderError    a model server could not be started, reached or understood
│   ├── LoadError            the model did not load
│   │   ├── NoRoom               it was not loaded, because it would take more than there is
│   │   └── SmallerContext       it is served with less than the context that was asked for
│   ├── ServerCrashed        the server died under us
│   ├── RequestFailed        the server answered with an error
│   └── RequestTimedOut      the time limit of one task ran out
├── QuantizeError    a quant could not be made from its base
├── SamplerError     the host can't be watched, so nothing could be said about a measurement
├── SandboxError     what judges an answer did not work (no sandbox), so it was not judged
└── Refused          a precondition says no (failed canary, busy device)

Messages name the thing, the value and, where there is one, the next command to type. The command
line prints them without a traceback; anything that is not an `OrketError` is a defect of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from textwrap import indent

from orket_lib.vocabulary.failures import Cause, FailureEvidence, Phase
from orket_lib.vocabulary.faults import Fault
from orket_lib.vocabulary.text import well_formed

# What a fault of a request says of its server; any other one is an answer.
_CAUSES: dict[Fault | None, Cause] = {
    Fault.REFUSED: Cause.GONE,
    Fault.RESET: Cause.GONE,
    Fault.LOADING: Cause.OCCUPIED,
}


class OrketError(Exception):
    """Anything that the user, not a developer, can put right."""

    exit_code = 1


class ConfigError(OrketError):
    """The sweep config can't be used; `problems` holds one line for each thing wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(indent("\n".join(self.problems), "  "))


class ArtifactError(OrketError):
    """A file of ours is missing, damaged, or written by an incompatible version."""


class ProviderError(OrketError):
    """A model server could not be started, reached or understood.

    Args:
        message: What was seen, in words.
        seen: The same, so that it can be judged.

    Attributes:
        evidence: What was seen, and that it was seen in this class's phase.
    """

    phase = Phase.SERVING

    def __init__(self, message: str, seen: FailureEvidence | Cause = Cause.UNKNOWN) -> None:
        evidence = FailureEvidence(seen) if isinstance(seen, Cause) else seen
        self.evidence = replace(evidence, phase=self.phase)
        super().__init__(well_formed(message))  # a server's words may be in it


class LoadError(ProviderError):
    """The model did not load (file unreadable, format unknown, no answer in time)."""

    phase = Phase.LOADING


class NoRoom(LoadError):
    """The model was not loaded: it would take more memory than is free."""


class SmallerContext(LoadError):
    """The model is served with less than the context that was asked for."""


class ServerCrashed(ProviderError):
    """The server process died while it was in use."""


class RequestFailed(ProviderError):
    """The server answered a request with an error, or cut the answer off.

    Args:
        message: What was seen.
        fault: Which kind of failure it is; None when it is none of the server's.
        cause: What made it fail, where that is more than the fault says.
    """

    def __init__(
        self, message: str, fault: Fault | None = None, cause: Cause | None = None
    ) -> None:
        self.fault = fault
        super().__init__(message, cause or _CAUSES.get(fault, Cause.ANSWERED))


class RequestTimedOut(ProviderError):
    """One request ran past its time limit, for the most part `task_timeout_sec`."""

    def __init__(self, message: str) -> None:
        super().__init__(message, Cause.TIMEOUT)


class QuantizeError(OrketError):
    """A quant could not be made from its base, or is not what was asked for."""


class SamplerError(OrketError):
    """The host can't be watched."""


class SandboxError(OrketError):
    """A sandbox or a checking process did not work, which says nothing about any answer."""


class Refused(OrketError):
    """A precondition says no; nothing was started.

    Args:
        message: What says no, and by how much.
        rerun: Rules that Snakemake has to be told to run again, once the cause is removed.
    """

    exit_code = 3

    def __init__(self, message: str, rerun: Sequence[str] = ()) -> None:
        self.rerun = tuple(rerun)
        super().__init__(message)
