"""`orket run-task`: ask a served model one task, and print the result as a runner does."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.measurements.runner import RunnerTask
from orket_lib.commands._common import number, whole_number
from orket_lib.measure.runs.run_task import AskSettings, ask_single_task
from orket_lib.providers.base import RunningModel, ServerAddress
from orket_lib.vocabulary import environment as names
from orket_lib.vocabulary.providers import PROVIDERS

_USUAL_EXTRAS = "stream_options,seed"  # what most servers take; a session finds out exactly


EXAMPLES = (
    "orket run-task --task task.json --run-dir out --provider ollama "
    "--base-url http://127.0.0.1:11434 --model qwen2.5:7b",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command. Most defaults come from a runner's environment."""
    add = parser.add_argument
    add("--task", type=Path, required=True, help="task file (JSON)")
    add("--run-dir", type=Path, required=True, help="folder for the answer and its details")
    add("--seed", type=_or_none(whole_number(0)), help="sampler seed; empty = the server's default")
    _add(parser, "--provider", names.PROVIDER, choices=list(PROVIDERS), help="kind of server")
    _add(parser, "--base-url", names.BASE_URL, help="address of the server")
    _add(parser, "--model", names.SERVED_MODEL, help="name of the model on the server")
    add(
        "--api-key-env",
        metavar="NAME",
        default=names.API_KEY,
        help=f"environment variable with the server's API key; default: {names.API_KEY}",
    )
    for option, variable, otherwise, kind, text in (
        ("--max-tokens", names.MAX_OUTPUT_TOKENS, "256", whole_number(1), "most output tokens"),
        ("--temperature", names.TEMPERATURE, "0", number(0), "sampler temperature; 0 = greedy"),
        ("--timeout", names.TASK_TIMEOUT_SEC, "120", number(0), "request timeout in seconds"),
        ("--n-ctx", names.N_CTX, "", _or_none(whole_number(1)), "context length of the model"),
        ("--threads", names.THREADS, "", _or_none(whole_number(1)), "threads of the model"),
        (
            *("--thinking-budget", names.THINKING_BUDGET, "", _or_none(whole_number(1))),
            "most tokens of reasoning, where the server can limit them",
        ),
    ):
        _add(parser, option, variable, otherwise, type=kind, help=text)
    _add(
        parser,
        "--thinking",
        names.THINKING,
        "default",
        choices=("default", "on", "off"),
        help="whether the model reasons first, where the server can switch that",
    )


def run(options: argparse.Namespace) -> int:
    """Ask, and print the result as the last line of standard output, in JSON."""
    extras = os.environ.get(names.REQUEST_EXTRAS, _USUAL_EXTRAS)
    model = RunningModel(
        provider=options.provider,
        address=ServerAddress(options.base_url, os.environ.get(options.api_key_env) or None),
        name=options.model,
        n_ctx=options.n_ctx,
        threads=options.threads,
        extras=tuple(extras.split(",")) if extras else (),
    )
    settings = AskSettings(
        options.seed,
        options.max_tokens,
        options.temperature,
        options.timeout,
        {"on": True, "off": False}.get(options.thinking),
        options.thinking_budget,
    )
    task = read_model(options.task, RunnerTask)
    result = ask_single_task(task, model, settings, options.run_dir)
    print(json.dumps(result, allow_nan=False))  # noqa: T201
    return 0


def _add(
    parser: argparse.ArgumentParser,
    option: str,
    variable: str,
    otherwise: str | None = None,
    **settings: Any,
) -> None:
    """Add an option whose default is a variable of a runner's environment."""
    default = os.environ.get(variable, otherwise)
    settings["help"] += f"; default: {variable}" + (f", else {otherwise}" if otherwise else "")
    parser.add_argument(option, default=default, required=default is None, **settings)


def _or_none(parse: Callable[[str], int]) -> Callable[[str], int | None]:
    """Let an option be empty: that is what a sweep without this setting passes."""
    return lambda text: parse(text) if text else None
