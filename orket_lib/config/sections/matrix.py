"""The matrix: which models and quants are measured, how often, and on which tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator, model_validator

from orket_lib.artifacts.measurements.spec import WITH_WALLS, SandboxKind
from orket_lib.config.sections.fields import (
    Names,
    Section,
    TaskId,
    Tiers,
    Words,
    refuse_repeats,
)
from orket_lib.config.sections.task_bank import GeneratedBank
from orket_lib.tasks.shipped_banks import (
    GENERAL_BANK,
    REFERENCE_BANK,
    REFERENCE_MODEL,
    bank_file,
)
from orket_lib.vocabulary.quants import is_label, is_path_safe, normalize_tag
from orket_lib.vocabulary.slugs import slug, slugs
from orket_lib.vocabulary.statuses import Again
from orket_lib.vocabulary.validation import problems_of

_MOST_MODELS, _MOST_QUANTS = 2000, 100


class Matrix(Section):
    """Models x quants x tasks."""

    sweep: Annotated[
        Words,
        Field(
            pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
            description="name of results/<sweep>/; by default that of the last config file, set "
            "another with --config sweep=NAME",
            examples=["my-sweep"],
        ),
    ] = "sweep"
    models: Annotated[
        Names, Field(description="model ids; as a table, {id: settings of this model alone}")
    ]
    quants: Annotated[
        Names,
        Field(description="quant tags, such as Q4_K_M; can be left out if each model has its own"),
    ]
    variants: Annotated[
        dict[str, dict[str, Any]],
        Field(
            description="{name: settings}: ways to serve each quant besides the plain one; quant "
            "Q4_K_M in variant kv8 is the cell Q4_K_M@kv8",
            examples=[{"kv8": {"cache_type_k": "q8_0", "cache_type_v": "q8_0"}}],
        ),
    ] = Field(default_factory=dict)
    model_settings: Annotated[
        dict[str, dict[str, Any]],
        Field(description="{model: its own settings}: `models` as a table is kept as this"),
    ] = Field(default_factory=dict)
    task_bank: Annotated[
        str | GeneratedBank,
        Field(
            description="path of the task bank, the name of a shipped one, or how one is made; for "
            "the reference model alone the default is reference",
            examples=["general", {"general": {"levels": "3-6", "n": 400, "seed": 2}}],
        ),
    ] = bank_file(GENERAL_BANK)
    runs_per_quant: Annotated[int, Field(ge=1, le=1000, description="runs of each task")] = 2
    probe_runs: Annotated[
        int, Field(ge=1, le=1000, description="speed measurements of each cell")
    ] = 3
    again: Annotated[
        Again | None,
        Field(
            exclude=True,
            description="measure this part of each cell again, even if it is in the store: for "
            "`--config again=probes`; earlier measurements are kept",
        ),
    ] = None
    rounds: Annotated[
        int,
        Field(
            ge=1,
            le=1000,
            description="passes over the quants of each model, every other one in reverse order; "
            "raising it keeps the rounds that were measured",
        ),
    ] = 1
    rerun_polluted: Annotated[
        int,
        Field(
            ge=0,
            le=10,
            description="how often a run or probe is repeated if other work disturbed it; the "
            "discarded ones are kept and counted",
        ),
    ] = 0
    task_limit: Annotated[
        int, Field(ge=0, description="use only the first this many selected tasks; 0 = all")
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
        Tiers | None, Field(description="only tasks of these tiers (1 = easiest); null = all")
    ] = None
    code_sandbox: Annotated[
        tuple[SandboxKind, ...],
        Field(
            description="sandboxes for code that a model wrote; the first that works here is used. "
            "rlimits and job_object limit resources but do not isolate"
        ),
    ] = WITH_WALLS

    @field_validator("sweep")
    @classmethod
    def _a_sweep_names_a_folder(cls, name: str) -> str:
        if slug(name) != name:
            raise ValueError(f"is not a folder name on every system; `{slug(name)}` is")
        return name

    @model_validator(mode="before")
    @classmethod
    def _reference_model_has_its_own_bank(cls, values: Any) -> Any:
        """Ask the reference model what it was made for, unless another bank is named."""
        if not isinstance(values, dict) or "task_bank" in values:
            return values
        models = values.get("models")
        only = models in (REFERENCE_MODEL, [REFERENCE_MODEL], (REFERENCE_MODEL,))
        return {**values, "task_bank": REFERENCE_BANK} if only else values

    @field_validator("task_bank", mode="before")
    @classmethod
    def _a_word_names_a_shipped_bank(cls, bank: Any) -> Any:
        """Return the path of a bank; a mapping says how it is made."""
        if not isinstance(bank, Mapping):
            return bank_file(bank) if isinstance(bank, str) else bank
        try:
            return GeneratedBank.model_validate(bank)
        except ValidationError as error:
            lines = (line.removeprefix("(whole file): ") for line in problems_of(error, bank))
            raise ValueError("; ".join(lines)) from None

    @field_validator("variants", mode="before")
    @classmethod
    def _variants_are_labels(cls, variants: Any) -> Any:
        for name, entry in variants.items() if isinstance(variants, Mapping) else ():
            if not is_label(str(name)):
                raise ValueError(f"`{name}` is no label (letters, digits, `_`, `.`, `-`)")
            if not isinstance(entry, Mapping) or not entry:
                raise ValueError(f"`{name}` must be a mapping of settings, such as cache_type_k")
        return variants

    @field_validator("models")
    @classmethod
    def _models_have_different_folders(cls, models: tuple[str, ...]) -> tuple[str, ...]:
        _refuse_more_than(_MOST_MODELS, models)
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
        _refuse_more_than(_MOST_QUANTS, quants)
        tags = tuple(map(normalize_tag, quants))
        unsafe = ", ".join(f"`{tag}`" for tag in tags if not is_path_safe(tag))
        if unsafe:
            raise ValueError(
                f"{unsafe} is not a quant tag (letters, digits, `_`, `.`, `-`; a label after `@`)"
            )
        refuse_repeats(tags)
        return tags


def _refuse_more_than(most: int, names: tuple[str, ...]) -> None:
    if len(names) > most:
        raise ValueError(f"lists {len(names)}; a sweep has at most {most}")
