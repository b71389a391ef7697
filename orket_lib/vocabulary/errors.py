"""The error tree, and exit codes: every class is one situation that a user can act on.

OrketError
├── ConfigError      the sweep config is wrong; holds every problem found, not only the first
├── ArtifactError    one of our files is missing, damaged or of another version
├── ProviderError    a model server could not be started, reached or understood
│   ├── LoadError            the model did not load
│   │   ├── UnusableFile         the file is no complete model; says what it is, and the remedy
│   │   ├── NoRoom               it would take more memory than is free
│   │   └── SmallerContext       it is served with a smaller context than was requested
│   ├── ServerCrashed        the server died while it was in use
│   ├── RequestFailed        the server answered with an error
│   └── RequestTimedOut      the time limit of one task ran out
├── QuantizeError    a quant could not be made from its base
├── SamplerError     the host can't be sampled, so a measurement could not be judged
├── SandboxError     the sandbox that runs an answer's code failed, so the answer was not judged
└── Refused          a precondition is not met (failed canary, busy device)

Messages name the thing, the value and, where there is one, the next command to type. The command
line prints them without a traceback; an exception that is not an `OrketError` is a bug.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from textwrap import indent

from orket_lib.vocabulary.failures import Cause, FailureEvidence, Phase
from orket_lib.vocabulary.text import well_formed
from orket_lib.vocabulary.validation import one_message_each

EXIT_ERROR = 1  # 2, wrong usage, is argparse's
EXIT_REFUSED = 3  # a precondition, a gate or a verdict said no
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it


class Fault(StrEnum):
    """How one request failed, so that failures can be counted by kind. None is ever retried."""

    REFUSED = "refused"  # connection refused
    LOADING = "loading"  # 503: the server is up, and its model is not loaded yet
    NOT_FOUND = "not_found"  # the server has no such model or route
    REJECTED = "rejected"  # another 4xx: the server does not accept the request
    SERVER_ERROR = "server_error"  # another 5xx
    RESET = "reset"  # the connection was closed before the answer was complete
    ERROR_IN_STREAM = "error_in_stream"  # an error line under HTTP 200
    CUT_STREAM = "cut_stream"  # the stream ended without its last line
    NOT_JSON = "not_json"  # the answer does not follow the protocol
    ENDLESS = "endless"  # far more text than was asked for


# How a server answers a request with a field that it doesn't know; some fail instead of refusing.
REFUSALS = (Fault.REJECTED, Fault.SERVER_ERROR, Fault.ERROR_IN_STREAM)
# What a fault says about the server; any other fault is an answer of a working server.
_CAUSES: dict[Fault | None, Cause] = {
    Fault.REFUSED: Cause.GONE,
    Fault.RESET: Cause.GONE,
    Fault.LOADING: Cause.OCCUPIED,
}


class OrketError(Exception):
    """Anything that the user can fix, without a developer."""

    exit_code = EXIT_ERROR


class ConfigError(OrketError):
    """The sweep config can't be used; `problems` holds one line for each mistake.

    Args:
        problems: `place: what is allowed (got value)`; equal ones become one line.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(one_message_each(problems))
        super().__init__(indent("\n".join(self.problems), "  "))


class ArtifactError(OrketError):
    """One of our files is missing, damaged, or written by an incompatible version."""


class ProviderError(OrketError):
    """A model server could not be started, reached or understood.

    Args:
        message: What was seen, in words.
        seen: The same for code to judge; `cause` of the class by default.

    Attributes:
        evidence: What was seen, with this class's phase.
    """

    phase = Phase.SERVING
    cause = Cause.UNKNOWN

    def __init__(self, message: str, seen: FailureEvidence | Cause | None = None) -> None:
        seen = seen or self.cause
        evidence = FailureEvidence(seen) if isinstance(seen, Cause) else seen
        self.evidence = replace(evidence, phase=self.phase)
        super().__init__(well_formed(message))  # it may quote the server


class LoadError(ProviderError):
    """The model did not load (file unreadable, format unknown, no answer in time)."""

    phase = Phase.LOADING


class UnusableFile(LoadError):
    """The file is not a complete model.

    Args:
        path: Of the file.
        what: A sentence about it.
        remedy: What to do, or to type.
        cause: Whether it is missing or unreadable.

    Attributes:
        what, remedy: The same.
    """

    def __init__(self, path: str, what: str, remedy: str, cause: Cause = Cause.UNREADABLE) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(f"{path}: {what}; {remedy}", cause)


class NoRoom(LoadError):
    """The model was not loaded: it would take more memory than is free."""

    cause = Cause.NO_ROOM


class SmallerContext(LoadError):
    """The model is served with a smaller context than was requested."""

    cause = Cause.SMALLER_CONTEXT


class ServerCrashed(ProviderError):
    """The server process died while it was in use."""


class RequestFailed(ProviderError):
    """The server answered a request with an error, or cut the answer off.

    Args:
        message: What was seen.
        fault: Which kind of failure it is; None when the server is not at fault.
        cause: Why it failed, where that is more specific than the fault.
    """

    def __init__(
        self, message: str, fault: Fault | None = None, cause: Cause | None = None
    ) -> None:
        self.fault = fault
        super().__init__(message, cause or _CAUSES.get(fault, Cause.ANSWERED))


class RequestTimedOut(ProviderError):
    """One request exceeded its time limit, usually `task_timeout_sec`."""

    def __init__(self, message: str) -> None:
        super().__init__(message, Cause.TIMEOUT)


class QuantizeError(OrketError):
    """A quant could not be made from its base, or is not the requested one."""


class SamplerError(OrketError):
    """The host can't be sampled."""


class SandboxError(OrketError):
    """A sandbox or a grading process failed, which says nothing about any answer."""


class Refused(OrketError):
    """A precondition is not met; nothing was started.

    Args:
        message: Which one, and by how much.
        rerun: Rules that Snakemake must be forced to run again after the cause is removed.
    """

    exit_code = EXIT_REFUSED

    def __init__(self, message: str, rerun: Sequence[str] = ()) -> None:
        self.rerun = tuple(rerun)
        super().__init__(message)
