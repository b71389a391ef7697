"""Where people keep model files, and the files there."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from orket_lib.artifacts.io import json_value
from orket_lib.config.shipped import shipped
from orket_lib.providers.ollama.store import is_store, stored_models

_MODELS = "models"
_BESIDE = (".json", ".md", ".txt", ".sha256", ".lock", ".metadata", ".aria2")  # no models
# Hidden folders, and those of Hugging Face's cache that hold no names of models.
_SKIPPED = re.compile(r"\..*|blobs|(datasets|spaces)--.*")


@dataclass(frozen=True)
class Place:
    """A folder with models, a single file, or a store of Ollama.

    Attributes:
        path: Of the folder or file.
        label: The same as a config names it.
    """

    path: Path
    label: str

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield name and path of each file that may be a model, in the order of names.

        The name is what a config calls the file, or a model of Ollama with its tag.
        """
        if is_store(self.path):
            yield from stored_models(self.path)
        elif self.path.is_file():
            yield self.label, self.path
        else:
            for path in sorted(_below(self.path)):
                yield (Path(self.label) / path.relative_to(self.path)).as_posix(), path


def given(path: Path) -> Place:
    """Return a folder or file that someone named."""
    return Place(path, path.as_posix())


def usual_places(environment: Mapping[str, str]) -> tuple[Place, ...]:
    """Return `models/` and the folders that programs for local models use.

    Args:
        environment: Its variables say where these are.
    """
    home = _first(environment, "HOME", "USERPROFILE") or Path()
    caches = _first(environment, "XDG_CACHE_HOME") or home / ".cache"
    hugging_face = _first(environment, "HF_HOME") or caches / "huggingface"
    folders = (
        _lm_studio(home),
        _first(environment, "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE") or hugging_face / "hub",
        _first(environment, "LLAMA_CACHE") or _llama_cpp(home, caches, environment),
        _first(environment, "OLLAMA_MODELS"),
        home / ".ollama" / _MODELS,
        Path("/usr/share/ollama/.ollama") / _MODELS,  # of the service that its installer makes
    )
    named = [given(folder) for folder in folders if folder and folder.is_dir()]
    return (given(Path(_MODELS)), Place(shipped() / _MODELS, _MODELS), *named)


def _first(environment: Mapping[str, str], *names: str) -> Path | None:
    return next((Path(environment[name]) for name in names if environment.get(name)), None)


def _lm_studio(home: Path) -> Path:
    """Return the folder of LM Studio's models, which its settings may move."""
    older = home / ".cache" / "lm-studio"
    own = older if older.is_dir() else home / ".lmstudio"
    with suppress(OSError, UnicodeDecodeError):
        own = Path((home / ".lmstudio-home-pointer").read_text(encoding="utf-8").strip())
    try:
        settings = json_value((own / "settings.json").read_text(encoding="utf-8"))
        return Path(settings["downloadsFolder"])
    except (OSError, ValueError, LookupError, TypeError):
        return own / _MODELS


def _llama_cpp(home: Path, caches: Path, environment: Mapping[str, str]) -> Path:
    if sys.platform == "darwin":
        caches = home / "Library" / "Caches"
    elif sys.platform == "win32":
        caches = _first(environment, "LOCALAPPDATA") or caches
    return caches / "llama.cpp"


def _below(folder: Path) -> Iterator[Path]:
    """Yield the GGUF files below a folder; linked folders count, and none is entered twice."""
    entered: set[Path] = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        real = Path(here).resolve()
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        folders[:] = sorted(name for name in folders if not _SKIPPED.fullmatch(name))
        for name in names:
            path = Path(here, name)
            if ".gguf" in name and path.suffix not in _BESIDE and path.is_file():
                yield path
