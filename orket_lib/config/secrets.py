"""Secrets stay in the environment: a config refers to them as `${ENV:NAME}`.

References are not resolved here. Matrix, plan and messages show them as written, and the value of a
key that looks like a secret never appears in a message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from orket_lib.vocabulary.environment import ENV_REFERENCE

HIDDEN = "<hidden>"

_SECRET = re.compile(
    r"(?i)keys?(_|$)|token(?!iz|s)|secret|passw|passphrase|credential|bearer|cookie"
    r"|(^|_)(pat|pwd|auth|authorization)(_|$)"
)
_USER_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_DEEPEST = 6


def looks_secret(name: str) -> bool:
    """Tell whether a variable with this name probably holds a secret."""
    return _SECRET.search(name.replace("-", "_")) is not None


def secret_problems(environment: Mapping[str, str]) -> list[str]:
    """Return a problem for each secret that is written out."""
    return [
        f"`{name}` looks like a secret; write ${{ENV:{re.sub(r'[^A-Za-z0-9_]', '_', name)}}} "
        "and set that variable"
        for name, value in environment.items()
        if looks_secret(name) and not ENV_REFERENCE.fullmatch(value)
    ]


def without_secrets(value: Any, name: str = "", depth: int = 0) -> Any:
    """Return a value for a message, with the values of secrets hidden."""
    if depth > _DEEPEST:  # a YAML alias may contain itself
        return "..."
    if isinstance(value, Mapping):
        return {str(key): without_secrets(v, str(key), depth + 1) for key, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [without_secrets(item, name, depth + 1) for item in value]
    is_reference = isinstance(value, str) and ENV_REFERENCE.fullmatch(value)
    if looks_secret(name) and not is_reference:
        return HIDDEN
    return _USER_IN_ADDRESS.sub(HIDDEN, value) if isinstance(value, str) else value
