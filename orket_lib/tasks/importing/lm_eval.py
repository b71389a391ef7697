"""A generate_until task of lm-evaluation-harness, as far as it is data.

The YAML says how a prompt and a target are made from a row; the rows come from a file, because the
data sets that such tasks name are elsewhere. Python functions are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from orket_lib.tasks.importing.columns import AGREES, Reading
from orket_lib.tasks.importing.numbers import is_plain_number, number_of
from orket_lib.tasks.importing.shapes import MARK, Draft, number_after_mark, structured
from orket_lib.tasks.importing.table import Bad, Table
from orket_lib.tasks.importing.templates import fill
from orket_lib.vocabulary.validation import TOO_MUCH, too_large

_PARTS = ("doc_to_text", "doc_to_target")
# Keys that would change what is asked or graded and are not data, or not ours.
_REFUSED = (
    *("process_docs", "process_results", "doc_to_choice", "doc_to_image", "include", "use_prompt"),
    *("gen_prefix", "custom_dataset"),
)
_NOT_APPLIED = ("filter_list", "generation_kwargs", "num_fewshot", "repeats")
_GRADERS = ("exact", "number", "contains")


@dataclass(frozen=True)
class PythonFunction:
    """The value of a YAML key with the tag `!function`."""

    name: str


class _Loader(yaml.SafeLoader):
    """Reads YAML whose functions stay names."""


_Loader.add_constructor("!function", lambda loader, node: PythonFunction(str(node.value)))


def read_yaml(text: str) -> Any:
    """Return the content of a YAML file; a Python function in it is a `PythonFunction`.

    Raises:
        Bad: It is not YAML.
    """
    try:
        content = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise Bad(f"{where}not YAML: {getattr(error, 'problem', None) or error}"[:200]) from None
    except (RecursionError, ValueError) as error:
        raise Bad(f"not YAML: {error}"[:200]) from None
    if too_large(content):
        raise Bad(TOO_MUCH)
    return content


def is_lm_eval(content: Any) -> bool:
    """Tell whether YAML is a task of lm-evaluation-harness."""
    return isinstance(content, dict) and bool({*_PARTS, "output_type"} & set(content))


def lm_eval_task(config: Mapping[str, Any], rows: Table, grader: str | None) -> Reading:
    """Return how the rows become tasks.

    Args:
        config: The YAML.
        rows: The rows of its data set.
        grader: The grader; None to choose by the task's metric and its targets.

    Raises:
        Bad: Something in the YAML is not data.
    """
    _check(config)
    if grader not in (None, AGREES, *_GRADERS):
        raise Bad(f"--grader {grader}: of an lm-eval task {', '.join(_GRADERS)} or {AGREES}")
    ignore_case = _ignores_case(config) if grader is None else False
    start = str(config.get("description") or "")
    targets = [_target(config, record.values) for record in _readable(config, rows)]
    marked = bool(targets) and all(MARK in target for target in targets)
    numbers = grader == "number" or (
        grader is None and (marked or (bool(targets) and all(map(is_plain_number, targets))))
    )

    def task(values: Mapping[str, Any]) -> Draft:
        target = _target(config, values)
        if not target.strip():
            raise Bad("doc_to_target: gives an empty text")
        if numbers:
            expected = number_after_mark(target) if marked else number_of(target)
            if expected is None:
                raise Bad(f"doc_to_target: gives no number (got {target[:40]!r})")
            evaluation: dict[str, Any] = {"type": "number", "expected": expected}
        elif grader == "contains":
            evaluation = {"type": "contains", "all": [target.strip()], "ignore_case": True}
        elif ignore_case:
            pattern = re.escape(target.strip())
            evaluation = {"type": "regex", "pattern": pattern, "flags": ["ignorecase"]}
        else:
            evaluation = {"type": "exact", "expected": target}
        asked = start + _part(config, "doc_to_text", values)
        if not asked.strip():
            raise Bad("doc_to_text: gives an empty text")
        return structured(values, "lm_eval", instruction=asked, evaluation=evaluation)

    idle = [f"`{key}`" for key in _NOT_APPLIED if config.get(key)]
    notes = [f"{', '.join(idle)} of the task: not applied"] if idle else []
    says = "prompts from doc_to_text, answers from doc_to_target"
    return Reading(
        f"lm-eval task {config.get('task', '')}: {says}", task, rows.columns, tuple(notes)
    )


def _check(config: Mapping[str, Any]) -> None:
    """Refuse a task that is more than data."""
    for key, value in config.items():
        if isinstance(value, PythonFunction):
            raise Bad(f"{key}: the Python function {value.name} is not run; import its results")
    output = config.get("output_type", "generate_until")
    if output != "generate_until":
        raise Bad(f"output_type: {output} can't be imported, only generate_until")
    for key in _REFUSED:
        if config.get(key):
            raise Bad(f"{key}: can't be imported; only doc_to_text and doc_to_target are used")
    for key in _PARTS:
        if not isinstance(config.get(key), str):
            raise Bad(f"{key}: must be a template or a column (got {config.get(key)!r:.60})")


def _ignores_case(config: Mapping[str, Any]) -> bool:
    """Return whether the metric ignores case.

    Raises:
        Bad: The metric is not exact_match.
    """
    metrics = config.get("metric_list") or [{"metric": "exact_match"}]
    named = [one.get("metric") if isinstance(one, dict) else one for one in metrics]
    if "exact_match" not in named:
        shown = ", ".join(str(name)[:40] for name in named)
        raise Bad(
            f"metric_list: {shown} can't be imported, only exact_match; or type --grader "
            f"{' or '.join((*_GRADERS, AGREES))}"
        )
    chosen = metrics[named.index("exact_match")]
    return isinstance(chosen, dict) and bool(chosen.get("ignore_case"))


def _readable(config: Mapping[str, Any], rows: Table) -> list[Any]:
    """Return the records whose target can be made; the others are reported when they are read."""
    found = []
    for record in rows.records:
        try:
            _target(config, record.values)
        except Bad:
            continue
        found.append(record)
    return found


def _target(config: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    return _part(config, "doc_to_target", values)


def _part(config: Mapping[str, Any], key: str, values: Mapping[str, Any]) -> str:
    """Return a column, or a template with the columns."""
    template = config[key]
    if template in values:
        return str(values[template])
    if re.fullmatch(r"\w+", template):
        raise Bad(f"{key}: there is no column `{template[:40]}`")
    return fill(template, values, key)
