"""Fidelity: how much a quant changes the baseline's answers, right or wrong."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from orket_lib.config.sections.fields import Section, Switch
from orket_lib.vocabulary.statuses import FidelityMode


class Fidelity(Section):
    """How the quants' answers are compared with the baseline's."""

    fidelity: Annotated[
        FidelityMode,
        Switch,
        Field(
            description="how far each quant is from the baseline, right or wrong: `agreement` "
            "compares the answers, which costs nothing; `kld` also measures how far the "
            "probabilities of tokens differ; `off` compares nothing"
        ),
    ] = FidelityMode.AGREEMENT
    fidelity_text: Annotated[
        str,
        Field(
            description="with `fidelity: kld`, a UTF-8 text over which probabilities are compared, "
            "in addition to the baseline's answers; its first 12,000 characters or so are enough"
        ),
    ] = "config/fidelity_text.txt"
