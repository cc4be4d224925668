"""How a look at settings, Slack and AWS reads: what is wrong line by line, what is well counted."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from commands.views.blocks import Block, context, section
from commands.views.text import clip, escape, listing, prose
from storage.diagnosis import Diagnosis, Outcome

MARKS = {
    Outcome.OK: ":white_check_mark:",
    Outcome.WARN: ":warning:",
    Outcome.FAIL: ":x:",
    Outcome.UNKNOWN: ":grey_question:",
}
WORST_FIRST = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.WARN, Outcome.OK)
NAMED = 4  # places in a line
LINES = 40  # that are wrong, in one answer; Slack takes 50 blocks
LINE = 700  # characters
_ACCOUNT = re.compile(r"\d{12}")
_ACCOUNT_AND_REGION = re.compile(r"(\d{12}) ([a-z0-9-]+)")
_PERSON, _GROUP = re.compile(r"[UW][A-Z0-9]{2,}"), re.compile(r"S[A-Z0-9]{2,}")


@dataclass(frozen=True, slots=True)
class Line:
    """One line in plain text."""

    area: str
    outcome: Outcome
    what: str
    said: str
    mend: str


def lines(found: Sequence[Diagnosis], *, everything: bool = False) -> list[Line]:
    """In the order in which it was looked at; what is well and of one kind is one line, unless all is wanted."""
    made: list[Line] = []
    kinds = Counter((one.area, one.kind) for one in found if _is_counted(one))
    for one in found:
        if everything or not _is_counted(one):
            made += _each(one) if everything else [_line(one)]
        elif number := kinds.pop((one.area, one.kind), 0):
            made.append(Line(one.area, Outcome.OK, f"{number:,} {one.kind}", _of_kind(found, one), ""))
    return made


def _is_counted(one: Diagnosis) -> bool:
    return bool(one.kind) and one.outcome is Outcome.OK


def _of_kind(found: Sequence[Diagnosis], like: Diagnosis) -> str:
    """What is said of all of them; and where."""
    alike = [one for one in found if _is_counted(one) and (one.area, one.kind) == (like.area, like.kind)]
    said = like.said if len({one.said for one in alike}) == 1 else "are there"
    return f"{said}{_where(like)}"


def _line(one: Diagnosis) -> Line:
    return Line(one.area, one.outcome, one.what, f"{one.said}{_where(one)}", one.mend)


def _each(one: Diagnosis) -> Iterator[Line]:
    for place in one.places or ("",):
        yield Line(one.area, one.outcome, f"{one.what} {place}".strip(), one.said, one.mend)


def _where(one: Diagnosis) -> str:
    """Of which places it is said, in as few words as there are."""
    places = one.places
    if not places:
        return ""
    regions = [match for place in places if (match := _ACCOUNT_AND_REGION.fullmatch(place))]
    if len(regions) == len(places) > NAMED:
        return f": {_by_region([(match[1], match[2]) for match in regions])}"
    if all(map(_ACCOUNT.fullmatch, places)):
        named = one.outcome is not Outcome.OK and len(places) <= NAMED
        return (
            f" in account {places[0]}"
            if len(places) == 1
            else (f" in accounts {', '.join(places)}" if named else f" in {len(places):,} accounts{_as(one)}")
        )
    return f": {listing(places, NAMED)}"


def _as(one: Diagnosis) -> str:
    return "" if one.outcome is Outcome.OK else f", as in {', '.join(one.places[:2])}"


def _by_region(pairs: Sequence[tuple[str, str]]) -> str:
    counts = Counter(region for _, region in pairs)
    named = [f"{region} in {number:,} account{'' if number == 1 else 's'}" for region, number in sorted(counts.items())]
    return listing(named, NAMED)


def counts(found: Iterable[Diagnosis]) -> dict[Outcome, int]:
    """How many were looked at, each place for itself; the worst first."""
    told: Counter[Outcome] = Counter()
    for one in found:
        told[one.outcome] += max(1, len(one.places))
    return {outcome: told[outcome] for outcome in WORST_FIRST}


def summary(found: Sequence[Diagnosis]) -> str:
    """ "2 fail, 1 unknown, 3 warn, 61 ok"."""
    return ", ".join(f"{number:,} {outcome}" for outcome, number in counts(found).items() if number)


# ---- in Slack


def doctor_text(found: Sequence[Diagnosis]) -> str:
    """For notifications and screen readers."""
    wrong = [one for one in lines(found) if one.outcome is Outcome.FAIL]
    first = f" First: {wrong[0].what}: {wrong[0].said}." if wrong else ""
    return escape(clip(f"Is it set up right? {summary(found)}.{first}", 1000))


def doctor_blocks(found: Sequence[Diagnosis]) -> list[Block]:
    made = lines(found)
    wrong = sorted(
        (one for one in made if one.outcome is not Outcome.OK), key=lambda one: WORST_FIRST.index(one.outcome)
    )
    blocks = [section(f"*Is it set up right?*\n{_tally(found)}")]
    blocks += [section(_in_slack(one)) for one in wrong[:LINES]]
    if len(wrong) > LINES:
        left = len(wrong) - LINES
        blocks.append(context(f"{left:,} more of these are left out here: `python -m bot doctor` has all."))
    well: dict[str, list[str]] = {}
    for one in made:
        if one.outcome is Outcome.OK:
            well.setdefault(one.area, []).append(escape(one.what))
    told = "\n".join(f"{escape(area)}: {', '.join(names)}" for area, names in well.items())
    if told:
        blocks.append(context(f":white_check_mark: What is well\n{told}"))
    blocks.append(
        context("Nothing was changed, posted or received to find this out. `python -m bot doctor --verbose` says all.")
    )
    return blocks


def _tally(found: Sequence[Diagnosis]) -> str:
    return " · ".join(f"{MARKS[outcome]} {number:,} {outcome}" for outcome, number in counts(found).items() if number)


def _in_slack(one: Line) -> str:
    said = _with_mentions(prose(one.said))
    how = f"\n→ {prose(one.mend)}" if one.mend else ""
    return clip(f"{MARKS[one.outcome]} *{escape(one.area)}: {escape(one.what)}* {said}", LINE) + clip(how, LINE)


def _with_mentions(text: str) -> str:
    """People and groups by their names; who is mentioned in an answer that one person sees is told of nothing."""
    head, mark, tail = text.rpartition(": ")
    words = tail.split(", ")
    if not mark or not any(_PERSON.fullmatch(word) or _GROUP.fullmatch(word) for word in words):
        return text
    shown = [
        f"<@{word}>" if _PERSON.fullmatch(word) else (f"<!subteam^{word}>" if _GROUP.fullmatch(word) else word)
        for word in words
    ]
    return f"{head}{mark}{', '.join(shown)}"
