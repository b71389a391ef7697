"""The runner of a config: the command that answers graded tasks in our place, if there is one."""

from __future__ import annotations

from collections.abc import Iterator

from orket_lib.artifacts.measurements.runner import RunnerSettings
from orket_lib.config.loading.command_template import split_template
from orket_lib.config.loading.messages import got
from orket_lib.config.model import SweepConfig
from orket_lib.vocabulary.environment import PLACEHOLDERS
from orket_lib.vocabulary.errors import ConfigError

_KEY = "runner_template"
_TASK = "{task_file}"


def find_runner(config: SweepConfig) -> RunnerSettings | None:
    """Return the runner that a config asks for, None when we ask the model ourselves.

    Raises:
        ConfigError: The template can't be split into arguments, or has a placeholder that there
            is not.
    """
    if config.runner_template is None:
        return None
    return RunnerSettings(
        template=split_template(_KEY, config.runner_template, PLACEHOLDERS),
        runtime_target=config.runtime_target,
        execution_mode=config.execution_mode,
        environment=config.runtime_env,
    )


def runner_problems(config: SweepConfig) -> Iterator[str]:
    """Yield a line for each thing that keeps a config's runner from answering anything."""
    try:
        runner = find_runner(config)
    except ConfigError as error:
        yield from error.problems
        return
    if runner is None:
        return
    if not any(_TASK in argument for argument in runner.template):
        yield (
            f"{_KEY}: must hold {_TASK}, the file that says what is asked "
            f"({got(config.runner_template)})"
        )
