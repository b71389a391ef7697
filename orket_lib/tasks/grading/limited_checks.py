"""Checks that may take very long, and therefore run in the child process of `limited_call`.

Regular expressions: Python's engine backtracks, and an innocent-looking pattern such as `(a+)+b`
takes practically for ever on thirty letters. JSON Schemas (draft 2020-12), because they contain
regular expressions; a `$ref` may refer only to the schema itself, so that nothing is fetched.
"""

from __future__ import annotations

import re
from typing import Any

from orket_lib.reading.json_values import strict_json

_SHOWN = 200
_FLAGS = {"ignorecase": re.IGNORECASE, "multiline": re.MULTILINE, "dotall": re.DOTALL}


def matches(pattern: str, texts: list[str], flags: list[str], anywhere: bool) -> bool:
    """Return whether a pattern matches one of some texts as a whole, or any part if `anywhere`."""
    compiled = re.compile(pattern, sum((_FLAGS[flag] for flag in set(flags)), start=0))
    match = compiled.search if anywhere else compiled.fullmatch
    return any(match(text) for text in texts)


def schema_problem(rules: dict[str, Any]) -> str | None:
    """Return why this is not a usable schema; None if it is."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    try:
        Draft202012Validator.check_schema(rules)
        root: Registry[Any] = Registry()
        resolver = root.resolver_with_root(DRAFT202012.create_resource(rules))
        for reference in _references(rules):
            if not reference.startswith("#"):
                return f"$ref reaches outside the schema: {reference[:_SHOWN]}"
            resolver.lookup(reference)
    except SchemaError as error:
        return f"not a JSON Schema (draft 2020-12): {error.message[:_SHOWN]}"
    except Unresolvable as error:
        return f"$ref leads nowhere: {error.ref[:_SHOWN]}"
    except RecursionError:
        return "not a JSON Schema (draft 2020-12): nested too deeply"
    return None


def violation(rules: dict[str, Any], text: str) -> str | None:
    """Return the most relevant violation of a schema by a JSON text; None if it is valid."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match
    from referencing import Registry

    validator = Draft202012Validator(rules, registry=Registry())
    found = best_match(validator.iter_errors(strict_json(text)))
    if found is None:
        return None
    return f"{found.json_path}: {found.message}"[:_SHOWN]


def _references(part: Any) -> list[str]:
    """Return every `$ref` and `$dynamicRef` in a schema."""
    found: list[str] = []
    pending = [part]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            found += [str(one[key]) for key in ("$ref", "$dynamicRef") if key in one]
            pending += one.values()
        elif isinstance(one, list):
            pending += one
    return found
