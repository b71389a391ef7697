"""The providers by name; each is imported only when it is used."""

from __future__ import annotations

from orket_lib.providers.base import Provider
from orket_lib.vocabulary.errors import ProviderError


def provider_for(name: str) -> Provider:
    """Return the provider of that name.

    Raises:
        ProviderError: There is none.
    """
    if name == "embedded":
        from orket_lib.providers.embedded import EmbeddedProvider

        return EmbeddedProvider()
    raise ProviderError(f"provider `{name}`: there is none of that name")
