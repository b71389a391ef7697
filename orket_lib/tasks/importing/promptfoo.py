"""Tests of promptfoo, as far as they are data: variables in a prompt, and asserts on the text.

Asserts that run code or ask another model are refused by name, and so are files in a config.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orket_lib.tasks.importing.columns import AGREES, PROMPTS, Reading
from orket_lib.tasks.importing.shapes import Draft, structured
from orket_lib.tasks.importing.table import Bad, Record, Table, listed
from orket_lib.tasks.importing.templates import fill

EXPECTED = "__expected"
TYPES = (
    *("equals", "contains", "contains-all", "contains-any", "not-contains"),
    *("icontains", "icontains-all", "icontains-any", "not-icontains"),
    *("starts-with", "regex", "is-json"),
)
_CELL = re.compile(r"(?P<type>[a-z]+(?:-[a-z]+)*)(?:\([^)]*\))?(?::\s*(?P<value>.*))?", re.DOTALL)
# Types that a cell may name and that can't be imported; any other word before a colon is text.
_CODE = (
    *("javascript", "fn", "eval", "python", "file"),
    *("llm-rubric", "grade", "similar", "factuality"),
)
_FILE = re.compile(r"(?:file://.*|\S+\.(?:txt|md|json|ya?ml|js|py|csv))", re.DOTALL)
_TEST_KEYS = {"vars", "assert", "description", "metadata", "provider", "providers"}
_ASSERT_KEYS = {"type", "value", "metric", "provider"}

Content = Mapping[str, Any]


def is_promptfoo(content: Any) -> bool:
    """Tell whether the content of a JSON file is a config, and not an object with some `tests`."""
    if not isinstance(content, dict) or "tests" not in content:
        return False
    tests = content["tests"] if isinstance(content["tests"], list) else [content["tests"]]
    plain = all(isinstance(one, dict) and not {"vars", "assert"} & one.keys() for one in tests)
    return not plain or bool({"prompts", "scenarios"} & content.keys())


def tests_of(config: Any) -> Table:
    """Return the tests of a config, one for each of its prompts.

    Args:
        config: The content of a YAML or JSON file: a config, or a list of tests.

    Raises:
        Bad: It names files, or has a form that is not data.
    """
    content: Content = {"tests": config} if isinstance(config, list) else config
    if "scenarios" in content:
        raise Bad("scenarios: can't be imported; write them as `tests`")
    tests = content.get("tests")
    if not isinstance(tests, list) or not tests:
        raise Bad(f"tests: must be a list of tests here (got {tests!r:.60})")
    general = content.get("defaultTest") or {}
    if not isinstance(general, dict):
        raise Bad(f"defaultTest: must be a mapping here (got {general!r:.60})")
    prompts = list(_prompts(content.get("prompts")))
    records, problems = [], []
    for number, test in enumerate(tests, start=1):
        if not isinstance(test, dict):
            problems.append(f"test {number}: must be a mapping here (got {test!r:.60})")
            continue
        for place, prompt in enumerate(prompts, start=1):
            where = f"test {number}" + (f" with prompt {place}" if prompts[1:] else "")
            records.append(Record(where, {**_merged(general, test), **prompt}))
    return Table(f"promptfoo, {len(tests)} tests", records, problems)


def tests_of_cells(table: Table) -> Table:
    """Return the tests in a table with columns `__expected`, `__expected1` and so on."""
    records, problems = [], list(table.problems)
    for record in table.records:
        cells = [(k, v) for k, v in record.values.items() if k.startswith(EXPECTED)]
        try:
            asserts = [_assert_of(str(cell)) for _, cell in sorted(cells)]
        except Bad as error:
            problems.append(f"{record.where}: {error}")
            continue
        variables = {k: v for k, v in record.values.items() if not k.startswith("__")}
        named = record.values.get("__description", "")
        records.append(
            Record(record.where, {"vars": variables, "assert": asserts, "description": named})
        )
    return Table(f"promptfoo tests in {table.seen}", records, problems)


def promptfoo_tests(table: Table, prompt: str | None, grader: str | None) -> Reading:
    """Return how tests are read.

    Args:
        table: Of `tests_of` or `tests_of_cells`.
        prompt: The variable that is the prompt, where there are no prompts; None to look for it.
        grader: The option, which only `agrees` may use.

    Raises:
        Bad: There is no prompt.
    """
    if grader is not None:
        raise Bad(f"--grader {grader}: tests of promptfoo have asserts; or type --grader {AGREES}")
    names = {name for record in table.records for name in record.values.get("vars") or {}}
    usual = prompt or next((name for name in PROMPTS if name in names), None)
    bare = any("template" not in record.values for record in table.records)
    if bare and usual is None:
        raise Bad(
            f"{table.seen}; there are no `prompts`, and of the variables {listed(sorted(names))} "
            "none looks like a prompt; type --map prompt=VARIABLE"
        )

    def task(values: Content) -> Draft:
        odd = [key for key in values if key not in _TEST_KEYS and key != "template"]
        if odd:
            raise Bad(f"{odd[0]}: can't be imported")
        variables = _variables(values.get("vars") or {})
        template = values.get("template", f"{{{{ {usual} }}}}")
        return structured(
            {"id": values.get("description") or ""},
            "promptfoo",
            instruction=fill(template, variables, "prompt"),
            evaluation=_evaluations(values.get("assert") or [], variables),
        )

    says = "prompts with their variables" if not bare else f"prompts from the variable `{usual}`"
    return Reading(f"{says}, graded by their asserts", task, table.columns)


def _prompts(given: Any) -> Iterator[Content]:
    """Yield each prompt as `template`; nothing to add where there are none."""
    listed_prompts = [given] if isinstance(given, str) else given
    if not listed_prompts:
        yield {}
        return
    for prompt in listed_prompts:
        text = prompt.get("raw") if isinstance(prompt, dict) else prompt
        if not isinstance(text, str):
            raise Bad(f"prompts: must be text here (got {prompt!r:.60})")
        if _FILE.fullmatch(text):
            raise Bad(f"prompts: `{text[:80]}` is a file; put its text here")
        if text.lstrip().startswith(("[{", "- role:")):
            raise Bad("prompts: a list of chat messages can't be imported; use one text")
        yield {"template": text}


def _merged(general: Content, test: Content) -> dict[str, Any]:
    merged = {**general, **test}
    if isinstance(general.get("vars"), dict):
        merged["vars"] = {**general["vars"], **(test.get("vars") or {})}
    if general.get("assert"):
        merged["assert"] = [*general["assert"], *(test.get("assert") or [])]
    return merged


def _variables(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise Bad(f"vars: must be a mapping here (got {given!r:.60})")
    for name, value in given.items():
        if isinstance(value, list):
            raise Bad(f"vars.{name}: is a list, which stands for several tests; write each of them")
        if isinstance(value, str) and value.startswith("file://"):
            raise Bad(f"vars.{name}: `{value[:80]}` is a file; put its text here")
    return given


def _assert_of(cell: str) -> dict[str, Any]:
    """Return the assert that a cell holds in short form: `contains: x`, or the text itself."""
    found = _CELL.fullmatch(cell.strip())
    kind = found["type"] if found else ""
    if found is None or (kind not in TYPES and kind.removeprefix("not-") not in _CODE):
        return {"type": "equals", "value": cell}
    if found["value"] is None and kind != "is-json":
        return {"type": "equals", "value": cell}
    value: Any = found["value"]
    if kind.endswith(("-all", "-any")):
        value = [part.strip() for part in next(csv.reader([value or ""], skipinitialspace=True))]
    return {"type": kind} if value is None else {"type": kind, "value": value}


def _evaluations(asserts: Any, variables: Content) -> dict[str, Any] | list[dict[str, Any]]:
    """Return the graders of a test; without asserts, only agreement counts."""
    if not isinstance(asserts, list):
        raise Bad(f"assert: must be a list here (got {asserts!r:.60})")
    if not asserts:
        return {"type": AGREES}
    graders: list[dict[str, Any]] = []
    texts: dict[str, list[str]] = defaultdict(list)
    cases = set()
    for one in asserts:
        kind, value = _parts(one, variables)
        if "contains" in kind:
            cases.add("icontains" in kind)
            part = "none" if kind.startswith("not-") else "any" if kind.endswith("-any") else "all"
            if part == "any" and texts["any"]:
                raise Bad(f"assert: `{kind}` twice in one test can't be imported")
            texts[part] += value
        else:
            graders.append(_grader(kind, value))
    if len(cases) > 1:
        raise Bad("assert: contains and icontains in one test can't be imported; use one of them")
    if texts:
        found = {part: values for part, values in texts.items() if values}
        graders.append({"type": "contains", "ignore_case": cases.pop(), **found})
    return graders


def _parts(one: Any, variables: Content) -> tuple[str, Any]:
    """Return the type of an assert, and its value; of `contains` and its kin a list of texts."""
    if not isinstance(one, dict) or not isinstance(kind := one.get("type"), str):
        raise Bad(f"assert: must be a mapping with a type (got {one!r:.60})")
    if kind not in TYPES:
        raise Bad(f"assert: type `{kind[:40]}` can't be imported; {', '.join(TYPES)} can")
    odd = [key for key in one if key not in _ASSERT_KEYS and (key, one[key]) != ("weight", 1)]
    if odd:
        raise Bad(f"assert: `{odd[0]}` of type `{kind}` can't be imported")
    value = one.get("value")
    if isinstance(value, str):
        if value.startswith("file://"):
            raise Bad(f"assert: `{value[:80]}` is a file; put its content here")
        value = fill(value, variables, f"assert `{kind}`")
    if kind == "is-json":
        return kind, value
    if value is None or value == "":
        raise Bad(f"assert: type `{kind}` needs a value")
    return kind, _texts(kind, value) if "contains" in kind else value


def _texts(kind: str, value: Any) -> list[str]:
    several = kind.endswith(("-all", "-any"))
    given: Sequence[Any] = value if several and isinstance(value, list) else [value]
    if not all(isinstance(part, str | int | float) for part in given):
        raise Bad(f"assert: `{kind}` needs text (got {value!r:.60})")
    return [str(part) for part in given]


def _grader(kind: str, value: Any) -> dict[str, Any]:
    match kind:
        case "equals" if isinstance(value, dict | list):
            return {"type": "json", "expected": value}
        case "equals":
            return {"type": "exact", "expected": str(value)}
        case "starts-with":
            pattern = rf"{re.escape(str(value))}.*"
            return {"type": "regex", "pattern": pattern, "flags": ["dotall"]}
        case "regex":
            return {"type": "regex", "pattern": str(value), "anywhere": True}
    if value is not None and not isinstance(value, dict):
        raise Bad(f"assert: the schema of `is-json` must be a mapping here (got {value!r:.60})")
    return {"type": "json_schema", "schema": value or {}}
