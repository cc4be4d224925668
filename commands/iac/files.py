"""Which files of some paths are looked at, and their text. Links are not followed, nor are binary files read."""

import os
from collections.abc import Iterator
from pathlib import Path

from commands.iac.nouns import CannotReadError

BYTES_MOST = 64 * 2**20  # of a plan
_SKIPPED = frozenset(
    """.git .hg .svn node_modules .terraform .terragrunt-cache .serverless .aws-sam .venv venv .tox __pycache__
    .mypy_cache""".split()
)
SUFFIXES = frozenset(".yml .yaml .json .template .tf .tofu .tfvars .hcl .ts .js .cjs .mjs".split())


def found(folder: Path) -> Iterator[Path]:
    """Files below a folder whose name may be that of code which deploys something, in a steady order."""
    for at, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(one for one in folders if one not in _SKIPPED)
        for name in sorted(names):
            path = Path(at, name)
            if (
                (path.suffix.lower() in SUFFIXES or name == "samconfig.toml")
                and not path.is_symlink()
                and path.is_file()
            ):
                yield path


def text_of(path: Path) -> str:
    """Raises CannotReadError. Line ends stay as they are; so does a mark at the beginning."""
    try:
        if not path.is_file():
            raise CannotReadError("it is no file")
        if path.stat().st_size > BYTES_MOST:
            raise CannotReadError(f"it is larger than {BYTES_MOST >> 20} MB")
        raw = path.read_bytes()
    except OSError as problem:
        raise CannotReadError(f"it cannot be read: {problem.strerror}") from problem
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as problem:
        raise CannotReadError("it is not text in UTF-8") from problem
    if "\0" in text:
        raise CannotReadError("it is binary")
    return text


def write(path: Path, text: str) -> None:
    """Put in place whole, with the mark and the rights that the file had."""
    path = path.resolve()  # a named link stays one
    raw = path.read_bytes()
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoded = text.encode("utf-16")
    else:
        encoded = text.encode("utf-8-sig" if raw.startswith(b"\xef\xbb\xbf") else "utf-8")
    beside = path.with_name(f".{path.name}.lamplighter")
    try:
        beside.write_bytes(encoded)
        beside.chmod(path.stat().st_mode & 0o7777)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
