"""The API key of a server, and its absence from everything that is kept.

A server may repeat the key in an error, an answer, or a tool call. Whatever comes from a server
passes through `ApiKey.hidden` before anything else reads it.
"""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any, TypeVar

from pydantic import BaseModel

from orket_lib.vocabulary.environment import ENV_REFERENCE
from orket_lib.vocabulary.errors import ProviderError
from orket_lib.vocabulary.failures import Cause

_T = TypeVar("_T")
# Shorter keys ("none", "EMPTY") are ordinary words, which must not be cut out of answers.
_SHORTEST = 8
_SHORTEST_BEGINNING = 12  # of a key at the end of a text that was cut


class ApiKey:
    """A key, and the text that stands for it.

    Args:
        reference: `${ENV:NAME}`, looked up in the environment; a key; or None.

    Attributes:
        value: The key; None without one.

    Raises:
        ProviderError: The variable is not set, or the key has a character that no header allows.
    """

    def __init__(self, reference: str | None) -> None:
        self.value = _resolved(reference)
        named = ENV_REFERENCE.fullmatch(reference or "")
        self._shown = str(reference) if named else "[api_key]"
        key = self.value or ""
        forms = {key, json.dumps(key)[1:-1], key.replace("/", r"\/")} if key else set()
        self._forms = sorted(forms, key=len, reverse=True)

    def hidden(self, value: _T) -> _T:
        """Return a value from a server with the key replaced in every text of it.

        Args:
            value: Text, JSON, or a record of these. Without the key it is returned itself.
        """
        if not self.value or len(self.value) < _SHORTEST:
            return value
        found: Any = self._replaced(value)
        same: _T = found
        return same

    def message(self, text: str) -> str:
        """Return an error message with the key replaced, however short that is."""
        return self._without(text) if self.value else text

    def _replaced(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._without(value)
        if isinstance(value, dict):
            pairs = {self._replaced(key): self._replaced(item) for key, item in value.items()}
            return value if pairs == value else pairs
        if isinstance(value, list | tuple):
            items = type(value)(map(self._replaced, value))
            return value if items == value else items
        if isinstance(value, BaseModel):
            changed = self._changed(dict(value))
            return value.model_copy(update=changed) if changed else value
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            changed = self._changed(fields)
            return dataclasses.replace(value, **changed) if changed else value
        return value

    def _changed(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {
            name: new
            for name, old in fields.items()
            if (new := self._replaced(old)) is not old and new != old
        }

    def _without(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, self._shown)
        for form in self._forms:
            for length in range(len(form) - 1, _SHORTEST_BEGINNING - 1, -1):
                if text.endswith(form[:length]):
                    return text[:-length] + self._shown
        return text


def _resolved(reference: str | None) -> str | None:
    """Return a key, taken from the environment where `${ENV:NAME}` says so."""
    named = ENV_REFERENCE.fullmatch(reference or "")
    if named and named[1] not in os.environ:
        message = f"api_key: the environment has no variable {named[1]}"
        raise ProviderError(message, Cause.NOT_SET_UP)
    key = os.environ[named[1]] if named else reference
    if not key:
        return None
    key = key.strip()  # the line end of a key that was read from a file
    if not (key.isascii() and key.isprintable()):
        message = "api_key: has a character that is not allowed in an HTTP header"
        raise ProviderError(message, Cause.NOT_SET_UP)
    return key
