"""What people name to be swept: model files, folders, models of a server, a server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from orket_lib.doctor.places import Place, given
from orket_lib.providers.gguf.kinds import kind_of_file
from orket_lib.vocabulary.errors import ConfigError
from orket_lib.vocabulary.providers import PROVIDERS, server_address
from orket_lib.vocabulary.validation import nearest

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
            hint = f"{_beside(path)}; `orket doctor` lists the models here"
            raise ConfigError([f"{word}: no such file{hint}"])
        return Target(word, place=given(path))  # what it is instead will be said
    if path.suffix.lower() not in _CONFIG and not path.is_file():
        raise ConfigError(
            [
                f"{word}: no such file or folder{_beside(path)}; allowed: GGUF files, folders of "
                "them, ollama:MODEL, lmstudio:MODEL, http://HOST:PORT, config files"
            ]
        )
    return None


def _beside(path: Path) -> str:
    """Return a hint at something of a similar name in the same folder, if there is any."""
    folder = path.parent
    return nearest(path.name, [it.name for it in folder.iterdir()] if folder.is_dir() else [])
