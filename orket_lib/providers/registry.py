"""The providers by name; each is imported only when it is used."""

from __future__ import annotations

from orket_lib.providers.base import Provider
from orket_lib.vocabulary.errors import ProviderError
from orket_lib.vocabulary.failures import Cause


def provider_for(name: str) -> Provider:
    """Return the provider of that name.

    Raises:
        ProviderError: There is none.
    """
    if name == "embedded":
        from orket_lib.providers.llama_cpp.embedded import EmbeddedProvider

        return EmbeddedProvider()
    if name == "llama_server":
        from orket_lib.providers.llama_cpp.server import LlamaServerProvider

        return LlamaServerProvider()
    if name == "ollama":
        from orket_lib.providers.ollama.provider import OllamaProvider

        return OllamaProvider()
    if name == "openai":
        from orket_lib.providers.openai.provider import OpenAiProvider

        return OpenAiProvider()
    if name == "lmstudio":
        from orket_lib.providers.lmstudio.provider import LmStudioProvider

        return LmStudioProvider()
    raise ProviderError(f"provider `{name}`: there is none of that name", Cause.NOT_SET_UP)
