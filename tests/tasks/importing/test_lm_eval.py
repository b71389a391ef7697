"""Tasks of lm-evaluation-harness, as far as they are data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from imported_files import imported, jsonl, refusal

from orket_lib.tasks.grading.graders import judge
from orket_lib.tasks.importing.import_bank import Imported

ROWS = [
    {"q": "How many legs has a spider?", "a": "They have four pairs.\n#### 8", "topic": "animals"},
    {"q": "How many hours has a day?", "a": "#### 24", "topic": "time"},
]
WORDS = [{"q": "A cat says?", "a": "Meow"}, {"q": "A cow says?", "a": "Moo"}]
TASK = """
task: my_task
dataset_path: my/data
output_type: generate_until
doc_to_text: "Question: {{q}}\\nAnswer:"
doc_to_target: "{{a.strip()}}"
metric_list:
  - metric: exact_match
    ignore_case: true
"""


def of_task(tmp_path: Path, task: str, rows: Any = ROWS, **options: Any) -> Imported:
    (tmp_path / "rows.jsonl").write_text(jsonl(*rows))
    return imported(tmp_path, task, "task.yaml", data=tmp_path / "rows.jsonl", **options)


def refused(tmp_path: Path, task: str, rows: Any = ROWS, **options: Any) -> str:
    (tmp_path / "rows.jsonl").write_text(jsonl(*rows))
    data = tmp_path / "rows.jsonl"
    return " ".join(refusal(tmp_path, task, "task.yaml", data=data, **options))


def test_prompts_and_numbers_come_from_templates(tmp_path: Path) -> None:
    found = of_task(tmp_path, TASK)
    spider, day = found.bank.tasks
    assert spider.prompt.startswith("Question: How many legs has a spider?\nAnswer:")
    assert judge(spider, "8").passed
    assert not judge(spider, "4").passed
    assert judge(day, "24").passed
    assert found.notes == (
        "seen: JSONL; columns: q, a, topic",
        "read as: lm-eval task my_task: prompts from doc_to_text, answers from doc_to_target; "
        "graders: number 2",
    )


def test_text_is_compared_as_the_metric_says(tmp_path: Path) -> None:
    cat, _ = of_task(tmp_path, TASK, WORDS).bank.tasks
    assert judge(cat, "MEOW").passed
    assert not judge(cat, "Meow, I think").passed
    strict, _ = of_task(tmp_path, TASK.replace("ignore_case: true", ""), WORDS).bank.tasks
    assert not judge(strict, "MEOW").passed
    assert judge(strict, "Meow").passed
    anywhere, _ = of_task(tmp_path, TASK, WORDS, grader="contains").bank.tasks
    assert judge(anywhere, "It says meow.").passed


def test_columns_and_parts_of_fields_are_templates_too(tmp_path: Path) -> None:
    task = TASK.replace('"Question: {{q}}\\nAnswer:"', "q").replace(
        "{{a.strip()}}", "{{ a.split('#### ')[-1] }}"
    )
    spider, _ = of_task(tmp_path, f"description: 'Think.\n\n  '\n{task}").bank.tasks
    assert spider.prompt.startswith("Think.\nHow many legs")
    assert judge(spider, "8").passed


def test_what_is_not_applied_is_said(tmp_path: Path) -> None:
    more = "num_fewshot: 5\nfilter_list: [{name: x}]\ngeneration_kwargs: {until: ['\\n']}\n"
    assert of_task(tmp_path, TASK + more).notes[-1] == (
        "`filter_list`, `generation_kwargs`, `num_fewshot` of the task: not applied"
    )


def test_rows_are_asked_for(tmp_path: Path) -> None:
    (said,) = refusal(tmp_path, TASK, "task.yaml")
    assert said == (
        "an lm-eval task without its rows; save those of `my/data` as JSONL or CSV, and type "
        "--data FILE"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '"{{a.strip()}}"',
            "!function utils.target",
            "doc_to_target: the Python function utils.target is not run",
        ),
        ("task: my_task", "process_docs: !function u.docs", "process_docs: the Python function u."),
        ("generate_until", "multiple_choice", "output_type: multiple_choice can't be imported"),
        ("task: my_task", "include: other.yaml", "include: can't be imported"),
        ("exact_match", "bleu", "metric_list: bleu can't be imported, only exact_match; or type"),
        ("{{q}}", "{% for x in q %}{{x}}{% endfor %}", "doc_to_text: `for` in a template can't"),
        ("{{q}}", "{{ cycler() }}", "doc_to_text: only methods of text such as strip()"),
        ("{{q}}", "{{ q | shuffle }}", "doc_to_text: "),
        ("{{q}}", "{{ q.__class__ }}", "doc_to_text: "),
        ("{{q}}", "{{ question }}", "'question' is undefined"),
        ("{{q}}", "{{ q", "doc_to_text: "),
        ("{{q}}", "{{ q.replace('', q) }}", "arguments of methods and filters must be constants"),
        ("{{q}}", "{{ 'x' * 9 }}", "doc_to_text: `mul` in a template can't be imported"),
        ('"{{a.strip()}}"', "b", "doc_to_target: there is no column `b`"),
        ('"{{a.strip()}}"', "[a]", "doc_to_target: must be a template or a column"),
        ('"{{a.strip()}}"', '" "', "doc_to_target: gives an empty text"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_what_is_no_data_is_refused_by_name(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert TASK.count(old) == 1
    assert said in refused(tmp_path, TASK.replace(old, new))


def test_a_number_that_is_none_is_named_by_row(tmp_path: Path) -> None:
    rows = [*ROWS, {"q": "How many?", "a": "#### some"}]
    assert "line 3: answer: no number after `####` (got '#### some')" in refused(
        tmp_path, TASK, rows
    )


def test_a_grader_that_does_not_fit_is_said(tmp_path: Path) -> None:
    said = refused(tmp_path, TASK, grader="json")
    assert said == "--grader json: of an lm-eval task exact, number, contains or agrees"
    agrees = of_task(tmp_path, TASK.replace("exact_match", "bleu"), grader="agrees")
    assert agrees.bank.tasks[0].evaluations[0].type == "agrees"


@pytest.mark.parametrize("tests", ["&t\n- vars: *t", "*c"])
def test_aliases_that_hold_endless_values_are_refused(tmp_path: Path, tests: str) -> None:
    file = f"a: &a [{', '.join('x' * 300)}]\nb: &b [{', '.join(['*a'] * 300)}]\n"
    file += f"c: &c [{', '.join(['*b'] * 300)}]\ntests: {tests}\n"
    (said,) = refusal(tmp_path, file, "task.yaml")
    assert said.endswith("its aliases (`*name`) repeat too much, or it is nested too deeply")
