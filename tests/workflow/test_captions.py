"""What `snakemake --report` shows has a caption."""

from __future__ import annotations

import re
from pathlib import Path

RULES = Path(__file__).parents[2] / "rules"


def test_every_part_of_the_report_has_a_caption_and_says_of_which_model_it_is() -> None:
    parts = [
        part
        for path in sorted(RULES.glob("*.smk"))
        for part in re.findall(r"=report\(\n(.*?)\n {8}\),", path.read_text("utf-8"), re.S)
    ]
    assert len(parts) == 7
    named = [re.findall(r'caption="(captions/\w+\.rst)"', part) for part in parts]
    assert all(len(names) == 1 and (RULES / names[0]).read_text("utf-8").strip() for names in named)
    assert len({names[0] for names in named}) == len(parts)
    for part in parts:
        assert ('"model": "{model}"' in part) is ("{{model}}" in part)
