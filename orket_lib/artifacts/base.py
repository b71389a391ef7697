"""What all artifacts share: strict numbers, provenance, and nulls that say why.

`Reading` marks a field that holds a measured number. A model that has such fields derives from
`Measured`, which refuses a null without a reason and a reason without a null (trap T9): code that
has no number passes `Null("why")` to `Measured.of` and can't forget to say it.
"""

from __future__ import annotations

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


def _a_time(text: str) -> str:
    parse_time(text)
    return text


_READING = "reading"

Reading = Annotated[float | None, _READING]
Count = Annotated[int | None, _READING]
# Why a reading is null that has a default, in files from before there was such a reading.
OLDER_FILE = "OLDER_FILE"
Share = Annotated[float | None, _READING, Field(ge=0, le=1)]
# A string that is a time: what is sorted by it later can rely on that.
Time = Annotated[str, AfterValidator(_a_time)]


def volatile(description: str) -> Any:
    """Return a required field whose value differs between two honest runs of the same thing."""
    return Field(description=description, json_schema_extra={"volatile": True})


class Record(BaseModel):
    """A frozen value. Unknown fields are ignored, so that files of a newer minor version load."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", allow_inf_nan=False, protected_namespaces=()
    )


class Measured(Record):
    """A record with readings: each one is a number, or null with its reason beside it."""

    null_reasons: dict[str, str] = Field(
        default_factory=dict, description="why each null reading is null, by field name"
    )

    @classmethod
    def of(cls, **values: Any) -> Self:
        """Build the record; a `Null` becomes null with its reason, and every reading is given."""
        reasons = {name: value.reason for name, value in values.items() if isinstance(value, Null)}
        numbers = {name: None if name in reasons else value for name, value in values.items()}
        silent = dict.fromkeys(cls.readings())
        return cls.model_validate({**silent, **numbers, "null_reasons": reasons})

    @classmethod
    def readings(cls) -> tuple[str, ...]:
        """Return the names of the fields that hold measured numbers."""
        return tuple(name for name, field in cls.model_fields.items() if _READING in field.metadata)

    def reading(self, name: str) -> float | Null:
        """Return a reading as a number, or as the `Null` that carries its reason."""
        value = getattr(self, name)
        return Null(self.null_reasons[name]) if value is None else float(value)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the schema with the rule on nulls, so that whoever validates by it knows it."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        schema["properties"]["null_reasons"]["propertyNames"] = {"enum": list(cls.readings())}
        schema["allOf"] = [_null_rule(name) for name in cls.readings()]
        return schema

    @model_validator(mode="before")
    @classmethod
    def _files_lack_what_came_after_them(cls, content: Any) -> Any:
        """Read a file from before a reading with a default: it is null there, and says so."""
        if not isinstance(content, dict):
            return content
        fields, reasons = cls.model_fields, content.get("null_reasons", {})
        lacking = [
            name
            for name in cls.readings()
            if name not in content and not fields[name].is_required()
        ]
        if not lacking or not isinstance(reasons, dict):
            return content
        return {**content, "null_reasons": {**dict.fromkeys(lacking, OLDER_FILE), **reasons}}

    @model_validator(mode="after")
    def _every_null_says_why(self) -> Self:
        nulls = {name for name in self.readings() if getattr(self, name) is None}
        if nulls != set(self.null_reasons):
            silent, idle = (
                sorted(nulls - set(self.null_reasons)),
                sorted(set(self.null_reasons) - nulls),
            )
            raise ValueError(f"null without a reason: {silent}; reason without a null: {idle}")
        return self


def _null_rule(name: str) -> dict[str, Any]:
    """Return "null exactly where there is a reason", for one reading, as JSON Schema."""
    return {
        "if": {"required": [name], "properties": {name: {"type": "null"}}},
        "then": {
            "required": ["null_reasons"],
            "properties": {"null_reasons": {"required": [name]}},
        },
        "else": {"properties": {"null_reasons": {"properties": {name: {"not": {}}}}}},
    }


class InputFile(Record):
    """A file that an artifact was made from."""

    path: str
    sha256: str


class Provenance(Record):
    """Where an artifact comes from."""

    ref: str = Field(description="label of the caller: `local-run:manual`, a CI run, a ticket")
    commit_sha: str | None = volatile("commit of the checkout, null outside one")
    dirty: bool | None = volatile("whether the checkout had uncommitted changes")
    config_sha256: str | None = Field(None, description="of the resolved config")
    inputs: tuple[InputFile, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict, json_schema_extra={"volatile": True})


class Artifact(Record):
    """A file of ours. `schema_version` is `<name>.v<major>`, fixed by each subclass."""

    schema_version: str
    generated_at: Time = Field(
        description="UTC, ISO 8601 with a Z",
        json_schema_extra={"volatile": True, "format": "date-time"},
    )
    provenance: Provenance


class Labelled(Artifact):
    """An artifact that speaks of measurements, with the labels that say what they are good for."""

    execution_lane: Lane
    vram_profile: VramProfile
    hardware_fingerprint: str | None = Field(description="null when nothing was measured")
