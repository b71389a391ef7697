"""When a sweep stops asking: all tasks, until the verdicts are decided, or within a budget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, field_validator, model_validator

from orket_lib.config.sections.fields import Section, Words
from orket_lib.vocabulary.thresholds import QUICK_TASKS
from orket_lib.vocabulary.units import seconds_of

_QUICK: dict[str, Any] = {
    "until": "decided",
    "runs_per_quant": 1,
    "rounds": 1,
    "probe_runs": 1,
    "canary_runs": 0,
    # Answers are what is asked for, on a busy machine too.
    "canary_on_latency": "quality_only",
    "context_sweep_profile": None,
    "context_sweep_contexts": None,
    "thermal_repeats": 0,
}
_QUICK_BUDGET = "60s"
_BOOL = TypeAdapter(bool)


class Batches(Section):
    """Tasks in batches, so that a sweep can end before all quants were asked all tasks."""

    until: Annotated[
        Literal["decided"] | None,
        Field(
            description="`decided`: ask the tasks in batches, and after each one drop the quants "
            "that are decided or can't change the recommendation; null = ask every quant all tasks"
        ),
    ] = None
    budget: Annotated[
        Words | None,
        Field(
            description="most time for loading and asking, such as 90s, 45m or 1h30m, shared "
            "equally by the models. What doesn't fit is left out and named: first the thermal "
            "series, then the context sweep, then further batches of tasks; null = no limit",
            examples=["45m"],
        ),
    ] = None
    quick: Annotated[
        bool,
        Field(
            description=f"a first answer: {QUICK_TASKS} tasks, each once, within a budget of "
            f"{_QUICK_BUDGET} unless `budget` is given, without canary, context sweep and thermal "
            "series"
        ),
    ] = False

    @property
    def in_batches(self) -> bool:
        """Whether the tasks are asked in batches."""
        return self.until is not None or self.budget is not None

    @property
    def budget_seconds(self) -> int | None:
        """The budget of the whole sweep."""
        return None if self.budget is None else seconds_of(self.budget)

    @model_validator(mode="before")
    @classmethod
    def _quick_settles_more(cls, values: Any) -> Any:
        if not isinstance(values, Mapping) or not _is_on(values.get("quick")):
            return values
        return {**values, **_QUICK, "budget": values.get("budget") or _QUICK_BUDGET}

    @field_validator("budget")
    @classmethod
    def _budget_is_a_duration(cls, text: str | None) -> str | None:
        if text is not None:
            seconds_of(text)
        return text


def _is_on(value: Any) -> bool:
    """Tell whether a value will be read as true: that of `--config quick=true` is still text."""
    try:
        return _BOOL.validate_python(value)
    except ValidationError:
        return False
