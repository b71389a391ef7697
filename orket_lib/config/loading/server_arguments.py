"""Arguments for the user's own server that a sweep sets itself.

A second value for one of them would be what is served, and not what the sweep says is measured; so
it is refused by name, with the key that it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator

from orket_lib.config.model import SweepConfig

_FILE = "artifact_template or artifacts name the file"
_ADDRESS = "the server listens where we ask it, and nowhere else"
_KEY = "the server gets a key of its own"
_OURS = {
    "n_ctx sets the context": ("-c", "--ctx-size"),
    "threads sets them": ("-t", "--threads", "-tb", "--threads-batch"),
    "a measurement has the server for itself": ("-np", "--parallel"),
    _FILE: ("-m", "--model", "-mu", "--model-url", "-hf", "-hfr", "--hf-repo", "--models-dir"),
    _ADDRESS: ("--host", "--port", "--reuse-port", "--api-prefix"),
    _KEY: ("--api-key", "--api-key-file"),
    "what is measured asks the server for them": ("--no-slots", "--embedding", "--embeddings"),
}
_WHY = {flag: why for why, flags in _OURS.items() for flag in flags}


def argument_problems(config: SweepConfig) -> Iterator[str]:
    """Yield a line for each argument of `server_args` that is not the user's to give."""
    for argument in config.server_args:
        why = _WHY.get(argument.replace("_", "-"))
        if why:
            yield f"server_args: must not hold `{argument}`: {why}"
