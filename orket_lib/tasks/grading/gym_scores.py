"""The scorers of the package reasoning-gym, called in the child process of `limited_call`."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

# Scorers that would run what a model wrote as code.
_RUNS_TEXT = re.compile(r"\b(?:parse_expr|sympify|eval|exec)\s*\(")
_ALL_POINTS = 1 - 1e-9


def runs_text(family: str) -> bool:
    """Return whether the module of a data set runs text as code.

    Raises:
        KeyError: There is no such data set.
    """
    from reasoning_gym.factory import DATASETS

    return bool(_RUNS_TEXT.search(inspect.getsource(sys.modules[DATASETS[family][0].__module__])))


def is_right(family: str, entry: Mapping[str, Any], texts: Sequence[str]) -> bool:
    """Return whether one of some texts is right.

    Raises:
        ImportError: The package is missing.
        ValueError: The scorer would run the texts as code.
    """
    from reasoning_gym.factory import get_score_answer_fn

    if runs_text(family):
        raise ValueError(f"the scorer of {family} runs answers as code")
    score = get_score_answer_fn(family)
    return any(score(answer=text, entry=dict(entry)) >= _ALL_POINTS for text in texts)
