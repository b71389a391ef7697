"""Templates of other tools, as far as they only place fields: `Question: {{ question }}`.

They are Jinja, rendered in its sandbox. A template may hold fields, parts of them, a few methods
and filters of text with constant arguments (a field in a field would grow without bounds), and
conditions. Loops, macros and other calls are refused by name: a template is data, not a program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
_MOST_FILLED = 10_000_000  # characters that a filled template may have


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
        compiled, fields, growth = _compiled(template)
        longest = max((len(str(value)) for value in values.values()), default=0)
        if growth * (len(template) + fields * longest) > _MOST_FILLED:
            raise Bad(f"may become longer than {_MOST_FILLED} characters")
        return compiled.render(dict(values))
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


def _growth(name: str, sizes: Sequence[int]) -> int:
    """Return how many times longer a method or filter can make a text; its arguments have sizes."""
    match name, sizes:
        case "join", [separator, *_]:
            return 1 + separator
        case "replace", [old, new, *_]:
            return max(1, -(-new // old) if old else 1 + new)
    return 1


@lru_cache(maxsize=64)
def _compiled(template: str) -> tuple[Template, int, int]:
    """Return a template that only places fields, their number, and how much it lengthens them."""
    from jinja2 import StrictUndefined, nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    if len(template) > _MOST_CHARS:
        raise Bad(f"longer than {_MOST_CHARS} characters")
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    fields = growth = 1
    for node in environment.parse(template).find_all(nodes.Node):
        kind = type(node).__name__
        if kind not in _ALLOWED:
            raise Bad(f"`{kind.lower()}` in a template can't be imported")
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            raise Bad(f"the filter `{node.name}` can't be imported")
        fields += isinstance(node, nodes.Name)
        if not isinstance(node, nodes.Filter | nodes.Call):
            continue
        if node.dyn_args or not all(map(_is_constant, node.args)):
            raise Bad("arguments of methods and filters must be constants")
        if isinstance(node, nodes.Filter):
            name = node.name
        elif isinstance(node.node, nodes.Getattr) and node.node.attr in _METHODS:
            name = node.node.attr
        else:
            raise Bad("only methods of text such as strip() can be imported")
        growth *= _growth(name, [len(str(one.as_const())) for one in node.args])
    return environment.from_string(template), fields, growth
