"""The part of an evidence report that is about people: who could decide, who did, who was refused, what others did."""

from datetime import datetime
from zoneinfo import ZoneInfo

from commands.views.evidence_page import Line, Part, Room
from commands.views.evidence_words import cut, people, readable, some, spans, team_word
from commands.views.text import count
from storage.approvers import ApprovalRules, KeptRules
from storage.evidence import Act, Outside
from storage.proof import COLUMNS, Evidence, Person


class Deeds:
    def __init__(self, made: Evidence, room: Room) -> None:
        self.made, self.room, self.zone = made, room, ZoneInfo(made.range.zone)

    # ---- who could, and who did

    def could(self) -> Part:
        then = self.made.approvers
        if then.recorded_since is None:
            return Part(
                "Who could approve", (Line("Not recorded: the bot keeps it from its next start on.", "", True),)
            )
        lines = []
        if then.broken:
            lines.append(Line(f"BROKEN: {then.broken}.", "Record", attend=True))
        if then.at_start is None:
            lines.append(Line(f"not recorded before {self.day(then.recorded_since)}", "At the start", attend=True))
        else:
            lines += self._rules("At the start", then.at_start)
        most = self.room.gaps
        for kept, before in list(zip(then.changes, [then.at_start, *then.changes], strict=False))[:most]:
            lines.append(Line(self._change(before.rules if before else None, kept.rules), self.moment(kept.since)))
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
        rules, most = kept.rules, self.room.ids
        own = [name for name in rules.teams if rules.people(name) != rules.for_all()]
        said = [f"all teams: {some(sorted(rules.for_all()), most) or 'nobody'}"]
        named = 1 if self.room.narrow else 2
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
        made, most = self.made, self.room.people
        titles = ("person", "fixes", "exempt", "undo", "deny/end", "other", "own ask", "not listed")
        rows = [_person(one) for one in made.people[:most]]
        after = []
        if len(made.people) > most:
            others = made.people[most:]
            numbers = sum(sum(one.counts.values()) for one in others)
            after.append(Line(f"… and {people(len(others))} more with {count(numbers, 'decision')}"))
        if made.by_policy:
            after.append(Line(f"{made.by_policy:,} more fixes were approved by the policy itself (grace period)"))
        told = self.made.fixes
        after.append(
            Line(
                f"{told.get('applied', 0):,} applied, {told.get('failed', 0):,} failed, "
                f"{told.get('undone', 0):,} undone, {told.get('undo_failed', 0):,} undo failed",
                "Fixes",
            )
        )
        selves, alone = len(made.self_approved), made.without_another - len(made.self_approved)
        after.append(
            Line(
                f"of the fixes that people approved, {selves:,} had been asked for by the same person, and {alone:,} "
                f"by nobody; {made.second_person:,} exemptions were confirmed by a second person",
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
        acts, most = self.made.refused, self.room.refused
        rows = tuple((self.moment(act.at), act.actor, self.about(act), self.reason(act.reason)) for act in acts[:most])
        more = (Line(f"… and {len(acts) - most:,} more"),) if len(acts) > most else ()
        none = () if acts else (Line("None. A person's first attempt at each thing is kept."),)
        return Part(
            counted("Refused attempts", len(acts)), none, ("when", "who", "about", "why") if rows else (), rows, more
        )

    def elsewhere(self) -> Part:
        found, most = self.made.outside, self.room.outside
        rows = tuple(self._outside(one) for one in found[:most])
        more = (Line(f"… and {len(found) - most:,} more"),) if len(found) > most else ()
        none = () if found else (Line("None that an audit found."),)
        return Part(
            counted("Tracing changed elsewhere, not through Lamplighter", len(found)),
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
        return self.day(one.at), self.name(one.function_arn), team_word(one.team, 16), what

    # ---- words

    def about(self, act: Act) -> str:
        if act.function_arn:
            return self.name(act.function_arn)
        team = act.detail.get("team") or act.team
        for key in ("exemption", "batch", "notice", "assignment", "snooze"):
            if key in act.detail:
                return f"{key} {act.detail[key]}"
        return team_word(str(team), 22) if team else cut(act.request_id, 18)

    def name(self, arn: str) -> str:
        return cut(arn.rsplit(":", 1)[-1], 26)

    def reason(self, text: str) -> str:
        return cut(readable(text), self.room.reason)

    def moment(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def day(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%Y-%m-%d}"


def counted(title: str, number: int) -> str:
    return f"{title} ({number:,})" if number else title


def _person(one: Person) -> tuple[str, ...]:
    numbers = [one.counts.get(column, 0) for column in COLUMNS]
    return (one.who, *(f"{number:,}" if number else "–" for number in (*numbers, one.self_approved, one.not_recorded)))
