"""What people name to be swept: model files, folders, models of a server, a server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from orket_lib.doctor.places import Place, given
from orket_lib.providers.gguf.kinds import kind_of_file
from orket_lib.vocabulary.errors import ConfigError
from orket_lib.vocabulary.providers import PROVIDERS, server_address

_ADDRESS = re.compile(r"(?i)https?:/")
_CONFIG = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Target:
    """One thing to sweep.

    Attributes:
        typed: As it was named.
        place: Of a file or folder.
        provider: Whose server has the model; None if the kind of the server at `url` is unknown.
        url: Address of a server of an unknown kind.
        name: The model there, or one of its tags; empty means any.
    """

    typed: str
    place: Place | None = None
    provider: str | None = None
    url: str | None = None
    name: str = ""


def target_of(word: str) -> Target | None:
    """Return what a word of the command line names; None for a config file.

    Raises:
        ConfigError: It names neither.
    """
    provider, colon, name = word.partition(":")
    if colon and provider in PROVIDERS and PROVIDERS[provider].loads_models:
        return Target(word, provider=provider, name=name)
    if _ADDRESS.match(word):
        try:
            return Target(word, url=server_address(word))
        except ValueError as error:
            raise ConfigError([f"{word}: {error}"]) from None
    path = Path(word).expanduser()
    if path.is_dir() or (path.is_file() and kind_of_file(path) is None):
        return Target(word, place=given(path))
    if ".gguf" in path.name.lower():
        if not path.exists():
            raise ConfigError([f"{word}: no such file; `orket doctor` lists the models here"])
        return Target(word, place=given(path))  # what it is instead will be said
    if path.suffix.lower() not in _CONFIG and not path.is_file():
        raise ConfigError(
            [
                f"{word}: no such file or folder; allowed: GGUF files, folders of them, "
                f"ollama:{word}, lmstudio:{word}, http://HOST:PORT, config files"
            ]
        )
    return None
