"""Values for properties: JSON of every kind, and what is no number of a measurement."""

from __future__ import annotations

from hypothesis import strategies as st

# Spelled out, because Hypothesis needs a second to build its table of all characters.
LETTERS = st.text('aB1.-+e :,{}[]"\\\n\t\0\x1büé日👍\u202e', max_size=8)

NEGATIVE = st.floats(max_value=0, exclude_max=True, allow_infinity=False) | st.integers(
    max_value=-1
)
NO_FINITE_NUMBER = st.sampled_from([float("nan"), float("inf"), -float("inf"), 10**400])
# Text also of digits: a number in quotes is text.
NO_NUMBER_AT_ALL = (
    st.booleans()
    | LETTERS
    | st.integers().map(str)
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(LETTERS, st.integers(), max_size=2)
)
