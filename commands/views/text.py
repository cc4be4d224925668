"""Words in Slack's mrkdwn: the one place that escapes, cuts and formats."""

import re
from collections.abc import Sequence
from datetime import date, datetime

from storage.models import THE_POLICY, Coverage, NotScanned

SECTION_LIMIT = 3000
HEADER_LIMIT = 150
CONTEXT_LIMIT = 2000
# Marks that turn the direction of what follows: with them a name can be shown as another.
HIDDEN = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069\x00-\x08\x0e-\x1f\x7f]")
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]+")
ZERO_WIDTH_SPACE = "\u200b"
# What Slack would read as style or an emoji: a mark at a word's edge, a colon before an emoji's name.
STYLE_MARK = re.compile(r"[*~`]|(?<!\w)_|_(?!\w)|(?<!\w):(?=[a-z+][a-z0-9_+'-]*:)")


def escape(text: str) -> str:
    """Text that people or AWS wrote, shown as it was written: no mention, link, emoji or style comes of it."""
    return _escaped(" ".join(text.split()))


def _escaped(text: str) -> str:
    # A zero-width space takes a mark its meaning and leaves it readable.
    return STYLE_MARK.sub("\\g<0>" + ZERO_WIDTH_SPACE, entities(HIDDEN.sub("", text)))


def code(text: str) -> str:
    """A name in a code span."""
    inner = HIDDEN.sub("", " ".join(text.split())).replace("`", "'")
    return f"`{entities(inner)}`"


def prose(text: str) -> str:
    """A sentence of AWS's or of ours in which names stand in backticks: those stay code, all else is escaped."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)  # an odd backtick: none of them can be trusted
    shown = [code(part) if number % 2 and part.strip() else _escaped(part) for number, part in enumerate(parts)]
    return " ".join("".join(shown).split())


def sentence(text: str) -> str:
    """With a capital and a full stop; what was cut ends with its ellipsis."""
    said = f"{text[:1].upper()}{text[1:].rstrip('.')}"
    return said if not said or said.endswith("…") else f"{said}."


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, an ellipsis for what was left out; never half an escape sequence or mention."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    for opening, closing in (("&", ";"), ("<", ">")):
        start = cut.rfind(opening)
        if start > cut.rfind(closing) and start > limit - 120:
            cut = cut[:start]
    if cut.count("`") % 2:
        cut = cut[: cut.rfind("`")]
    return cut + "…"


def channel(reference: str) -> str:
    """A channel as the settings or a tag name it: a link for an id, the name for a name."""
    return f"<#{reference}>" if _CHANNEL_ID.fullmatch(reference) else escape(reference)


def entities(text: str) -> str:
    """The three characters that Slack reads as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mention(user: str) -> str:
    """Of a person; where nobody clicked, what approved."""
    if user == THE_POLICY:
        return "lamplighter.toml `[policy.grace]`"
    return f"<@{user}>" if user[:1] in ("U", "W") else user


def clock_time(time: datetime) -> str:
    """In each reader's own zone; the UTC time where Slack cannot say."""
    return f"<!date^{int(time.timestamp())}^{{time}}|{time:%H:%M} UTC>"


def day_and_time(time: datetime) -> str:
    return f"<!date^{int(time.timestamp())}^{{date_short_pretty}} at {{time}}|{plain_day(time)} {time:%H:%M} UTC>"


def day(time: datetime) -> str:
    return f"<!date^{int(time.timestamp())}^{{date_short}}|{plain_day(time)}>"


def plain_day(day: date) -> str:
    """As Slack writes its `{date_short}`, for days that are no moment, and where it makes nothing of its own marks."""
    return f"{plain_day_of_year(day)}, {day.year}"


def plain_day_of_year(day: date) -> str:
    """The same where its year goes without saying."""
    return f"{day:%b} {day.day}"


def count(number: int, noun: str) -> str:
    """ "1 function", "2 functions"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listing(names: Sequence[str], most: int = 5) -> str:
    """ "a, b and 3 more"."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most:,} more"


def coverage_line(coverage: Coverage) -> str:
    """Counts in words: exempt always, and what is counted apart where there is any."""
    whole = coverage.traced + coverage.untraced + coverage.exempt
    share = "nothing that can be traced" if coverage.percent is None else f"{coverage.percent:g}\N{NO-BREAK SPACE}%"
    words = [f"{coverage.traced:,} of {whole:,} traced ({share})", f"{coverage.exempt:,} exempt"]
    if coverage.not_applicable:
        words.append(f"{coverage.not_applicable:,} not applicable")
    if coverage.unknown:
        words.append(f"{coverage.unknown:,} unknown")
    return " · ".join(words)


def not_scanned_line(not_scanned: Sequence[NotScanned]) -> str:
    """What an audit could not see; empty where it saw everything."""
    if not not_scanned:
        return ""
    first = not_scanned[0]
    where = f"{first.account} {first.region}".strip()
    more = f" (and {len(not_scanned) - 1:,} more)" if len(not_scanned) > 1 else ""
    return f"Not fully seen: {escape(where)}: {escape(clip(first.reason, 300))}{more}"
