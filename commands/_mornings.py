"""What a morning brings to a team: a new message, an edit of the one that it has, a last word, or silence. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from storage.digests import News, Told, Was, Why
from storage.models import Function, Verdict
from storage.news import Change, ChangeKind

# What an audit tells, as a digest has it.
_TOLD = {ChangeKind.REGRESSED: Why.REGRESSED, ChangeKind.RETURNED: Why.RETURNED, ChangeKind.NEW: Why.NEW}
_ENDED = {Was.EXEMPT: Why.EXEMPTION_ENDED, Was.SNOOZED: Why.SNOOZE_ENDED}
_ORDER = {why: number for number, why in enumerate(Why)}


class Morning(StrEnum):
    """What is done about a team's digest."""

    NEW = "new"  # a new message, and the old one gives way to it
    EDIT = "edit"  # the message that lives is drawn again, and nobody is notified
    ZERO = "zero"  # it says that nothing is left, and one new line does
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Look:
    """A team as this morning's audit left it."""

    untraced: int  # snoozed ones included
    awake: int  # of these, those that are not snoozed
    news: int  # of these, those that the team was not told of
    sure: bool = True  # False: of some that were untraced, AWS would not say
    lives: bool = True  # there is a message that can be edited
    changed: bool = True  # it would show something else
    zero_told: bool = False  # it was said that nothing is left
    may_post: bool = True  # by the team's days and frequency
    week_is_due: bool = False
    snoozed: bool = False  # the whole team


def what_to_do(look: Look) -> Morning:
    """A new message is for what is new, for the weekly day and for the end of it all; "no change" is silence."""
    quiet = Morning.EDIT if look.lives and look.changed else Morning.SILENCE
    if not look.may_post or look.snoozed:
        return quiet
    if look.untraced == 0:
        return Morning.ZERO if look.lives and look.sure and not look.zero_told else quiet
    return Morning.NEW if look.awake and (look.news or look.week_is_due) else quiet


@dataclass(frozen=True, slots=True)
class Standing:
    """How a team's functions stand now."""

    untraced: Mapping[str, Function]
    exempt: Collection[str] = ()
    unknown: Collection[str] = ()
    snoozed: Collection[str] = ()  # by a snooze of their own


def standing(functions: Iterable[Function], snoozed: Collection[str]) -> Standing:
    """By verdict, as far as a digest asks."""
    by: dict[Verdict, dict[str, Function]] = {}
    for one in functions:
        by.setdefault(one.verdict, {})[one.arn] = one
    untraced = by.get(Verdict.UNTRACED, {})
    asleep = {arn for arn in untraced if arn in snoozed}
    return Standing(untraced, set(by.get(Verdict.EXEMPT, ())), set(by.get(Verdict.UNKNOWN, ())), asleep)


def news_of(
    now: Standing,
    told: Told | None,
    changes: Iterable[Change],
    undone: Collection[str],
    refuted: Collection[str],
    said: Collection[str] = (),
) -> dict[str, Why]:
    """What the team was not told of and why, by ARN. `undone`: untraced again by somebody's own decision, which is held
    against nobody; `refuted`: fixed here since it was told, and untraced all the same; `said`: told of by a message of
    its own, when it was deployed.
    """
    known = told.known if told else {}
    found: dict[str, Why] = {}
    by_audit = {one.function_arn: _TOLD[one.kind] for one in changes if one.kind in _TOLD}
    for arn in now.untraced:
        ended = known.get(arn) in _ENDED  # since it was told of: that is news of its own
        if arn in now.snoozed or arn in undone or (arn in said and not ended):
            continue
        if arn in by_audit:
            found[arn] = by_audit[arn]
        elif arn in refuted:
            found[arn] = Why.REGRESSED
        elif known.get(arn) not in (Was.UNTRACED, Was.UNKNOWN):
            found[arn] = _why(arn, known, told)
    return found


def _why(arn: str, known: Mapping[str, Was], told: Told | None) -> Why:
    waiting = told.news.get(arn) if told else None  # on a day without a new message it had become news
    return _ENDED.get(known[arn], Why.NEW) if arn in known else waiting.why if waiting else Why.NEW


def known_after(now: Standing, told: Told | None, untold: Collection[str]) -> dict[str, Was]:
    """What the team has been told by now; what is news and waits for a message (`untold`) is left as it was."""
    before = told.known if told else {}
    known = {arn: Was.SNOOZED if arn in now.snoozed else Was.UNTRACED for arn in now.untraced if arn not in untold}
    known |= {arn: before[arn] for arn in untold if arn in before and before[arn] in _ENDED}
    known |= dict.fromkeys(now.exempt, Was.EXEMPT)
    return known | {arn: Was.UNKNOWN for arn in now.unknown if before.get(arn) in (Was.UNTRACED, Was.UNKNOWN)}


def still_news(now: Standing, told: Told | None, fresh: Mapping[str, Why], day: date) -> dict[str, News]:
    """What a message that stays goes on calling news."""
    kept = {arn: one for arn, one in (told.news if told else {}).items() if arn in now.untraced}
    return kept | {arn: News(why, day) for arn, why in fresh.items()}


def place_of_news(why: Why | None) -> int:
    """Regressions first of all, and what is no news last."""
    return _ORDER[why] if why else len(_ORDER)


def order_key(
    function: Function, why: Why | None, *, production: bool, per_day: float | None = None
) -> tuple[int, float, bool, str, str]:
    """News first, regressions before all; then the most invoked; production first where that is not known; by name.

    `per_day`: invocations; None: nobody has asked CloudWatch.
    """
    return (
        place_of_news(why),
        -(per_day or 0.0),
        not production,
        function.name,
        function.arn,
    )
