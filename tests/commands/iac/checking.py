"""Files written for a test, and what a check says of them."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

from commands.iac.check import Paths, check
from commands.iac.nouns import Checked


def laid(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).removeprefix("\n"), encoding="utf-8")
    return folder


def said(folder: Path) -> dict[str, str]:
    return outcomes(check(Paths([folder])))


def outcomes(checked: Checked) -> dict[str, str]:
    return {one.name: str(one.outcome) for one in checked.results}
