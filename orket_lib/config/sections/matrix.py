"""The matrix: what is measured, how often, and on which questions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from orket_lib.artifacts.measurements.spec import WITH_WALLS, SandboxKind
from orket_lib.config.secrets import secret_problems
from orket_lib.config.sections.fields import (
    Names,
    Section,
    TaskId,
    Text,
    Tiers,
    Words,
    refuse_repeats,
)
from orket_lib.vocabulary.environment import OURS
from orket_lib.vocabulary.quants import is_path_safe, normalize_tag
from orket_lib.vocabulary.slugs import slug, slugs


class Matrix(Section):
    """Models x quants x tasks."""

    sweep: Annotated[
        Words,
        Field(
            pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
            description="names results/<sweep>/: what the last config file is called; any other "
            "name takes --config sweep=NAME",
            examples=["my-sweep"],
        ),
    ] = "sweep"
    models: Annotated[Names, Field(description="model ids")]
    quants: Annotated[Names, Field(description="quant tags, such as Q4_K_M")]
    task_bank: Annotated[str, Field(description="path of the task bank")] = (
        "config/task_banks/reference.json"
    )
    runs_per_quant: Annotated[int, Field(ge=1, description="runs of each task")] = 2
    probe_runs: Annotated[int, Field(ge=1, description="speed measurements of each cell")] = 3
    again: Annotated[
        Literal["probes", "runs", "all"] | None,
        Field(
            exclude=True,
            description="measure this part of each cell again, whatever the store has: for "
            "`--config again=probes`; what was measured before stays",
        ),
    ] = None
    rounds: Annotated[
        int,
        Field(
            ge=1,
            description="passes over the quants of each model, every other one backwards; more "
            "rounds add to what was measured",
        ),
    ] = 1
    rerun_polluted: Annotated[
        int,
        Field(
            ge=0,
            le=10,
            description="how often a run or probe that something else disturbed is repeated; what "
            "is thrown away is kept and counted",
        ),
    ] = 0
    task_limit: Annotated[
        int, Field(ge=0, description="first so many of the selected tasks; 0 = all")
    ] = 0
    task_id_min: Annotated[
        TaskId, Field(description="lowest task id, inclusive; 0 or null = the first")
    ] = None
    task_id_max: Annotated[
        TaskId, Field(description="highest task id, inclusive; 0 or null = the last")
    ] = None
    task_categories: Annotated[
        Names | None, Field(description="only tasks of these categories; null = all")
    ] = None
    task_tiers: Annotated[
        Tiers | None, Field(description="only tasks of these tiers, 1 the easiest; null = all")
    ] = None
    code_sandbox: Annotated[
        tuple[SandboxKind, ...],
        Field(
            description="where code that a model wrote may run, the first that works here; rlimits "
            "and job_object have limits and no walls"
        ),
    ] = WITH_WALLS
    runtime_target: Annotated[
        str | None, Field(description="label that templates get as {runtime_target}, nothing else")
    ] = None
    execution_mode: Annotated[
        str | None, Field(description="label that templates get as {execution_mode}, nothing else")
    ] = None
    runtime_env: Annotated[
        dict[str, Text],
        Field(
            description="environment of templates' commands; a name that looks like a secret "
            "takes its value from the environment: ${ENV:NAME}; names in ORKET_ are ours"
        ),
    ] = Field(default_factory=dict)
    runner_template: Annotated[
        str | tuple[str, ...] | None,
        Field(
            description="command of an external agent that answers each task, with {task_file} "
            "and others of our placeholders; a list is taken as it is",
            examples=["orket run-task --task {task_file} --run-dir {run_dir} --seed {seed}"],
        ),
    ] = None

    @field_validator("sweep")
    @classmethod
    def _a_sweep_is_a_folder_of_its_own(cls, name: str) -> str:
        if slug(name) != name:
            raise ValueError(f"can't be the name of a folder on every system; `{slug(name)}` can")
        return name

    @field_validator("models")
    @classmethod
    def _models_have_folders_of_their_own(cls, models: tuple[str, ...]) -> tuple[str, ...]:
        seen: dict[str, str] = {}
        for model, folder in slugs(models).items():
            other = seen.setdefault(folder.lower(), model)
            if other != model:
                raise ValueError(f"`{other}` and `{model}` would share the folder `{folder}`")
        refuse_repeats(models)
        return models

    @field_validator("quants")
    @classmethod
    def _quants_are_tags(cls, quants: tuple[str, ...]) -> tuple[str, ...]:
        tags = tuple(map(normalize_tag, quants))
        none = ", ".join(f"`{tag}`" for tag in tags if not is_path_safe(tag))
        if none:
            raise ValueError(f"{none} is not a quant tag (letters, digits, `_`, `.`, `-`)")
        refuse_repeats(tags)
        return tags

    @field_validator("runtime_env")
    @classmethod
    def _secrets_stay_outside(cls, environment: dict[str, str]) -> dict[str, str]:
        problems = [
            *secret_problems(environment),
            *(f"`{name}` is ours to set" for name in environment if name.startswith(OURS)),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return environment
