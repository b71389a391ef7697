"""JSON Schemas from a bank, draft 2020-12: are they schemas, and does a value fit?

Both run where it can do no harm: a schema's patterns are regular expressions, so values are checked
in the child that `bounded` starts. A `$ref` reaches no further than the schema itself: nothing is
fetched.
"""

from __future__ import annotations

from typing import Any

from orket_lib.tasks.grading.answers import parse_json

_SHOWN = 200


def schema_problem(rules: dict[str, Any]) -> str | None:
    """Return why this is no schema that a value can be held against, or None."""
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
    """Return the most telling violation of a schema by JSON text, or None when it fits."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match
    from referencing import Registry

    validator = Draft202012Validator(rules, registry=Registry())
    found = best_match(validator.iter_errors(parse_json(text)))
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
