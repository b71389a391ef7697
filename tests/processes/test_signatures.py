"""Signatures by `ssh-keygen`, with keys that are made for the test."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from orket_lib.processes.signatures import is_signed_by, sign, signer_of
from orket_lib.vocabulary.errors import ArtifactError

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="no ssh-keygen")


def new_key(path: Path) -> Path:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def test_a_signature_is_of_one_key_and_one_content(tmp_path: Path) -> None:
    ours, other = new_key(tmp_path / "ours"), new_key(tmp_path / "other")
    signature = tmp_path / "sig"
    signature.write_bytes(sign(b"content", ours))
    said = signer_of(b"content", signature)
    assert said is not None
    assert "SHA256:" in said
    assert signer_of(b"other content", signature) is None
    assert is_signed_by(b"content", signature, ours.with_suffix(".pub"))
    assert not is_signed_by(b"content", signature, other.with_suffix(".pub"))
    assert not is_signed_by(b"other content", signature, ours.with_suffix(".pub"))


def test_a_key_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("no key")
    with pytest.raises(ArtifactError, match="key: can't sign with it: "):
        sign(b"content", tmp_path / "key")


@pytest.mark.parametrize("content", ["no key", "ssh-ed25519 AAAA me\nssh-ed25519 BBBB other"])
def test_what_is_no_public_key_does_not_say_that_another_signed(
    content: str, tmp_path: Path
) -> None:
    ours = new_key(tmp_path / "ours")
    signature, wrong = tmp_path / "sig", tmp_path / "wrong"
    signature.write_bytes(sign(b"content", ours))
    wrong.write_text(content)
    for key in (ours, wrong):
        with pytest.raises(ArtifactError, match=r"no public key; name the file that ends in \.pub"):
            is_signed_by(b"content", signature, key)
