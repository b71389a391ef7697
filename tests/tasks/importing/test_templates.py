"""Templates that place fields."""

from __future__ import annotations

import pytest

from orket_lib.tasks.importing.table import Bad
from orket_lib.tasks.importing.templates import fill

ROW = {"q": " Two? ", "n": 3, "choices": ["a", "b"], "doc": {"title": "T"}, "empty": ""}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Q: {{q}}\n", "Q:  Two? \n"),
        ("{{ q.strip() }} {{ n }}", "Two? 3"),
        ("{{ q | trim | lower }}", "two?"),
        ("{{ choices[0] }}, {{ choices[-1] }}", "a, b"),
        ("{{ choices | join(', ') }}", "a, b"),
        ("{{ doc.title }}{{ doc['title'] }}", "TT"),
        ("{{ 'x#y'.split('#')[1] }}", "y"),
        ("{% if empty %}no{% else %}yes{% endif %}", "yes"),
        ("{{ 'many' if n > 2 else 'few' }}", "many"),
        ("{{ 'a' + q.strip() + 'b' }}{# note #}", "aTwo?b"),
        ("plain {text}", "plain {text}"),
    ],
)
def test_fields_are_placed(template: str, text: str) -> None:
    assert fill(template, ROW, "it") == text


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ gone }}", "it: 'gone' is undefined"),
        ("{{ doc.gone }}", "it: 'dict object' has no attribute 'gone'"),
        ("{% for c in choices %}{% endfor %}", "it: `for` in a template can't be imported"),
        ("{% set x = 1 %}", "it: `assign` in a template can't be imported"),
        ("{% include 'x' %}", "it: `include` in a template can't be imported"),
        ("{{ range(9) }}", "it: only methods of text such as strip() can be imported"),
        ("{{ q.format(n) }}", "it: "),
        ("{{ q | tojson }}", "it: the filter `tojson` can't be imported"),
        ("{{ q | join(q) }}", "it: arguments of methods and filters must be constants"),
        ("{{ q.strip }", "it: "),
        ("{{ q.replace(*[q, q]) }}", "it: arguments of methods and filters must be constants"),
        ("{{ q" + " | replace('', 'ten times ')" * 12 + " }}", "it: may become longer than"),
        ("{{ q" + " | join('ten times ')" * 12 + " }}", "it: may become longer than"),
        ("{{ q + n }}", "it: can only concatenate str"),
        ("x" * 20_001, "it: longer than 20000 characters"),
    ],
    ids=lambda text: text[:40],
)
def test_what_is_more_than_fields_is_refused(template: str, said: str) -> None:
    with pytest.raises(Bad) as caught:
        fill(template, ROW, "it")
    assert str(caught.value).startswith(said)
