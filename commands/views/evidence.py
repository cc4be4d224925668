"""An evidence report on one page: what it says, and how much of it has room.

People are Slack's ids, as they are kept. Whatever has no room is counted, and stands in the JSON form and the export.
"""

from collections.abc import Callable, Iterable, Sequence

from commands.views import evidence_html as html
from commands.views import evidence_text as text
from commands.views.evidence_deeds import Deeds, counted
from commands.views.evidence_page import CONTROLS, PAPER, SCREEN, SUPPORTS, Line, Page, Part, Room
from commands.views.evidence_words import (
    cut,
    measured_words,
    percent,
    plain,
    some,
    spans,
    team_word,
)
from commands.views.text import count
from storage.evidence import ExceptionThen
from storage.models import THE_CLOCK, Coverage
from storage.proof import Evidence, Team, Unseen

WHOLE = "Whatever has no room here stands in the JSON form and in the export of decisions."
TRACES = "X-Ray keeps traces for 30 days: this is evidence of decisions and of coverage, and holds no traces."
IDS = "People are Slack user ids (U…, W…), groups S…; names are not kept."
COLUMNS_SAID = (
    "Own ask: fixes that the same person had asked for. Not listed: decisions for which the record of that day does "
    "not name the person."
)


def as_html(made: Evidence) -> str:
    """One page of A4 or Letter, however much there is to tell."""
    return html.html_page(fitting(made, PAPER, html.height, html.LINES))


def as_text(made: Evidence) -> str:
    """One screen."""
    return text.text_page(fitting(made, SCREEN, text.height, text.LINES))


def fitting(made: Evidence, rooms: Sequence[Room], size: Callable[[Page], float], most: float) -> Page:
    """With as much as there is room for. `size` of a page, in the lines of which it may have `most`."""
    pages = [page(made, room) for room in rooms]
    return next((one for one in pages if size(one) <= most), pages[-1])


def page(made: Evidence, room: Room) -> Page:
    words = _Words(made, room)
    return Page(
        title="Evidence of X-Ray tracing on AWS Lambda",
        subtitle=f"{made.range.since} to {made.range.until} · {_whose(made)} · all days and times in {made.range.zone}",
        facts=tuple(words.facts()),
        left=(words.could(), words.did(), words.refused(), words.elsewhere()),
        right=(words.coverage(), words.gaps()),
        below=(words.exceptions(), words.controls()),
        notes=(TRACES, IDS, *(() if room.narrow else (COLUMNS_SAID,)), WHOLE),
    )


def summary(made: Evidence) -> str:
    """In a sentence, for a message that brings the file, and for screen readers."""
    chain = f"the chain of decisions is BROKEN ({made.broken})" if made.broken else "the chain of decisions holds"
    start, end = (percent(one.coverage if one else None) for one in (made.start, made.end))
    applied = made.fixes.get("applied", 0)
    return (
        f"Evidence of {_whose(made)}, {made.range.since} to {made.range.until} ({made.range.zone}): "
        f"coverage {start} → {end}; {applied:,} {'fix' if applied == 1 else 'fixes'}; "
        f"{count(len(made.exceptions), 'exception')} in force; {count(len(made.refused), 'refused attempt')}; {chain}."
    )


