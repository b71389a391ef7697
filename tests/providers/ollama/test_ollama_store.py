"""Files of Ollama's store that llama.cpp can't serve are known by their headers."""

from __future__ import annotations

from typing import Any

import pytest

from orket_lib.providers.gguf.file import GgufFacts
from orket_lib.providers.ollama.store import is_ollamas_own


@pytest.mark.parametrize(
    ("metadata", "own"),
    [
        ({"general.architecture": "llama"}, False),
        ({"general.architecture": "gemma3", "gemma3.block_count": 4}, False),
        ({"general.architecture": "gemma3", "gemma3.vision.block_count": 4}, True),
        ({"general.architecture": "gptoss"}, True),
        ({"general.architecture": "gpt-oss"}, False),
        ({}, True),
    ],
)
def test_an_architecture_or_a_vision_part_tells(metadata: dict[str, Any], own: bool) -> None:
    assert is_ollamas_own(GgufFacts("Q4_K_M", 4.5, 1, 1, metadata)) is own
