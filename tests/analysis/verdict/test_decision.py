"""What is recommended, from verdicts and wants."""

from __future__ import annotations

from typing import Any

import pytest

from orket_lib.analysis.verdict.decision import Candidate, Pick, pick
from orket_lib.vocabulary.statuses import DecisionStatus, Prefer, QuantVerdict, WantStatus

STATUS = {"K": QuantVerdict.KEPT, "L": QuantVerdict.LOST, "U": QuantVerdict.UNDECIDED}
WANT = {
    "+": WantStatus.MET,
    "-": WantStatus.NOT_MET,
    "?": WantStatus.NOT_ESTABLISHED,
}


def candidates(text: str) -> list[Candidate]:
    """Return quants from `F16:K1 Q4:U.93- Q2:L0+`: verdict, probability, wants."""
    found = []
    for item in text.split():
        quant, rest = item.split(":")
        number = rest[1:].rstrip("".join(WANT))
        wants = tuple(WANT[sign] for sign in rest[1 + len(number) :])
        found.append(Candidate(quant, STATUS[rest[0]], float(number), wants))
    return found


@pytest.mark.parametrize(
    ("measured", "prefer", "expected"),
    [
        # The smallest that is proved, whatever is left open below it.
        ("F:K1 Q8:K1 Q4:K.99 Q2:L0", "smallest", "PROVED Q4 .99"),
        ("F:K1 Q8:K.98 Q4:U.93 Q2:L0", "smallest", "PROVED Q8 .98"),
        # The baseline is no evidence for itself, unless every smaller one is lost.
        ("F:K1 Q8:L.01 Q4:L0", "smallest", "PROVED F .99"),
        ("F:K1 Q8:U.4 Q4:L0", "smallest", "UNDECIDED - -"),
        # Nothing proved: the smallest of the likely ones, else the likeliest.
        ("F:K1 Q8:U.97 Q6:U.85 Q4:U.7", "smallest", "LIKELY Q6 .85"),
        ("F:K1 Q8:U.6 Q6:U.75 Q4:U.75 Q2:L0", "smallest", "LIKELY Q4 .75"),
        ("F:K1 Q8:U.5 Q4:U.2", "smallest", "UNDECIDED - -"),
        # Wants exclude, and what is not established leaves only quality proved.
        ("F:K1+ Q8:K.99+ Q4:K.98-", "smallest", "PROVED Q8 .99"),
        ("F:K1+ Q8:K.99? Q4:L0+", "smallest", "PROVED_QUALITY Q8 .99"),
        ("F:K1- Q8:K.99+? Q4:L0+", "smallest", "PROVED_QUALITY Q8 .99"),
        ("F:K1- Q8:K.99- Q4:L0-", "smallest", "NOTHING_FITS - -"),
        ("F:K1- Q8:L0+ Q4:L0+", "smallest", "UNDECIDED - -"),
        ("F:K1 Q8:K.99- Q4:U.9+", "smallest", "LIKELY Q4 .9"),
        # A quant that misses a limit leaves nothing open.
        ("F:K1+ Q8:K.99- Q4:L.02+", "smallest", "PROVED F .98"),
        ("F:K1+ Q8:K.99- Q4:U.4-", "smallest", "PROVED F -"),
        # The best that fits is no question of tasks, but what it loses is.
        ("F:K1+ Q8:K.99+ Q4:K.99+", "best", "PROVED F 1"),
        ("F:K1- Q8:K.99+ Q4:K.99+", "best", "PROVED Q8 .99"),
        ("F:K1- Q8:U.9+ Q4:U.6+", "best", "LIKELY Q8 .9"),
        ("F:K1- Q8:L0+ Q4:L0+", "best", "UNDECIDED Q8 0"),
    ],
)
def test_pick(measured: str, prefer: str, expected: str) -> None:
    status, quant, probability = expected.split()
    found = pick(candidates(measured), Prefer(prefer))
    near: Any = None if probability == "-" else pytest.approx(float(probability))
    assert found == Pick(DecisionStatus(status), None if quant == "-" else quant, near)
