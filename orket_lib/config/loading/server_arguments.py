"""llama-server arguments that the sweep sets itself.

In `server_args` they would override what the sweep claims to measure. They are refused with the key
to use instead.
"""

from __future__ import annotations

from collections.abc import Iterator

from orket_lib.config.model import SweepConfig

_FILE = "use artifact_template or artifacts"
_ADDRESS = "the sweep chooses the address"
_KEY = "the sweep creates an API key for the server"
_RESERVED = {
    "use n_ctx": ("-c", "--ctx-size"),
    "use threads": ("-t", "--threads", "-tb", "--threads-batch"),
    "the server handles one request at a time": ("-np", "--parallel"),
    _FILE: ("-m", "--model", "-mu", "--model-url", "-hf", "-hfr", "--hf-repo", "--models-dir"),
    _ADDRESS: ("--host", "--port", "--reuse-port", "--api-prefix"),
    _KEY: ("--api-key", "--api-key-file"),
    "the measurements need these endpoints": ("--no-slots", "--embedding", "--embeddings"),
}
_WHY = {flag: why for why, flags in _RESERVED.items() for flag in flags}


def argument_problems(config: SweepConfig) -> Iterator[str]:
    """Yield a line for each argument of `server_args` that the sweep sets itself."""
    for argument in config.server_args:
        why = _WHY.get(argument.replace("_", "-"))
        if why:
            yield f"server_args: must not contain `{argument}`: {why}"
