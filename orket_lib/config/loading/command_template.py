"""Command templates in a config: those of the runner and of hardware probes.

A template is split into arguments before its placeholders are filled in, so the value of a
placeholder can never become several arguments.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator

from orket_lib.artifacts.measurements.runner import RunnerSettings
from orket_lib.config.loading.messages import got
from orket_lib.config.model import SweepConfig
from orket_lib.config.sections.fields import IN_A_COMMAND, refuse_placeholders
from orket_lib.vocabulary.environment import PLACEHOLDERS
from orket_lib.vocabulary.errors import ConfigError

Template = str | tuple[str, ...]


def split_template(key: str, template: Template, known: Collection[str]) -> tuple[str, ...]:
    """Return a template's arguments: text is split like a POSIX shell does, a list is kept.

    Args:
        key: Of the config.
        template: Its value.
        known: The placeholders that it may have.

    Raises:
        ConfigError: The text has an open quote, names no command, or has an unknown placeholder.
    """
    try:
        arguments = tuple(shlex.split(template) if isinstance(template, str) else template)
        if not arguments or not arguments[0]:
            raise ValueError("must name a command")
        refuse_placeholders(arguments, known, IN_A_COMMAND)
    except ValueError as error:
        message = str(error)
        raise ConfigError([f"{key}: {message[0].lower()}{message[1:]} ({got(template)})"]) from None
    return arguments


def find_runner(config: SweepConfig) -> RunnerSettings | None:
    """Return the runner of a config; None if this tool asks the model itself.

    Raises:
        ConfigError: See `split_template`.
    """
    if config.runner_template is None:
        return None
    return RunnerSettings(
        template=split_template("runner_template", config.runner_template, PLACEHOLDERS),
        runtime_target=config.runtime_target,
        execution_mode=config.execution_mode,
        environment=config.runtime_env,
    )


def runner_problems(config: SweepConfig) -> Iterator[str]:
    """Yield a line for each problem of a config's runner."""
    try:
        runner = find_runner(config)
    except ConfigError as error:
        yield from error.problems
        return
    if runner and not any("{task_file}" in argument for argument in runner.template):
        yield (
            "runner_template: must contain {task_file}, the file with the task "
            f"({got(config.runner_template)})"
        )
