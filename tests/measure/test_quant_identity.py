"""What a server or a file says of its quant, against the tag that was asked for (T1)."""

from __future__ import annotations

from typing import Any

import pytest
from builders import served, session, spec

from orket_lib.measure.session.identity import identity_observations
from orket_lib.vocabulary.reasons import Reason

MISMATCH, UNVERIFIED = Reason.QUANT_IDENTITY_MISMATCH, Reason.QUANT_IDENTITY_UNVERIFIED


def reasons(asked: str, **seen: Any) -> list[Reason]:
    """Return what is said of a quant that was served in the place of another."""
    wanted = spec(quant_tag=asked)
    facts = served(sha256=wanted.artifact.sha256, n_ctx=wanted.n_ctx, **seen)
    opened = session(served=facts, machine=wanted.machine)
    return [found.reason for found in identity_observations(wanted, opened)]


@pytest.mark.parametrize(
    ("asked", "seen", "bits", "expected"),
    [
        pytest.param("Q4_K_M", "Q4_K_M", 4.9, [], id="the type itself"),
        pytest.param("Q4_K_M", "Q4_K_S", 4.9, [MISMATCH] * 2, id="another size of a type"),
        pytest.param("UD-Q4_K_XL", "Q4_K_M", 5.2, [], id="a vendor's mix, medium"),
        pytest.param("UD-Q4_K_XL", "Q4_K_S", 5.2, [], id="a vendor's mix, small"),
        pytest.param("UD-Q4_K_XL", "Q3_K_M", 5.2, [MISMATCH] * 2, id="a mix of another family"),
        pytest.param("UD-Q2_K_XL", "Q2_K", 2.5, [UNVERIFIED], id="a mix with fewer bits"),
        pytest.param("Q4_K_L", "Q4_K_M", 8.5, [UNVERIFIED], id="a mix with far more bits"),
        pytest.param("Q2_K", "Q2_K", 2.5, [MISMATCH], id="a type with fewer bits"),
        pytest.param("MINE", "Q4_K_M", 4.9, [UNVERIFIED] * 2, id="a tag of the user's own"),
        pytest.param("MINE", "MINE", 4.9, [], id="a tag of the user's own, read back"),
    ],
)
def test_a_quant_is_held_against_what_says_what_it_is(
    asked: str, seen: str, bits: float, expected: list[Reason]
) -> None:
    found = reasons(asked, quant_tag=seen, file_quant_tag=seen, bits_per_weight=bits)
    assert found == expected
