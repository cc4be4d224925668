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
    """All edits are tried together first, and by halves where not all of them hold."""
    wanted = [one for one in checked.results if one.outcome is Outcome.FAIL and one.edits]
    texts, after = _halved(named, {}, wanted, checked)
    for path, text in texts.items():
        files.write(path, text)
    well = {_key(one) for one in after.results if _well(one)}
    return Fixed(after, tuple(texts), sum(_key(one) in well for one in wanted))


def _halved(
    named: Sequence[Path], texts: dict[Path, str], wanted: Sequence[Result], before: Checked
) -> tuple[dict[Path, str], Checked]:
    found = {_key(one): one for one in before.results}
    again = [now for one in wanted if (now := found.get(_key(one))) and now.outcome is Outcome.FAIL and now.edits]
    if not again:
        return texts, before
    more, after = _tried(named, texts, again, before)
    if more is not None:
        return more, after
    if len(again) == 1:
        return texts, before
    half = len(again) // 2
    texts, before = _halved(named, texts, again[:half], before)
    return _halved(named, texts, again[half:], before)


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
    well = {_key(one) for one in after.results if _well(one)}
    mended = all(_key(one) in well for one in wanted)
    kept = all(_key(one) in well for one in before.results if _well(one))
    return (edited, after) if mended and kept and len(after.results) == len(before.results) else (None, before)


def applied(text: str, edits: set[Edit]) -> str | None:
    """From the end on; None where two of them overlap."""
    ends = len(text) + 1
    for edit in sorted(edits, key=lambda one: (one.start, one.end, one.text), reverse=True):
        if edit.end > ends or (edit.end == ends and edit.start != edit.end):
            return None
        text = text[: edit.start] + edit.text + text[edit.end :]
        ends = edit.start
    return text


def _key(one: Result) -> tuple[Path, str, str]:
    return one.file, one.tool, one.name


def _well(one: Result) -> bool:
    return one.outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE)
