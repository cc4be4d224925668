"""An evidence report on one page: what it says, and how much of it has room.

People are Slack's ids, as they are kept. Whatever has no room is counted, and stands in the JSON form and the export.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from commands.views import evidence_html as html
from commands.views import evidence_text as text
from commands.views.evidence_page import CONTROLS, PAPER, SCREEN, SUPPORTS, Line, Page, Part, Room
from commands.views.evidence_words import (
    cut,
    measured_words,
    people,
    percent,
    plain,
    readable,
    some,
    spans,
    team_word,
)
from commands.views.text import count
from storage.approvers import ApprovalRules, KeptRules
from storage.evidence import Act, ExceptionThen, Outside
from storage.models import THE_CLOCK, Coverage
from storage.proof import COLUMNS, Evidence, Person, Team, Unseen

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


class _Words:
    def __init__(self, made: Evidence, room: Room) -> None:
        self._made, self._room, self._zone = made, room, ZoneInfo(made.range.zone)

    # ---- above

    def facts(self) -> Iterable[Line]:
        made = self._made
        ids = some(made.accounts, self._room.ids)
        yield Line(f"{len(made.accounts)} ({ids})" if made.accounts else "none", "AWS accounts seen")
        at = f"{made.made_at.astimezone(self._zone):%Y-%m-%d %H:%M}"
        yield Line(f"{at} by Lamplighter {made.version}, from {plain(made.database)}", "Made")
        head = f"{made.head.number}:{made.head.hash}" if made.head else "no decision yet"
        yield Line(head, "Chain's head")
        if made.broken:
            yield Line(f"BROKEN: {made.broken}. Rows from there on prove nothing.", "Chain", attend=True)
        else:
            first = f"; of this range {made.first} to {made.last}" if made.first else "; none of this range"
            yield Line(f"all {made.rows:,} decisions follow from each other{first}", "Chain")

    # ---- who could, and who did

    def could(self) -> Part:
        then = self._made.approvers
        if then.recorded_since is None:
            return Part(
                "Who could approve", (Line("Not recorded: the bot keeps it from its next start on.", "", True),)
            )
        lines = []
        if then.broken:
            lines.append(Line(f"BROKEN: {then.broken}.", "Record", attend=True))
        if then.at_start is None:
            lines.append(Line(f"not recorded before {self._day(then.recorded_since)}", "At the start", attend=True))
        else:
            lines += self._rules("At the start", then.at_start)
        most = self._room.gaps
        for kept, before in list(zip(then.changes, [then.at_start, *then.changes], strict=False))[:most]:
            lines.append(Line(self._change(before.rules if before else None, kept.rules), self._moment(kept.since)))
        if len(then.changes) > most:
            lines.append(Line(f"… and {count(len(then.changes) - most, 'more change')}"))
        if then.at_end is not None and then.changes:
            lines += self._rules("At the end", then.at_end)
        elif then.at_end is not None:
            lines.append(Line("the same", "At the end"))
        if then.not_looked:
            lines.append(Line(f"nobody looked on {spans(then.not_looked, 3)} (UTC)", "Gap", attend=True))
        return Part("Who could approve", tuple(lines))

    def _rules(self, when: str, kept: KeptRules) -> list[Line]:
        rules, most = kept.rules, self._room.ids
        own = [name for name in rules.teams if rules.people(name) != rules.for_all()]
        said = [f"all teams: {some(sorted(rules.for_all()), most) or 'nobody'}"]
        named = 1 if self._room.narrow else 2
        for name in own[:named]:
            said.append(f"{cut(name, 24)}: {some(sorted(rules.people(name)), 4) or 'nobody'}")
        if len(own) > named:
            said.append(f"{count(len(own) - named, 'more team')} with their own")
        if rules.unread:
            said.append(f"group {', '.join(rules.unread[:3])}: Slack would not say")
        if rules.grace_days:
            teams = "all teams" if rules.grace_teams is None else count(len(rules.grace_teams), "team")
            said.append(f"policy itself after {count(rules.grace_days, 'day')} ({teams})")
        said.append(f"two people: fixes {rules.two_people}, exemptions {rules.exemption_two_people}")
        return [Line("; ".join(said), when)]

    @staticmethod
    def _change(before: ApprovalRules | None, after: ApprovalRules) -> str:
        if before is None:
            return f"first recorded: {people(len(after.everybody()))}"
        come, gone = after.everybody() - before.everybody(), before.everybody() - after.everybody()
        said = [f"+ {one}" for one in sorted(come)] + [f"− {one}" for one in sorted(gone)]
        if not said:
            return "rules changed, the same people"
        return ", ".join(said[:4]) + (f" and {len(said) - 4} more" if len(said) > 4 else "")

    def did(self) -> Part:
        made, most = self._made, self._room.people
        titles = ("person", "fixes", "exempt", "undo", "deny/end", "other", "own ask", "not listed")
        rows = [_person(one) for one in made.people[:most]]
        after = []
        if len(made.people) > most:
            others = made.people[most:]
            numbers = sum(sum(one.counts.values()) for one in others)
            after.append(Line(f"… and {people(len(others))} more with {count(numbers, 'decision')}"))
        if made.by_policy:
            after.append(Line(f"{made.by_policy:,} more fixes were approved by the policy itself (grace period)"))
        told = self._made.fixes
        after.append(
            Line(
                f"{told.get('applied', 0):,} applied, {told.get('failed', 0):,} failed, "
                f"{told.get('undone', 0):,} undone, {told.get('undo_failed', 0):,} undo failed",
                "Fixes",
            )
        )
        selves = len(made.self_approved)
        after.append(
            Line(
                f"{selves:,} fixes asked for and approved by one person; {made.without_another:,} approved that nobody "
                f"else had asked for (these included); {made.second_person:,} exemptions confirmed by a second person",
                "Separation of duties",
                attend=bool(selves),
            )
        )
        strangers = sum(one.not_recorded for one in made.people)
        if strangers:
            said = f"{strangers:,} by people whom the record of that day does not name: look at each"
            after.append(Line(said, "Not listed", attend=True))
        lines = () if made.people else (Line("Nobody decided anything."),)
        return Part("Who decided", lines, titles if rows else (), tuple(rows), tuple(after))

    def refused(self) -> Part:
        acts, most = self._made.refused, self._room.refused
        rows = tuple(
            (self._moment(act.at), act.actor, self._about(act), self._reason(act.reason)) for act in acts[:most]
        )
        more = (Line(f"… and {len(acts) - most:,} more"),) if len(acts) > most else ()
        none = () if acts else (Line("None. A person's first attempt at each thing is kept."),)
        return Part(
            _counted("Refused attempts", len(acts)), none, ("when", "who", "about", "why") if rows else (), rows, more
        )

    def elsewhere(self) -> Part:
        found, most = self._made.outside, self._room.outside
        rows = tuple(self._outside(one) for one in found[:most])
        more = (Line(f"… and {len(found) - most:,} more"),) if len(found) > most else ()
        none = () if found else (Line("None that an audit found."),)
        return Part(
            _counted("Tracing changed elsewhere, not through Lamplighter", len(found)),
            none,
            ("found", "function", "team", "what") if rows else (),
            rows,
            more,
        )

    def _outside(self, one: Outside) -> tuple[str, ...]:
        if one.kind == "fixed":
            what = "came to be traced"
        else:
            what = f"untraced again; {one.fixed_by} had fixed it" if one.fixed_by else "untraced again"
        return self._day(one.at), self._name(one.function_arn), team_word(one.team, 16), what

    # ---- coverage

    def coverage(self) -> Part:
        made = self._made
        whose = "production functions" if made.production_only else "all functions"
        lines = [
            Line(measured_words(made.start, self._zone), "Start"),
            Line(measured_words(made.end, self._zone), "End"),
            Line(measured_words(made.lowest, self._zone), "Lowest day"),
        ]
        most = self._room.teams
        rows = tuple(_team_row(one) for one in made.teams[:most])
        after: tuple[Line, ...] = ()
        if len(made.teams) > most:
            rest = Coverage.sum(one.end for one in made.teams[most:])
            after = (Line(f"… and {len(made.teams) - most:,} more teams, better covered: {percent(rest)} together"),)
        columns = ("team", "start", "end", "untraced", "exempt", "unknown")
        return Part(f"Coverage of {whose}", tuple(lines), columns if rows else (), rows, after)

    def gaps(self) -> Part:
        made, lines = self._made, []
        begins = made.history_since
        if begins and begins > made.range.start:
            lines.append(Line(f"nothing is known before {self._day(begins)}, the first audit", "History", attend=True))
        if made.no_audit:
            days = f"{count(len(made.no_audit), 'day')}: {spans(made.no_audit, 4)}"
            lines.append(Line(days, "No audit ended on", attend=True))
        else:
            lines.append(Line(f"none; {count(made.audits, 'audit')} of everything", "Days without an audit"))
        for one in made.unseen[: self._room.gaps]:
            lines.append(Line(self._unseen(one), f"Not seen: {one.account}", attend=True))
        if len(made.unseen) > self._room.gaps:
            lines.append(Line(f"… and {len(made.unseen) - self._room.gaps:,} more accounts", attend=True))
        if not made.unseen:
            lines.append(Line("none", "Accounts not fully seen"))
        return Part("Gaps", tuple(lines))

    def _unseen(self, one: Unseen) -> str:
        where = f" in {one.places:,} regions" if one.places > 1 else ""
        return f"{count(len(one.days), 'day')}{where}: {spans(one.days, 2)}. {self._reason(one.reason)}"

    # ---- exceptions and controls

    def exceptions(self) -> Part:
        found, most = self._made.exceptions, self._room.exceptions
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
        if self._room.narrow:
            columns = ("no.", "what", "by", "until", "at the end", "reason")
        none = () if found else (Line("None."),)
        return Part(_counted("Exceptions in force", len(found)), none, columns if rows else (), rows, more)

    def _exception(self, one: ExceptionThen) -> tuple[str, ...]:
        what = self._name(one.function_arn) if one.function_arn else f"{cut(one.target, 22)} ({one.functions:,})"
        asked, confirmed = (one.asked_by, one.granted_by) if one.asked_by else (one.granted_by, "–")
        if one.ended_at is None:
            stands = "in force" if one.until > self._made.range.end else "over"
        else:
            who = f" by {one.ended_by}" if one.ended_by and one.ended_by != THE_CLOCK else ""
            stands = f"{'revoked' if one.ended_how == 'revoked' else 'ended'} {self._day(one.ended_at)}{who}"
        number, until, why = str(one.number), self._day(one.until), self._reason(f"{one.reason} {one.ticket}")
        if self._room.narrow:
            both = f"{asked} + {one.granted_by}" if one.asked_by else asked
            return number, what, both, until, cut(stands, 18), why
        return number, what, team_word(one.team, 16), self._day(one.granted_at), asked, confirmed, until, stands, why

    def controls(self) -> Part:
        if self._room.narrow:
            pci, hipaa = (
                ", ".join(name.removeprefix(law).strip() for name, *_ in CONTROLS if name.startswith(law))
                for law in ("PCI DSS", "HIPAA")
            )
            return Part("Controls", (Line(f"PCI DSS v4.0.1: {pci}. HIPAA, 45 CFR: {hipaa}. {SUPPORTS}"),))
        columns = ("PCI DSS v4.0.1; HIPAA: 45 CFR", "about", "see")
        return Part("Controls", (Line(SUPPORTS),), columns, CONTROLS)

    # ---- words

    def _about(self, act: Act) -> str:
        if act.function_arn:
            return self._name(act.function_arn)
        team = act.detail.get("team") or act.team
        for key in ("exemption", "batch", "notice", "assignment", "snooze"):
            if key in act.detail:
                return f"{key} {act.detail[key]}"
        return team_word(str(team), 22) if team else cut(act.request_id, 18)

    def _name(self, arn: str) -> str:
        return cut(arn.rsplit(":", 1)[-1], 26)

    def _reason(self, text: str) -> str:
        return cut(readable(text), self._room.reason)

    def _moment(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M}"

    def _day(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%Y-%m-%d}"


def _whose(made: Evidence) -> str:
    return f"team {cut(made.team, 40)}" if made.team else "all teams"


def _counted(title: str, number: int) -> str:
    return f"{title} ({number:,})" if number else title


def _person(one: Person) -> tuple[str, ...]:
    numbers = [one.counts.get(column, 0) for column in COLUMNS]
    return (one.who, *(f"{number:,}" if number else "–" for number in (*numbers, one.self_approved, one.not_recorded)))


def _team_row(one: Team) -> tuple[str, ...]:
    counts = (one.end.untraced, one.end.exempt, one.end.unknown)
    return (team_word(one.name, 24), percent(one.start), percent(one.end), *(f"{n:,}" if n else "–" for n in counts))
