"""Signatures of a user's SSH key, made and checked by `ssh-keygen -Y`."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.text import printable

NAMESPACE = "orket-bundle"  # of our signatures, so that none of another program passes
_SIGNER = "signer"
_PUBLIC = re.compile(r"(ssh|ecdsa|sk)-\S+ [A-Za-z0-9+/=]+( .*)?")  # kind, key, comment
_LONGEST = 200
_CHECK_S = 60.0


def sign(content: bytes, key: Path) -> bytes:
    """Return the signature of some content; `ssh-keygen` may ask for a passphrase.

    Raises:
        ArtifactError: It can't be signed with this key.
    """
    done = _run(["sign", "-f", str(key)], content, None)
    if done.returncode:
        raise ArtifactError(f"{key}: can't sign with it: {_said(done.stderr)}")
    return done.stdout


def signer_of(content: bytes, signature: Path) -> str | None:
    """Return whose key signed some content, as `ssh-keygen` says it; None if none did."""
    done = _run(["check-novalidate", "-s", str(signature)], content, _CHECK_S)
    return None if done.returncode else _said(done.stdout)


def is_signed_by(content: bytes, signature: Path, key: Path) -> bool:
    """Tell whether a public key signed some content.

    Raises:
        ArtifactError: The key can't be read, or is no public key.
    """
    try:
        public = key.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{key}: no public key: {error}") from None
    if not _PUBLIC.fullmatch(public):
        raise ArtifactError(f"{key}: no public key; name the file that ends in .pub")
    with tempfile.TemporaryDirectory() as folder:
        allowed = Path(folder, "allowed_signers")
        allowed.write_text(f'{_SIGNER} namespaces="{NAMESPACE}" {public}\n', encoding="utf-8")
        arguments = ["verify", "-f", str(allowed), "-I", _SIGNER, "-s", str(signature)]
        return _run(arguments, content, _CHECK_S).returncode == 0


def _run(
    arguments: list[str], content: bytes, limit_s: float | None
) -> subprocess.CompletedProcess[bytes]:
    command = ["ssh-keygen", "-Y", *arguments, "-n", NAMESPACE]
    try:
        return subprocess.run(
            command, input=content, capture_output=True, check=False, timeout=limit_s
        )
    except FileNotFoundError:
        raise ArtifactError(
            "ssh-keygen: there is no such program; it is part of OpenSSH (8.1 or later)"
        ) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ArtifactError(f"ssh-keygen: did not answer: {error}") from None


def _said(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return printable(lines[-1] if lines else "no reason was given", _LONGEST)
