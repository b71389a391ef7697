"""Tables are read back from the text, and pandas answers the question."""

from __future__ import annotations

import re
from io import StringIO

import pandas as pd
from family_contract import GrowingFamilyContract
from matches import match_in

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.numbers import table_reading


class TestTableReading(GrowingFamilyContract):
    family = table_reading

    def again(self, text: str, draft: Draft) -> int | str:
        _, lines, question = text.split("\n\n")
        table = _table(lines)
        keys = rf"\b({'|'.join(table.iloc[:, 0])})\b"
        if len(table) == 3:
            columns = rf"\b({'|'.join(table.columns[1:])})\b"
            return _value(table, match_in(columns, question)[1], match_in(keys, question)[1])
        question, *where = re.split(
            r" whose (?=\w+ is not )| with (?=\w+ (?!smallest|largest)\w+"
            r"(?: \d+ or more)?[.?])",
            question,
        )
        kept = table.query(_query(where[0])) if where else table
        if found := re.search(
            r"(largest|smallest) (\w+)|(\w+) is the (largest|smallest)", question
        ):
            column, most = found[2] or found[3], found[1] or found[4]
            order = kept.sort_values(column, ascending=most == "smallest")
            return str(order.iloc[0, 0])
        if found := re.search(r"(?:up|sum of|values of) (\w+)(?: times (\w+))?", question):
            factor = kept[found[2]] if found[2] else 1
            return int((kept[found[1]] * factor).sum())
        return len(kept)


def _table(lines: str) -> pd.DataFrame:
    if lines.startswith("|"):
        first, _, *rest = (line.strip("| ").replace(" | ", ",") for line in lines.split("\n"))
        lines = "\n".join([first, *rest])
    if ": " in lines:
        rows = [dict(cell.split(": ") for cell in row.split(", ")) for row in lines.split("\n")]
        lines = pd.DataFrame(rows).to_csv(index=False)
    return pd.read_csv(StringIO(lines))


def _value(table: pd.DataFrame, column: str, key: str) -> int | str:
    value = table.set_index(table.columns[0]).loc[key, column]
    return value if isinstance(value, str) else int(str(value))


def _query(where: str) -> str:
    where = re.sub(r" whose ", " ", where.rstrip(".?"))
    where = re.sub(r"(\w+) is not (\w+)", r'`\1` != "\2"', where)
    where = re.sub(r"(\w+) is more than (\d+)", r"`\1` > \2", where)
    where = re.sub(r"(\w+) is at least (\d+)", r"`\1` >= \2", where)
    where = re.sub(r"^(\w+) of (\d+) or more$", r"`\1` >= \2", where)
    return re.sub(r"^(\w+) ([A-Za-z]+)$", r'`\1` == "\2"', where)
