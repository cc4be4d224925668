"""Writes into the README what the code says of itself: `make docs`."""

import re
from pathlib import Path

from bot.settings import markdown

README = Path(__file__).resolve().parents[1] / "README.md"
MARKS = re.compile(r"(<!-- settings: [^\n]* -->\n).*?(<!-- /settings -->)", re.DOTALL)


def written(readme: str) -> str:
    """The README with its settings as the code has them."""
    made, times = MARKS.subn(lambda marks: f"{marks[1]}\n{markdown()}\n\n{marks[2]}", readme)
    if times != 1:
        raise ValueError("README.md has to have one line '<!-- settings: … -->' and one '<!-- /settings -->' after it")
    return made


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
