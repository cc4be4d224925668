"""How a look at settings, Slack and AWS reads: what is wrong line by line, what is well counted."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from commands.views.blocks import Block, context, section
from commands.views.text import CONTEXT_LIMIT, clip, escape, listing, prose
from storage.diagnosis import Diagnosis, Outcome

MARKS = {
    Outcome.OK: ":white_check_mark:",
    Outcome.WARN: ":warning:",
    Outcome.FAIL: ":x:",
    Outcome.UNKNOWN: ":question:",
}
WORST_FIRST = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.WARN, Outcome.OK)
AREAS = (
    *("Settings", "Memory", "Slack", "Channels", "Approvers"),
    *("AWS", "Audit role", "Fix role", "Events", "Bills and prices"),
)
NOT_ASKED = "not asked"
NAMED = 4  # places in a line
LINES = 40  # that are wrong, in one answer; Slack takes 50 blocks
LINE = 700  # characters
_ACCOUNT = re.compile(r"\d{12}")
_ACCOUNT_AND_REGION = re.compile(r"(\d{12}) ([a-z0-9-]+)")
_PERSON, _GROUP = re.compile(r"[UW][A-Z0-9]{2,}"), re.compile(r"S[A-Z0-9]{2,}")
_CHANNEL = re.compile(r"C[A-Z0-9]{2,}")


_UNTOLD = ":question: What could not be asked without changing something or paying for it, or cannot be seen from here"
_WELL = ":white_check_mark: What is well"
_END = "Nothing was changed, posted or received to find this out. `python -m bot doctor --verbose` says all of it."


@dataclass(frozen=True, slots=True)
class Line:
    """One line in plain text."""

    area: str
    outcome: Outcome
    what: str
    where: str  # "accounts 111122223333, 444455556666", "#finops"; "": it is said of no place
    said: str
    mend: str
    asked: bool = True  # False: nobody could have told
    number: int = 1  # of places of which it is said

    @property
    def text(self) -> str:
        return f"{self.where}: {self.said}" if self.where else self.said


def lines(found: Sequence[Diagnosis], *, everything: bool = False) -> list[Line]:
    """Area by area; what is well and of one kind is one line, and so is what is said in the same words of several,
    unless all is wanted."""
    ordered = sorted(found, key=lambda one: AREAS.index(one.area) if one.area in AREAS else len(AREAS))
    if everything:
        return [line for one in ordered for line in _each(one)]
    made: list[Line] = []
    kinds = Counter((one.area, one.kind) for one in ordered if _is_counted(one))
    for one in ordered:
        if not _is_counted(one):
            number = max(1, len(one.places))
            _append(made, Line(one.area, one.outcome, one.what, _where(one), one.said, one.mend, one.asked, number))
        elif many := kinds.pop((one.area, one.kind), 0):
            made.append(Line(one.area, Outcome.OK, f"{many:,} {one.kind}", _where(one), _of_kind(ordered, one), ""))
    return made


def _append(made: list[Line], line: Line) -> None:
    last = made[-1] if made else None
    if last and line.outcome is not Outcome.OK and replace(last, what="") == replace(line, what=""):
        made[-1] = replace(last, what=f"{last.what}, {line.what}")
    else:
        made.append(line)


def _is_counted(one: Diagnosis) -> bool:
    return bool(one.kind) and one.outcome is Outcome.OK


def _of_kind(found: Sequence[Diagnosis], like: Diagnosis) -> str:
    """What is said of all of them."""
    alike = [one for one in found if _is_counted(one) and (one.area, one.kind) == (like.area, like.kind)]
    said = like.said if len({one.said for one in alike}) == 1 else "are there"
    return said if len({one.places for one in alike}) == 1 else f"{said}, but for what is said here"


def _each(one: Diagnosis) -> Iterator[Line]:
    for place in one.places or ("",):
        yield Line(one.area, one.outcome, one.what, place, one.said, one.mend, one.asked)


def _where(one: Diagnosis) -> str:
    """Of which places it is said, in as few words as there are."""
    places = one.places
    regions = [match for place in places if (match := _ACCOUNT_AND_REGION.fullmatch(place))]
    if len(regions) == len(places) > 1:
        return _by_region([(match[1], match[2]) for match in regions])
    if places and all(map(_ACCOUNT.fullmatch, places)):
        if one.outcome is Outcome.OK and len(places) > 1:
            return f"{len(places):,} accounts"
        return f"account{'' if len(places) == 1 else 's'} {listing(places, NAMED)}"
    return listing(places, NAMED)


def _by_region(pairs: Sequence[tuple[str, str]]) -> str:
    """By the regions, or by the one account that has them all."""
    accounts, regions = sorted({account for account, _ in pairs}), sorted({region for _, region in pairs})
    if len(accounts) == 1:
        return f"account {accounts[0]}, {listing(regions, NAMED)}"
    if len(pairs) == len(accounts) * len(regions) and len(regions) > NAMED:
        return f"{len(accounts):,} accounts, {len(regions):,} regions"
    counts = Counter(region for _, region in pairs)
    named = [f"{region} in {number:,} account{'' if number == 1 else 's'}" for region, number in sorted(counts.items())]
    return listing(named, NAMED)


def counts(found: Iterable[Diagnosis]) -> dict[str, int]:
    """How many were looked at, each place for itself; the worst first, and last what nobody could have told."""
    told: Counter[str] = Counter()
    for one in found:
        told[str(one.outcome) if one.asked else NOT_ASKED] += max(1, len(one.places))
    return {name: told[name] for name in (*map(str, WORST_FIRST), NOT_ASKED)}


def summary(found: Sequence[Diagnosis]) -> str:
    """ "2 fail, 1 unknown, 3 warn, 61 ok, 4 not asked"."""
    return ", ".join(f"{number:,} {name}" for name, number in counts(found).items() if number)


# ---- in Slack


def doctor_text(found: Sequence[Diagnosis]) -> str:
    """For notifications and screen readers."""
    wrong = [one for one in lines(found) if one.outcome is Outcome.FAIL]
    first = f" First: {wrong[0].what}: {wrong[0].text}." if wrong else ""
    return escape(clip(f"Is it set up right? {summary(found)}.{first}", 1000))


def doctor_blocks(found: Sequence[Diagnosis]) -> list[Block]:
    """What is wrong, the worst first; then, smaller, what could not be told and what is well."""
    made = lines(found)
    wrong = [one for one in made if one.outcome is not Outcome.OK and one.asked]
    wrong.sort(key=lambda one: WORST_FIRST.index(one.outcome))
    blocks = [section(f"*Is it set up right?*\n{_tally(found)}"), *(section(_in_slack(one)) for one in wrong[:LINES])]
    if len(wrong) > LINES:
        left = len(wrong) - LINES
        blocks.append(context(f"{left:,} more of these are left out here: `python -m bot doctor` has all."))
    untold = [f"{escape(one.what)}: {prose(one.text)}" for one in made if not one.asked]
    well: dict[str, list[str]] = {}
    for one in made:
        if one.outcome is Outcome.OK:
            many = f" ({one.number:,})" if one.number > 1 else ""
            well.setdefault(one.area, []).append(f"{escape(one.what)}{many}")
    names = [f"{escape(area)}: {', '.join(some)}" for area, some in well.items()]
    blocks += [context(_listed(title, some)) for title, some in ((_UNTOLD, untold), (_WELL, names)) if some]
    return [*blocks, context(_END)]


def _listed(title: str, some: Sequence[str]) -> str:
    """As many as a block takes, and how many are left out."""
    told, room = [title], CONTEXT_LIMIT - 100
    for number, one in enumerate(some):
        line = clip(one, LINE)
        room -= len(line) + 1
        if room < len(title):
            return "\n".join((*told, f"and {len(some) - number:,} more"))
        told.append(line)
    return "\n".join(told)


def _tally(found: Sequence[Diagnosis]) -> str:
    told = counts(found)
    marked = [f"{MARKS[one]} {told[one]:,} {one}" for one in WORST_FIRST if told[one]]
    return " · ".join([*marked, *([f"{told[NOT_ASKED]:,} {NOT_ASKED}"] if told[NOT_ASKED] else [])])


def _in_slack(one: Line) -> str:
    where = f"{_mentioned(one.where)}: " if one.where else ""
    head = f"{MARKS[one.outcome]} *{escape(one.area)}: {escape(one.what)}*"
    how = f"\n→ {prose(one.mend)}" if one.mend else ""
    return clip(f"{head} {where}{prose(one.said)}", LINE) + clip(how, LINE)


def _mentioned(where: str) -> str:
    """People, groups and channels by their names; an answer that one person sees tells nobody who is mentioned."""
    return ", ".join(_mention(word) for word in where.split(", "))


def _mention(word: str) -> str:
    if _PERSON.fullmatch(word):
        return f"<@{word}>"
    if _GROUP.fullmatch(word):
        return f"<!subteam^{word}>"
    return f"<#{word}>" if _CHANNEL.fullmatch(word) else escape(word)
