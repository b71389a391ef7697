"""`orket run-task`: ask one task once, and print what a runner prints."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from orket_lib.vocabulary import runner as names

_PROVIDERS = ("embedded", "llama_server", "ollama", "lmstudio", "openai")
_USUAL_EXTRAS = "stream_options,seed"  # what most servers take; a session finds out exactly


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command; a runner's environment has the defaults of most."""
    parser.add_argument("--task", type=Path, required=True, help="task file (JSON)")
    parser.add_argument("--run-dir", type=Path, required=True, help="where answer and details go")
    parser.add_argument("--seed", type=_seed, help="of the sampler; empty = the server's own")
    _add(parser, "--provider", names.PROVIDER, choices=_PROVIDERS, help="kind of the server")
    _add(parser, "--base-url", names.BASE_URL, help="address of the server")
    _add(parser, "--model", names.SERVED_MODEL, help="name of the model on the server")
    parser.add_argument(
        "--api-key-env",
        metavar="NAME",
        default=names.API_KEY,
        help=f"variable that holds the server's key; default: {names.API_KEY}",
    )
    _add(parser, "--max-tokens", names.MAX_OUTPUT_TOKENS, "256", type=_count, help="limit")
    _add(parser, "--temperature", names.TEMPERATURE, "0", type=_number, help="0 = greedy")
    _add(parser, "--timeout", names.TASK_TIMEOUT_SEC, "120", type=_number, help="of the request, s")
    _add(parser, "--n-ctx", names.N_CTX, "", type=_optional_count, help="context it is loaded with")
    _add(parser, "--threads", names.THREADS, "", type=_optional_count, help="threads, likewise")


def run(options: argparse.Namespace) -> int:
    """Ask, keep, and print the result as one line of JSON, the last one of standard output."""
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.measurements.runner import RunnerTask
    from orket_lib.measure.runs.run_task import AskSettings, ask_single_task
    from orket_lib.providers.ask_served import ServedElsewhere
    from orket_lib.providers.base import ServerAddress

    extras = os.environ.get(names.REQUEST_EXTRAS, _USUAL_EXTRAS)
    model = ServedElsewhere(
        provider=options.provider,
        address=ServerAddress(options.base_url, os.environ.get(options.api_key_env) or None),
        name=options.model,
        n_ctx=options.n_ctx,
        threads=options.threads,
        extras=tuple(extras.split(",")) if extras else (),
    )
    asking = AskSettings(options.seed, options.max_tokens, options.temperature, options.timeout)
    task = read_model(options.task, RunnerTask)
    result = ask_single_task(task, model, asking, options.run_dir)
    print(json.dumps(result, allow_nan=False))  # noqa: T201
    return 0


def _add(
    parser: argparse.ArgumentParser,
    option: str,
    variable: str,
    otherwise: str | None = None,
    **settings: Any,
) -> None:
    """Add an option whose default a runner's environment holds."""
    default = os.environ.get(variable, otherwise)
    settings["help"] += f"; default: {variable}" + (f", else {otherwise}" if otherwise else "")
    parser.add_argument(option, default=default, required=default is None, **settings)


def _seed(text: str) -> int | None:
    """Return a seed; an empty text is what a sweep without a seed fills in."""
    return _natural(text, 0) if text else None


def _optional_count(text: str) -> int | None:
    return _natural(text, 1) if text else None


def _count(text: str) -> int:
    return _natural(text, 1)


def _natural(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < least:
        raise argparse.ArgumentTypeError(f"must be a whole number >= {least} (got {text!r})")
    return value


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number >= 0 (got {text!r})")
    return value
