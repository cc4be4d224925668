"""The edits of a check, set into the files: only where a second look at the edited text finds what they promise."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from commands.iac import files
from commands.iac.check import NotUnderstoodError, Paths, check
from commands.iac.nouns import Checked, Edit, Outcome, Result


@dataclass(frozen=True, slots=True)
class Fixed:
    """What holds after the edits, and which files were written."""

    checked: Checked
    written: tuple[Path, ...]
    mended: int  # functions that failed before


def fix(named: Sequence[Path], checked: Checked) -> Fixed:
    """Each function's edits are tried together first, and one by one where not all of them hold."""
    wanted = [one for one in checked.results if one.outcome is Outcome.FAIL and one.edits]
    texts, after = _tried(named, {}, wanted, checked)
    if texts is None:
        texts, after = {}, checked
        for one in wanted:
            again = next((other for other in after.results if _same(one, other)), None)
            if again is None or again.outcome is not Outcome.FAIL or not again.edits:
                continue
            more, seen = _tried(named, texts, [again], after)
            if more is not None:
                texts, after = more, seen
    for path, text in texts.items():
        files.write(path, text)
    passed = [one for one in wanted if any(_same(one, other) and _well(other) for other in after.results)]
    return Fixed(after, tuple(texts), len(passed))


def _tried(
    named: Sequence[Path], texts: dict[Path, str], wanted: Sequence[Result], before: Checked
) -> tuple[dict[Path, str] | None, Checked]:
    """None where a function is not mended by it, or another is worse off."""
    edited = dict(texts)
    by_file: dict[Path, set[Edit]] = defaultdict(set)
    for one in wanted:
        for edit in one.edits:
            by_file[edit.file].add(edit)
    for path, edits in by_file.items():
        made = applied(edited[path] if path in edited else files.text_of(path), edits)
        if made is None:
            return None, before
        edited[path] = made
    try:
        after = check(Paths(named, edited))
    except NotUnderstoodError:
        return None, before
    mended = all(any(_same(one, other) and _well(other) for other in after.results) for one in wanted)
    worse = any(
        _well(one) and not any(_same(one, other) and _well(other) for other in after.results) for one in before.results
    )
    return (edited, after) if mended and not worse and len(after.results) == len(before.results) else (None, before)


def applied(text: str, edits: set[Edit]) -> str | None:
    """From the end on; None where two of them overlap."""
    ends = len(text) + 1
    for edit in sorted(edits, key=lambda one: (one.start, one.end, one.text), reverse=True):
        if edit.end > ends or (edit.end == ends and edit.start != edit.end):
            return None
        text = text[: edit.start] + edit.text + text[edit.end :]
        ends = edit.start
    return text


def _same(one: Result, other: Result) -> bool:
    return (one.file, one.tool, one.name) == (other.file, other.tool, other.name)


def _well(one: Result) -> bool:
    return one.outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE)
