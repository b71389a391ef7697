"""Profiles files: named settings, of which a config chooses one.

Only the chosen profile is checked, so that a mistake in another one doesn't stop a sweep.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from orket_lib.artifacts.io import parse_model, read_model
from orket_lib.config.loading.messages import got
from orket_lib.config.shipped import located
from orket_lib.vocabulary.errors import ArtifactError, ConfigError
from orket_lib.vocabulary.validation import nearest


class Profile(BaseModel):
    """Settings of one name."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


_Profile = TypeVar("_Profile", bound=Profile)


class _Profiles(Profile):
    """`config/context_profiles.json`, `config/sidecar_profiles.json`."""

    profiles: dict[str, Any]


def chosen_profile(
    kind: type[_Profile], file: tuple[str, str], wanted: tuple[str, str]
) -> _Profile:
    """Return the profile that a config chooses.

    Args:
        kind: Its type.
        file: The key of the profiles file, and its path.
        wanted: The key that chooses the profile, and its value.

    Raises:
        ConfigError: The file is unreadable, or the profile is missing or invalid.
    """
    (file_key, path), (name_key, name) = file, wanted
    try:
        known = read_model(located(path), _Profiles).profiles
        if name in known:
            return parse_model(known[name], kind, f"{path}: profiles.{name}")
    except ArtifactError as error:
        raise ConfigError([f"{file_key}: {error}"]) from None
    hint = nearest(name, known)
    raise ConfigError([f"{name_key}: {path} has {', '.join(known)}{hint} ({got(name)})"])
