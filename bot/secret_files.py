"""Secrets from the environment, or from the files that Docker, Kubernetes and systemd put them into."""

import os
from collections.abc import Mapping
from pathlib import Path

MOST_BYTES = 4096


def secret(name: str, environment: Mapping[str, str]) -> str:
    """What `NAME` holds or the file that `NAME_FILE` names, without the blanks around it; empty where neither is set.

    Raises ValueError with one line that says what and how to mend it, and never what stands in it. A file that others
    may read is taken: Docker's and Kubernetes' own secrets are such files, in a container that nobody else is in.
    """
    value, path = environment.get(name, ""), environment.get(f"{name}_FILE", "")
    if value and path:
        raise ValueError(f"{name} and {name}_FILE are both set: unset one of them.")
    where = f"{name}_FILE: {path}" if path else name
    text = _content(where, Path(path)) if path else value.strip()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"{where} holds something else than one token on one line. Write the token alone into it.")
    return text


def _content(where: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as problem:
        raise ValueError(
            f"{where} cannot be read ({os.strerror(problem.errno or 0)}). Correct the path, or let uid {os.geteuid()} "
            "read it."
        ) from None
    if len(content) > MOST_BYTES:
        raise ValueError(
            f"{where} is longer than any token ({MOST_BYTES:,} bytes at most). Write the token alone into it."
        )
    text = content.decode("utf-8", errors="replace").strip()
    if not text:
        raise ValueError(f"{where} is empty. Write the token into it.")
    return text
