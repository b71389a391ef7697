"""`orket verify`: check a bundle, and make every table and verdict of it again."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from orket_lib import __version__
from orket_lib.artifacts.io import read_json
from orket_lib.commands._common import add_log, print_text
from orket_lib.commands.evidence.recompute import recompute
from orket_lib.processes.signatures import is_signed_by, signer_of
from orket_lib.stores.bundles import MANIFEST, SIGNATURE, Unpacked, unpack
from orket_lib.sweep.git_state import code_commit
from orket_lib.vocabulary.errors import EXIT_REFUSED, ArtifactError, OrketError
from orket_lib.vocabulary.text import printable

_LONGEST = 400
_COMMIT = 64  # hexadecimal digits of the longest

EXAMPLES = ("orket verify mine.zip", "orket verify mine.zip --key id_ed25519.pub --keep unpacked")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("bundle", type=Path, help="made by `orket bundle`")
    add("--key", type=Path, metavar="FILE.pub", help="public SSH key that must have signed it")
    add("--keep", type=Path, metavar="FOLDER", help="unpack into this new folder, and keep it")
    add_log(parser)


def run(options: argparse.Namespace) -> int:
    """Unpack, compare, recompute; each difference is a line on standard output."""
    bundle, key = options.bundle.resolve(), options.key and options.key.resolve()
    with _folder(options.keep) as folder, contextlib.chdir(folder):
        unpacked = unpack(bundle, Path())
        signed, wrong = _signature(unpacked, key)
        problems = [*unpacked.problems, *wrong]
        version = _version(unpacked.manifest.sweep)
        made: list[str] = []
        try:
            again = recompute(unpacked.manifest)
            made, problems = again.files, problems + again.problems
        except OrketError as error:
            problems.append(f"nothing was recomputed: {error}")
        lines = [
            f"sweep {unpacked.manifest.sweep}: {len(unpacked.manifest.files)} files; "
            f"SHA-256 of the manifest: {unpacked.identity}",
            signed,
            version,
            f"recomputed from the measurements: {len(made)} files; the others (config, receipts, "
            "measurements, pictures, comparisons with baselines) are compared by hash only",
            *(f"  {printable(line, _LONGEST)}" for line in problems),
            f"NOT VERIFIED: {len(problems)} differences" if problems else "verified",
        ]
    print_text("\n".join(lines))
    return EXIT_REFUSED if problems else 0


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    """Yield an empty folder.

    Raises:
        ArtifactError: The named folder is there already, or can't be made.
    """
    if kept is None:
        with tempfile.TemporaryDirectory(prefix="orket-verify-") as folder:
            yield Path(folder)
        return
    try:
        kept.mkdir(parents=True)
    except OSError as error:
        raise ArtifactError(f"--keep {kept}: {error.strerror}; name a new folder") from None
    yield kept


def _signature(unpacked: Unpacked, key: Path | None) -> tuple[str, list[str]]:
    """Return what the signature says, and what is wrong with it."""
    if not unpacked.signature:
        problems = [f"not signed by {key}"] if key else []
        return "not signed: it says nothing about who made it", problems
    content, signature = Path(MANIFEST).read_bytes(), Path(SIGNATURE)
    try:
        signer = signer_of(content, signature)
    except ArtifactError as error:
        if key:
            raise
        return f"signature: not checked: {error}", []
    if signer is None:
        return "signature: wrong", ["the signature is not of this manifest"]
    wrong = key and not is_signed_by(content, signature, key)
    return f"signature: {signer}", [f"not signed by {key}"] if wrong else []


def _version(sweep: str) -> str:
    """Return where the tables were made, and which code makes them again: rules may change."""
    made = None
    with contextlib.suppress(OrketError, AttributeError):
        summary = read_json(Path("results", sweep, "quant_sweep", "sweep_summary.json"))
        made = summary.get("commit_sha")
    ours = code_commit()
    checked_by = f"commit {ours}" if ours else f"orket {__version__}"
    # A stranger's text, which must not add a line to ours, such as "verified".
    made_by = printable(str(made or "unknown"), _COMMIT)
    differ = "" if made and made == ours else ", whose rules may differ"
    return f"made in a folder at commit {made_by}, checked by {checked_by}{differ}"
