"""Arguments and environment of the config's commands, with secrets kept out of their output.

Sidecars and runners are both commands of the user: their arguments come from a template, their
environment may name secrets, and their output is kept.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence

from orket_lib.artifacts.measurements.sidecar import CapturedText
from orket_lib.vocabulary.environment import ENV_REFERENCE

_LEAST_SECRET = 4  # characters: shorter strings occur in every text


def filled(template: Sequence[str], values: Mapping[str, str]) -> tuple[str, ...]:
    """Return a template's arguments with the placeholders filled in.

    The template is split already, so a value with spaces or quotes stays within its argument.
    Placeholders within a value are not filled in.
    """
    pattern = re.compile("{(" + "|".join(values) + ")}")
    return tuple(pattern.sub(lambda match: values[match[1]], argument) for argument in template)


def resolved_environment(environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return an environment with its `${ENV:NAME}` filled in, and the secrets in it.

    Raises:
        KeyError: A name has no value.
    """
    secrets = [
        os.environ[name] for value in environment.values() for name in ENV_REFERENCE.findall(value)
    ]
    resolved = {
        key: ENV_REFERENCE.sub(lambda match: os.environ[match[1]], value)
        for key, value in environment.items()
    }
    return resolved, secrets


def without_secrets(captured: CapturedText, secrets: Sequence[str]) -> CapturedText:
    """Return the output of a command with every secret replaced."""
    text, end = captured.text, captured.end
    longest = max(map(len, _forms(secrets)), default=0)
    if longest and end is not None:  # a secret may be split by the gap
        text, end = text[:-longest], end[longest:]
    update = {"text": cut_secrets(text, secrets), "end": end and cut_secrets(end, secrets)}
    return captured.model_copy(update=update)


def cut_secrets(text: str, secrets: Sequence[str]) -> str:
    """Return a text with every secret replaced, in plain form and as JSON escapes it."""
    for form in _forms(secrets):
        text = text.replace(form, "[secret]")
    return text


def _forms(secrets: Sequence[str]) -> list[str]:
    """Return the forms of all secrets, the longest first."""
    forms = {form for secret in secrets for form in (secret, json.dumps(secret)[1:-1])}
    return sorted((form for form in forms if len(form) >= _LEAST_SECRET), key=len, reverse=True)
