"""What all artifacts share: strict numbers, provenance, and nulls with a reason.

`Reading` marks a field that holds a measured number. A model with such fields derives from
`Measured`, which refuses a null without a reason and a reason without a null (trap T9). Code that
has no number passes `Null("CODE")` to `Measured.of`; see `vocabulary.null_reasons` for the codes.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema

from orket_lib.vocabulary.clock import parse_time
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane, VramProfile


def _checked_time(text: str) -> str:
    try:
        parse_time(text)
    except ValueError:
        raise ValueError("must be a time such as 2026-11-30T12:00:00Z") from None
    return text


_READING = "reading"
_VOLATILE: dict[str, Any] = {"volatile": True}

Reading = Annotated[float | None, _READING]
Count = Annotated[int | None, _READING]
# Reason of a reading that is newer than its file; such readings have a default.
OLDER_FILE = "OLDER_FILE"
Share = Annotated[float | None, _READING, Field(ge=0, le=1)]
# Text that was checked to be a time, so that records can be sorted by it.
Time = Annotated[str, AfterValidator(_checked_time)]


def volatile(description: str, default: Any = ...) -> Any:
    """Return a field whose value differs between two identical runs; required without a default."""
    return Field(default, description=description, json_schema_extra=_VOLATILE)


class Record(BaseModel):
    """A frozen value. Unknown fields are ignored, so files of a newer minor version load."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        protected_namespaces=(),
        defer_build=True,  # most commands use few of the models that they import
    )


class Measured(Record):
    """A record with readings: each is a number, or null with a reason in `null_reasons`."""

    null_reasons: dict[str, str] = Field(
        default_factory=dict, description="why each null reading is null, by field name"
    )

    @classmethod
    def of(cls, **values: Any) -> Self:
        """Build the record; a `Null` becomes null with its reason. Every reading must be given."""
        reasons = {name: value.reason for name, value in values.items() if isinstance(value, Null)}
        numbers = {name: None if name in reasons else value for name, value in values.items()}
        silent = dict.fromkeys(cls.readings())
        return cls.model_validate({**silent, **numbers, "null_reasons": reasons})

    @classmethod
    def readings(cls) -> tuple[str, ...]:
        """Return the names of the fields that hold measured numbers."""
        return _readings(cls)

    def reading(self, name: str) -> float | Null:
        """Return a reading as a number, or as a `Null` with its reason."""
        value = getattr(self, name)
        return Null(self.null_reasons[name]) if value is None else float(value)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the schema with the rule on nulls, so that validators outside check it too."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        schema["properties"]["null_reasons"]["propertyNames"] = {"enum": list(cls.readings())}
        schema["allOf"] = [_null_rule(name) for name in cls.readings()]
        return schema

    @model_validator(mode="before")
    @classmethod
    def _explain_readings_of_newer_versions(cls, content: Any) -> Any:
        """Give each reading that is newer than the file the reason `OLDER_FILE`."""
        reasons = content.get("null_reasons", {}) if isinstance(content, dict) else None
        if not isinstance(reasons, dict):
            return content
        absent = [name for name in cls.readings() if name not in content]
        newer = [name for name in absent if not cls.model_fields[name].is_required()]
        return {**content, "null_reasons": {**dict.fromkeys(newer, OLDER_FILE), **reasons}}

    @model_validator(mode="after")
    def _every_null_has_a_reason(self) -> Self:
        nulls = {name for name in self.readings() if getattr(self, name) is None}
        if nulls != set(self.null_reasons):
            silent = sorted(nulls - self.null_reasons.keys())
            idle = sorted(self.null_reasons.keys() - nulls)
            raise ValueError(f"null without a reason: {silent}; reason without a null: {idle}")
        return self


@cache
def _readings(kind: type[Measured]) -> tuple[str, ...]:
    return tuple(name for name, field in kind.model_fields.items() if _READING in field.metadata)


def _null_rule(name: str) -> dict[str, Any]:
    """Return the rule "null if and only if there is a reason" as JSON Schema."""
    return {
        "if": {"required": [name], "properties": {name: {"type": "null"}}},
        "then": {
            "required": ["null_reasons"],
            "properties": {"null_reasons": {"required": [name]}},
        },
        "else": {"properties": {"null_reasons": {"properties": {name: {"not": {}}}}}},
    }


class InputFile(Record):
    """A file that an artifact was made from, with its content's hash."""

    path: str
    sha256: str


class Provenance(Record):
    """Where an artifact comes from."""

    ref: str = Field(description="label set by the caller: `local-run:manual`, a CI run, a ticket")
    commit_sha: str | None = volatile("commit of the checkout; null outside a checkout")
    dirty: bool | None = volatile("whether the checkout had uncommitted changes")
    config_sha256: str | None = Field(None, description="of the resolved config")
    inputs: tuple[InputFile, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict, json_schema_extra=_VOLATILE)


class Artifact(Record):
    """A file with a version: `<name>.v<major>`, fixed by each subclass."""

    schema_version: str
    generated_at: Time = Field(
        description="UTC, ISO 8601 with a Z",
        json_schema_extra=_VOLATILE | {"format": "date-time"},
    )
    provenance: Provenance


class Labelled(Artifact):
    """An artifact about measurements, with the labels that say what they are good for."""

    execution_lane: Lane
    vram_profile: VramProfile
    hardware_fingerprint: str | None = Field(description="null when nothing was measured")