class _Words(Deeds):
    # ---- above

    def facts(self) -> Iterable[Line]:
        made = self.made
        ids = some(made.accounts, self.room.ids)
        yield Line(f"{len(made.accounts)} ({ids})" if made.accounts else "none", "AWS accounts seen")
        at = f"{made.made_at.astimezone(self.zone):%Y-%m-%d %H:%M}"
        yield Line(f"{at} by Lamplighter {made.version}, from {plain(made.database)}", "Made")
        head = f"{made.head.number}:{made.head.hash}" if made.head else "no decision yet"
        yield Line(head, "Chain's head")
        if made.broken:
            yield Line(f"BROKEN: {made.broken}. Rows from there on prove nothing.", "Chain", attend=True)
        else:
            first = f"; of this range {made.first} to {made.last}" if made.first else "; none of this range"
            yield Line(f"all {made.rows:,} decisions follow from each other{first}", "Chain")
        if made.strange:
            yield Line(f"{made.strange:,} rows of this range cannot be read, and are not counted", "Rows", attend=True)

    # ---- coverage

    def coverage(self) -> Part:
        made = self.made
        whose = "production functions" if made.production_only else "all functions"
        lines = [
            Line(measured_words(made.start, self.zone), "Start"),
            Line(measured_words(made.end, self.zone), "End"),
            Line(measured_words(made.lowest, self.zone), "Lowest day"),
        ]
        most = self.room.teams
        rows = tuple(_team_row(one) for one in made.teams[:most])
        after: tuple[Line, ...] = ()
        if len(made.teams) > most:
            rest = Coverage.sum(one.end for one in made.teams[most:])
            after = (Line(f"… and {len(made.teams) - most:,} more teams, better covered: {percent(rest)} together"),)
        columns = ("team", "start", "end", "untraced", "exempt", "unknown")
        return Part(f"Coverage of {whose}", tuple(lines), columns if rows else (), rows, after)

    def gaps(self) -> Part:
        made, lines = self.made, []
        begins = made.history_since
        if begins and begins > made.range.start:
            lines.append(Line(f"nothing is known before {self.day(begins)}, the first audit", "History", attend=True))
        if made.no_audit:
            days = f"{count(len(made.no_audit), 'day')}: {spans(made.no_audit, 4)}"
            lines.append(Line(days, "No audit ended on", attend=True))
        else:
            lines.append(Line(f"none; {count(made.audits, 'audit')} of everything", "Days without an audit"))
        for one in made.unseen[: self.room.gaps]:
            lines.append(Line(self._unseen(one), f"Not seen: {one.account}", attend=True))
        if len(made.unseen) > self.room.gaps:
            lines.append(Line(f"… and {len(made.unseen) - self.room.gaps:,} more accounts", attend=True))
        if not made.unseen:
            lines.append(Line("none", "Accounts not fully seen"))
        return Part("Gaps", tuple(lines))

    def _unseen(self, one: Unseen) -> str:
        where = f" in {one.places:,} regions" if one.places > 1 else ""
        return f"{count(len(one.days), 'day')}{where}: {spans(one.days, 2)}. {self.reason(one.reason)}"

    # ---- exceptions and controls

    def exceptions(self) -> Part:
        found, most = self.made.exceptions, self.room.exceptions
        rows: tuple[tuple[str, ...], ...] = tuple(self._exception(one) for one in found[:most])
        more = (Line(f"… and {len(found) - most:,} more"),) if len(found) > most else ()
        columns: tuple[str, ...] = (
            "no.",
            "what",
            "team",
            "granted",
            "by",
            "confirmed by",
            "until",
            "at the end",
            "reason",
        )
        if self.room.narrow:
            columns = ("no.", "what", "by", "until", "at the end", "reason")
        none = () if found else (Line("None."),)
        return Part(counted("Exceptions in force", len(found)), none, columns if rows else (), rows, more)

    def _exception(self, one: ExceptionThen) -> tuple[str, ...]:
        what = self.name(one.function_arn) if one.function_arn else f"{cut(one.target, 22)} ({one.functions:,})"
        asked, confirmed = (one.asked_by, one.granted_by) if one.asked_by else (one.granted_by, "–")
        if one.ended_at is None:
            stands = "in force" if one.until > self.made.range.end else "over"
        else:
            who = f" by {one.ended_by}" if one.ended_by and one.ended_by != THE_CLOCK else ""
            stands = f"{'revoked' if one.ended_how == 'revoked' else 'ended'} {self.day(one.ended_at)}{who}"
        number, until, why = str(one.number), self.day(one.until), self.reason(f"{one.reason} {one.ticket}")
        if self.room.narrow:
            both = f"{asked} + {one.granted_by}" if one.asked_by else asked
            return number, what, both, until, cut(stands, 18), why
        return number, what, team_word(one.team, 16), self.day(one.granted_at), asked, confirmed, until, stands, why

    def controls(self) -> Part:
        if self.room.narrow:
            pci, hipaa = (
                ", ".join(name.removeprefix(law).strip() for name, *_ in CONTROLS if name.startswith(law))
                for law in ("PCI DSS", "HIPAA")
            )
            return Part("Controls", (Line(f"PCI DSS v4.0.1: {pci}. HIPAA, 45 CFR: {hipaa}. {SUPPORTS}"),))
        columns = ("PCI DSS v4.0.1; HIPAA: 45 CFR", "about", "see")
        return Part("Controls", (Line(SUPPORTS),), columns, CONTROLS)


def _whose(made: Evidence) -> str:
    return f"team {cut(made.team, 40)}" if made.team else "all teams"


def _team_row(one: Team) -> tuple[str, ...]:
    counts = (one.end.untraced, one.end.exempt, one.end.unknown)
    return (team_word(one.name, 24), percent(one.start), percent(one.end), *(f"{n:,}" if n else "–" for n in counts))
