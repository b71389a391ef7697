"""Makes the pictures of the page in docs/images.

    python tools/page_pictures.py [results/SWEEP] [--browser PROGRAM]

Takes the page of a finished sweep (default: results/reference) on a wide, a dark and a narrow
screen and on paper; and pages with made-up numbers: two models, a sweep in which nothing could be
loaded, and 12 models x 8 quants on paper. Needs Chromium, and `pdftoppm` of poppler-utils.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from report_summaries import SEVEN, failed, row, summary  # noqa: E402

from orket_lib.artifacts.views.row import RowArtifact, RowMetrics  # noqa: E402
from orket_lib.report.page.page import render_page  # noqa: E402
from orket_lib.vocabulary.units import GIB, MIB_PER_GIB  # noqa: E402

Quant = tuple[str, float, float, float, float]
OUT = ROOT / "docs" / "images"
_DARK = "--blink-settings=preferredColorScheme=0"
_COLOURS = 96
_LONGEST_S = 60


def made_up_pages() -> dict[str, str]:
    """Return pages of models that don't exist, by the name of the picture."""
    matrix = {"sweep": "made_up_numbers", "provider": "embedded", "n_ctx": 8192}
    eight = (*SEVEN, ("Q2_K_S", 2.9, 0.18, 0.0, 0.0))
    sweeps = {
        "page-two-models": [made_up("example-8b", 8, 0.86), made_up("example-3b", 3, 0.74)],
        "page-failed": [
            [
                failed(it.quant_tag, it.quant_rank or 0.0).model_copy(
                    update={"artifact": it.artifact, "model_id": it.model_id}
                )
                for it in made_up("example-3b", 3, 0.74)[:3]
            ]
        ],
        "page-print-many": [
            made_up(f"example-{size}b", size, 0.5 + size / 30, eight) for size in range(1, 13)
        ],
    }
    return {name: render_page(summary(*rows, matrix=matrix)) for name, rows in sweeps.items()}


def made_up(
    name: str, billions: float, best: float, quants: tuple[Quant, ...] = SEVEN
) -> list[RowMetrics]:
    """Return rows like those of a model of this size, whose best quant has this adherence."""
    return [
        row(
            tag,
            bits,
            best * score / SEVEN[0][2],
            model_id=name,
            generation_tokens_per_second=800 / billions / bits**0.8,
            peak_memory_rss=billions * bits / 8 * MIB_PER_GIB + 600,
            artifact=RowArtifact(
                sha256=f"{place}" * 64,
                digest=None,
                path=f"{name}-{tag}.gguf",
                tag=None,
                bytes=int(billions * bits / 8 * GIB),
            ),
        )
        for place, (tag, bits, score, *_) in enumerate(quants)
    ]


def shoot(browser: str, page: Path, name: str, width: int, height: int, *flags: str) -> None:
    """Write the top of a page, as on a screen of this size."""
    target = OUT / f"{name}.png"
    size = (f"--window-size={width},{height}", "--hide-scrollbars")
    browse(browser, page, f"--screenshot={target}", *size, *flags)
    shrink(target)


def print_first(browser: str, page: Path, name: str, folder: Path) -> None:
    """Write the first printed leaf of a page."""
    paper = folder / "paper.pdf"
    browse(browser, page, f"--print-to-pdf={paper}", "--no-pdf-header-footer")
    target = OUT / name
    command = ["pdftoppm", "-png", "-r", "110", "-f", "1", "-singlefile", str(paper), str(target)]
    subprocess.run(command, check=True, timeout=_LONGEST_S)
    shrink(target.with_suffix(".png"))


def browse(browser: str, page: Path, *flags: str) -> None:
    """Open a page without a screen."""
    # As root, Chromium has no sandbox; it loads nothing but this page.
    sandbox = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
    command = [browser, "--headless=new", "--disable-gpu", *sandbox, *flags, page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=_LONGEST_S)


def shrink(picture: Path) -> None:
    """Write a picture again with fewer colours."""
    from PIL import Image

    with Image.open(picture) as found:
        reduced = found.convert("RGB").quantize(_COLOURS)
    reduced.save(picture, optimize=True)


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    default = ROOT / "results" / "reference"
    parser.add_argument("results", nargs="?", type=Path, default=default)
    parser.add_argument("--browser", default="chromium")
    options = parser.parse_args()
    page = (options.results / "quant_sweep" / "sweep_report.html").resolve()
    if not page.is_file():
        parser.error(f"{page}: there is no such file; `snakemake` makes it")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pages: dict[str, Path] = {}
        for name_of_page, text in made_up_pages().items():
            pages[name_of_page] = folder / f"{name_of_page}.html"
            pages[name_of_page].write_text(text, encoding="utf-8")
        shoot(options.browser, page, "page", 1200, 1250)
        shoot(options.browser, page, "page-dark", 1200, 1250, _DARK)
        shoot(options.browser, page, "page-phone", 390, 1900)
        shoot(options.browser, pages["page-two-models"], "page-two-models", 1200, 1000)
        shoot(options.browser, pages["page-failed"], "page-failed", 1200, 700)
        print_first(options.browser, page, "page-print", folder)
        print_first(options.browser, pages["page-print-many"], "page-print-many", folder)


if __name__ == "__main__":
    main()
