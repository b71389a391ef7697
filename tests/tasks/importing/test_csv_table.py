"""CSV files as spreadsheets and people write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from imported_files import imported, read, refusal

from orket_lib.tasks.bank import Question

CSV = 'prompt,answer,grader,tier\n2 + 3?,5,number,\n"A ""cow"",\nor not?",cow,,4\n'


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "BOM"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_csv_is_read_with_quotes_line_ends_and_a_bom(
    tmp_path: Path, mark: bytes, ends: str
) -> None:
    bank = read(tmp_path, mark + CSV.replace("\n", ends).encode(), "table.CSV")
    assert [task.prompt for task in bank.tasks] == ["2 + 3?", f'A "cow",{ends}or not?']
    assert [task.tier for task in bank.tasks] == [1, 4]


@pytest.mark.parametrize(
    ("text", "name", "seen"),
    [
        ("prompt,answer\nSay; this.,cow\n", "a.csv", "CSV"),
        ("prompt;answer\r\nSay, this, please.;cow\r\n", "a.csv", "CSV with the separator `;`"),
        ("prompt\tanswer\nSay, this; please.\tcow\n", "a.tsv", "CSV with tabs"),
        ("prompt|answer\nSay, this; please.|cow\n", "a.csv", "CSV with the separator `|`"),
        ("sep=;\r\nprompt;answer\r\nSay, this.;cow\r\n", "a.csv", "CSV with the separator `;`"),
        ("sep=~\nprompt~answer\nSay, this.~cow\n", "a.csv", "CSV with the separator `~`"),
        ("q1;q2\nSay, this.;cow\n", "a.csv", "CSV with the separator `;`"),
        ('prompt;answer\n"Say;\nthis, please.";cow\n', "a.csv", "CSV with the separator `;`"),
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_the_separator_is_found(tmp_path: Path, text: str, name: str, seen: str) -> None:
    columns = {"prompt": "q1", "answer": "q2"} if "q1" in text else {}
    found = imported(tmp_path, text, name, columns=columns)
    (task,) = found.bank.tasks
    assert isinstance(task, Question)
    assert task.prompt.startswith("Say")
    assert task.expected == "cow"
    assert found.notes[0].startswith(f"seen: {seen}; columns: ")


def test_a_single_column_may_hold_separators(tmp_path: Path) -> None:
    text = "prompt\nHello, world.\nOne, two, three; four.\n"
    assert [task.prompt for task in read(tmp_path, text, "a.csv").tasks] == [
        "Hello, world.",
        "One, two, three; four.",
    ]


def test_empty_columns_and_rows_at_the_end_are_ignored(tmp_path: Path) -> None:
    text = "prompt,answer,,\r\n2 + 2?,4,,\r\n,,,\r\n3 + 3?,6,,\r\n\r\n"
    assert [task.prompt for task in read(tmp_path, text, "a.csv").tasks] == ["2 + 2?", "3 + 3?"]


def test_numbers_are_compared_as_numbers_if_all_answers_are(tmp_path: Path) -> None:
    text = "prompt,answer\na?,4\nb?,-0.5\n"
    first, second = read(tmp_path, text, "a.csv").tasks
    assert isinstance(first, Question)
    assert isinstance(second, Question)
    assert (first.grader, first.expected, second.expected) == ("number", 4, -0.5)
    (code, _) = read(tmp_path, text.replace("4", "004"), "a.csv").tasks
    assert isinstance(code, Question)
    assert (code.grader, code.expected) == ("exact", "004")


def test_choices_need_no_header(tmp_path: Path) -> None:
    text = 'Largest?,1,2,9,4,C\n"Capital, of Peru?",Lima,Quito,La Paz,Bogota,A\n'
    found = imported(tmp_path, text, "a.csv")
    assert found.notes[0] == "seen: CSV, without a header; columns: question, choices, answer"
    first, second = found.bank.tasks
    assert first.evaluations[0].model_dump()["expected"] == "C"
    assert second.prompt.startswith("Capital, of Peru?\n\nA) Lima\nB) Quito")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prompt,grader\nx,exact\n", "line 2: answer: missing; grader `agrees` asks without"),
        ("prompt,answer,answer\na,b,c\n", "line 1: duplicate column `answer`"),
        ("prompt,,answer\na,b,c\n", "line 1: column 2 has no name"),
        ("prompt,answer,tier\na\nb,c,1\n", "line 2: 1 cells under 3 columns"),
        ("prompt,answer\nb,c,d\n", "line 2: 3 cells under 2 columns"),
        ('prompt,answer\n"a\nb",\n', "line 2: answer: missing"),
        ('prompt,answer\na,"b"c\n', "line 2: not CSV"),
        ('prompt,answer\na,"b\n', "line 2: not CSV"),
        ("sep=;\nprompt;answer\na;b;c\n", "line 3: 3 cells under 2 columns"),
        ("prompt,answer\n", "there are no rows below the header `prompt,answer`"),
        ("", "there are no rows"),
        ("Why?,because\nHow?,so\n", "columns: Why?, because; no column looks like a prompt"),
        ("Why?,because\nHow?,so\n", "or add a first line with the names"),
    ],
    ids=lambda text: ascii(text)[:40],
)
def test_a_csv_that_can_not_be_read_is_said(tmp_path: Path, text: str, said: str) -> None:
    assert said in " ".join(refusal(tmp_path, text, "table.csv"))
