"""The runner: an external command that answers the tasks instead of this tool."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from orket_lib.config.secrets import secret_problems
from orket_lib.config.sections.fields import Section, Text
from orket_lib.vocabulary.environment import OURS


class Runner(Section):
    """The command of an external agent, and what commands of runner and sidecar get."""

    runtime_target: Annotated[
        str | None, Field(description="label for templates, as {runtime_target}; no other effect")
    ] = None
    execution_mode: Annotated[
        str | None, Field(description="label for templates, as {execution_mode}; no other effect")
    ] = None
    runtime_env: Annotated[
        dict[str, Text],
        Field(
            description="environment of templates' commands; a name that looks like a secret "
            "takes its value from the environment: ${ENV:NAME}; names in ORKET_ are reserved"
        ),
    ] = Field(default_factory=dict)
    runner_template: Annotated[
        str | tuple[str, ...] | None,
        Field(
            description="command of an external agent that answers each task, with {task_file} "
            "and other placeholders; a list is passed on unchanged",
            examples=["orket run-task --task {task_file} --run-dir {run_dir} --seed {seed}"],
        ),
    ] = None

    @field_validator("runtime_env")
    @classmethod
    def _secrets_stay_outside(cls, environment: dict[str, str]) -> dict[str, str]:
        problems = [
            *secret_problems(environment),
            *(f"`{name}` is reserved" for name in environment if name.startswith(OURS)),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return environment
