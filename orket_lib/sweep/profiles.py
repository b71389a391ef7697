"""Files that hold settings by name, of which a config asks for one: contexts, hardware probes.

Only the profile that is asked for is checked: a mistake in another one is no reason to refuse.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from orket_lib.artifacts.io import parse_model, read_model
from orket_lib.config.loading.command_template import Template
from orket_lib.config.loading.messages import got
from orket_lib.config.sections.fields import Rate, refuse_repeats
from orket_lib.config.shipped import located
from orket_lib.vocabulary.errors import ArtifactError, ConfigError
from orket_lib.vocabulary.sidecar import Backend, SidecarField
from orket_lib.vocabulary.validation import nearest

_Profile = TypeVar("_Profile", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Profiles(_Strict):
    """`config/context_profiles.json`, `config/sidecar_profiles.json`."""

    profiles: dict[str, Any]


class ContextProfile(_Strict):
    """Contexts to try, and what each must reach; a limit of 0 is off."""

    contexts: tuple[Annotated[int, Field(ge=256)], ...] = Field(min_length=1)
    adherence_min: Rate
    ttft_ceiling_ms: float = Field(ge=0)
    decode_floor_tps: float = Field(ge=0)

    @field_validator("contexts")
    @classmethod
    def _no_context_is_repeated(cls, contexts: tuple[int, ...]) -> tuple[int, ...]:
        refuse_repeats([str(context) for context in contexts])
        return contexts


class SidecarProfile(_Strict):
    """A hardware probe by name."""

    backend: Backend = Field(description="whose sensors are read while it serves")
    template: Template | None = Field(None, description="command; null = our own measurement")
    timeout_sec: float = Field(120.0, gt=0)
    not_measured: tuple[SidecarField, ...] = Field(
        (), description="fields that the command's tool can't know, and that are not missing then"
    )


def chosen_profile(
    kind: type[_Profile], file: tuple[str, str], wanted: tuple[str, str]
) -> _Profile:
    """Return the profile that a config asks for.

    Args:
        kind: What it is.
        file: The key of the profiles file, and its path.
        wanted: The key of the profile's name, and the name.

    Raises:
        ConfigError: The file is unreadable or lacks the profile, or the profile is no `kind`.
    """
    (file_key, path), (name_key, name) = file, wanted
    try:
        known = read_model(located(path), Profiles).profiles
        if name in known:
            return parse_model(known[name], kind, f"{path}: profiles.{name}")
    except ArtifactError as error:
        raise ConfigError([f"{file_key}: {error}"]) from None
    hint = nearest(name, known)
    raise ConfigError([f"{name_key}: {path} has {', '.join(known)}{hint} ({got(name)})"])
