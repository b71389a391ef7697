"""The text of `fidelity: kld` must be one before anything is planned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orket_lib.config.loading.parse import parse
from orket_lib.config.model import SweepConfig
from orket_lib.sweep.fidelity import find_next_tokens
from orket_lib.vocabulary.errors import ConfigError


def config(**changes: Any) -> SweepConfig:
    return parse({"models": ["m"], "quants": ["Q8_0"], "fidelity": "kld", **changes})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, 'can\'t be read (got "my.txt")'),
        (b" \n", 'the file is empty (got "my.txt")'),
        (b"\xff\xfe1", 'is no UTF-8 text (got "my.txt")'),
    ],
)
def test_a_text_that_is_none_is_a_mistake_in_the_config(
    content: bytes | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("my.txt").write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        find_next_tokens(config(fidelity_text="my.txt"))
    assert refused.value.problems == (f"fidelity_text: {said}",)


def test_only_kld_needs_a_text() -> None:
    assert find_next_tokens(config(fidelity="agreement", fidelity_text="none.txt")) is None
    assert find_next_tokens(config()) is not None, "the shipped one"
