"""The context sweep: at which context sizes the chosen quant is measured, and how."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from orket_lib.artifacts.measurements.spec import ContextFamily
from orket_lib.config.sections.fields import (
    Contexts,
    Depths,
    Rate,
    Section,
    listed,
    listing,
    refuse_repeats,
)
from orket_lib.vocabulary.quants import normalize_tag

PICK, ALL = "pick", "all"


def _tags(words: tuple[str, ...]) -> tuple[str, ...]:
    if words in ((PICK,), (ALL,)):
        return words
    if alone := {PICK, ALL} & set(words):
        raise ValueError(f"`{min(alone)}` is not one of several quants")
    return tuple(map(normalize_tag, words))


class ContextSweep(Section):
    """The largest context at which the chosen quant passes its quality and speed limits."""

    context_sweep_profile: Annotated[
        str | None, Field(description="name of a set of contexts and limits in the profiles file")
    ] = None
    context_sweep_contexts: Annotated[
        Contexts | None, Field(description="contexts to try, tokens; wins over the profile's")
    ] = None
    context_profiles_config: Annotated[
        str, Field(description="path of the file with context profiles by name")
    ] = "config/context_profiles.json"
    context_adherence_min: Annotated[
        Rate | None, Field(description="least adherence; null = the profile's")
    ] = None
    context_ttft_ceiling_ms: Annotated[
        float | None, Field(ge=0, description="0 = no limit; null = the profile's")
    ] = None
    context_decode_floor_tps: Annotated[
        float | None, Field(ge=0, description="0 = no limit; null = the profile's")
    ] = None
    context_search: Annotated[
        Literal["all", "bisect"] | None,
        Field(
            description="try all contexts, or only those that a search for the ceiling needs; null "
            "= `all` for one quant, `bisect` for several"
        ),
    ] = None
    context_quants: Annotated[
        tuple[str, ...],
        BeforeValidator(lambda value: listed(value or PICK)),
        AfterValidator(_tags),
        Field(min_length=1, description="`pick` = the recommended one, `all`, or a list of quants"),
        listing({"type": "string"}),
    ] = (PICK,)
    context_tasks: Annotated[
        tuple[ContextFamily, ...],
        BeforeValidator(listed),
        Field(
            min_length=1,
            description="question about the text that fills a context: find a word, or add two "
            "numbers",
        ),
    ] = ("retrieval", "reasoning")
    context_depths: Annotated[
        Depths, Field(description="position of the answer in the text, from 0 (start) to 1 (end)")
    ] = (0.0, 0.25, 0.5, 0.75, 1.0)
    context_tasks_per_depth: Annotated[
        int, Field(ge=1, le=100, description="tasks of each family at each depth")
    ] = 2
    context_fill: Annotated[
        float, Field(ge=0.1, le=0.95, description="share of a context that a prompt fills")
    ] = 0.85

    @field_validator("context_sweep_contexts", "context_tasks", "context_depths", "context_quants")
    @classmethod
    def _nothing_is_repeated(
        cls, values: tuple[float | str, ...] | None
    ) -> tuple[float | str, ...] | None:
        # The ids of tasks hold the depth with two decimals.
        refuse_repeats([f"{it:.2f}" if isinstance(it, float) else str(it) for it in values or ()])
        return values
