"""Templates of other tools, as far as they only place fields: `Question: {{ question }}`.

They are Jinja, rendered in its sandbox. A template may hold fields, parts of them, a few methods
and filters of text with constant arguments (a field in a field would grow without bounds), and
conditions. Loops, macros and other calls are refused by name: a template is data, not a program.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from orket_lib.tasks.importing.table import Bad

if TYPE_CHECKING:  # most imports need no template
    from jinja2 import Template
    from jinja2.nodes import Node

_ALLOWED = {
    *("Template", "Output", "TemplateData", "Name", "Const", "Getattr", "Getitem", "Slice"),
    *("Call", "Filter", "Add", "Sub", "Neg", "Concat", "If", "CondExpr", "Compare", "Operand"),
    *("And", "Or", "Not", "List", "Tuple"),
}
_METHODS = {
    *("strip", "lstrip", "rstrip", "split", "rsplit", "lower", "upper", "title", "capitalize"),
    *("replace", "removeprefix", "removesuffix", "startswith", "endswith", "join"),
}
_FILTERS = {
    *("trim", "lower", "upper", "title", "capitalize", "replace", "join", "first", "last"),
    *("string", "int", "length", "default", "d"),
}
_MOST_CHARS = 20_000


def fill(template: str, values: Mapping[str, Any], what: str) -> str:
    """Return a template with the fields of a record.

    Args:
        template: Jinja.
        values: The fields.
        what: The key that holds the template, for messages.

    Raises:
        Bad: It holds more than fields, or names one that the record lacks.
    """
    from jinja2 import TemplateError

    try:
        return _compiled(template).render(dict(values))
    except Bad as error:
        raise Bad(f"{what}: {error}") from None
    except TemplateError as error:
        raise Bad(f"{what}: {error.message or error}") from None
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Bad(f"{what}: {error}"[:200]) from None


def _is_constant(node: Node) -> bool:
    """Tell whether an argument is a constant, such as `', '` or `-1`."""
    from jinja2.nodes import Const, Neg

    return isinstance(node.node if isinstance(node, Neg) else node, Const)


@lru_cache(maxsize=64)
def _compiled(template: str) -> Template:
    """Return a template that only places fields."""
    from jinja2 import StrictUndefined, nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    if len(template) > _MOST_CHARS:
        raise Bad(f"longer than {_MOST_CHARS} characters")
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    for node in environment.parse(template).find_all(nodes.Node):
        kind = type(node).__name__
        if kind not in _ALLOWED:
            raise Bad(f"`{kind.lower()}` in a template can't be imported")
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            raise Bad(f"the filter `{node.name}` can't be imported")
        if isinstance(node, nodes.Filter | nodes.Call) and not all(
            map(_is_constant, node.args or ())
        ):
            raise Bad("arguments of methods and filters must be constants")
        if isinstance(node, nodes.Call) and not (
            isinstance(node.node, nodes.Getattr) and node.node.attr in _METHODS
        ):
            raise Bad("only methods of text such as strip() can be imported")
    return environment.from_string(template)
