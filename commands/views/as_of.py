"""What `/trace-audit … on <date>` answers: how it was at the end of a day that is over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.digest import MOST_LINES, sections, team_name
from commands.views.text import (
    clip,
    code,
    count,
    coverage_line,
    day,
    day_and_time,
    escape,
    not_scanned_line,
    plain_day,
    prose,
)
from storage.models import Audit, Coverage
from storage.past import PastVerdict

MOST_ROWS = MOST_LINES + 1  # one more than is shown, to tell whether that is all


@dataclass(frozen=True, slots=True)
class About:
    """What an answer is about, and how well it is known."""

    day: date
    zone: str  # whose clock says when the day ended
    audit: Audit | None  # the newest of everything by then
    not_known: int  # functions of which nobody kept how they were
    recorded: Coverage | None  # where there are such: what that audit counted itself


def refusal(text: str) -> str:
    return prose(text)


def everything_text(about: About, teams: Mapping[str | None, Coverage]) -> str:
    return f"Tracing coverage on {plain_day(about.day)}: {coverage_line(Coverage.sum(teams.values()))}{_unsure(about)}"


def everything_blocks(
    about: About, teams: Mapping[str | None, Coverage], production: Mapping[str | None, Coverage] | None
) -> list[Block]:
    """A line for each team, the one with most untraced functions first."""
    made = [blocks.header(f"Tracing coverage on {plain_day(about.day)}")]
    made.append(blocks.section(f"*{coverage_line(Coverage.sum(teams.values()))}*"))
    if production is not None:
        made.append(blocks.context(_in_production(Coverage.sum(production.values()))))
    made += _notes(about)
    if about.recorded:
        made.append(blocks.context(f"That audit counted: {coverage_line(about.recorded)}."))
    ranked = sorted(teams.items(), key=lambda pair: (-pair[1].untraced, pair[0] or "~"))
    lines = [
        f"*{escape(clip(team_name(team), 200))}*: {counts.untraced:,} untraced · {coverage_line(counts)}"
        for team, counts in ranked
    ]
    return made + sections(lines, "teams")


def team_text(about: About, team: str | None, counts: Coverage) -> str:
    whose = escape(clip(team_name(team), 200))
    return f"{whose} on {plain_day(about.day)}: {counts.untraced:,} untraced, {coverage_line(counts)}{_unsure(about)}"


def team_blocks(
    about: About, team: str | None, counts: Coverage, production: Coverage | None, dark: Sequence[PastVerdict]
) -> list[Block]:
    """`dark` are its untraced functions, up to MOST_ROWS of them."""
    made = [
        blocks.header(f"{count(counts.untraced, 'Lambda function')} without active tracing on {plain_day(about.day)}")
    ]
    whose = f"Team *{escape(clip(team, 200))}*" if team else "No team"
    made.append(blocks.context(f"{whose} · {coverage_line(counts)}"))
    if production is not None:
        made.append(blocks.context(_in_production(production)))
    made += _notes(about)
    lines = [_line(one) for one in dark]
    return made + sections(lines + [""] * (counts.untraced - len(lines)), "functions")


def functions_text(about: About, found: Sequence[PastVerdict]) -> str:
    said = f"{code(clip(found[0].name, 200))} on {plain_day(about.day)}: {_verdict(found[0])}"
    return f"{said} in {found[0].account} {found[0].region}, and {len(found) - 1:,} more" if found[1:] else said


def functions_blocks(about: About, found: Sequence[PastVerdict]) -> list[Block]:
    """All that bore the name."""
    made = [blocks.header(f"How it was on {plain_day(about.day)}")]
    return made + sections([_line(one, whole=True) for one in found], "functions") + _notes(about)


def _line(one: PastVerdict, *, whole: bool = False) -> str:
    words = [f"{code(one.name)} {one.account} {one.region}"]
    if whole:
        words += [f"*{_verdict(one)}*", f"team {code(clip(one.team, 200))}" if one.team else "no known team"]
    words.append(f"so from {day(one.since)}" + (f" until {day(one.until)}" if one.until else ", and still"))
    return " · ".join(words)


def _verdict(one: PastVerdict) -> str:
    return "not known, for nobody kept it" if one.verdict is None else str(one.verdict).replace("_", " ")


def _in_production(counts: Coverage) -> str:
    return f"In production, as the settings of now and the tags of then say: {coverage_line(counts)}"


def _unsure(about: About) -> str:
    """Behind a coverage, where a text has to stand alone."""
    return f"; of {count(about.not_known, 'more function')} nobody kept how they were" if about.not_known else ""


def _notes(about: About) -> list[Block]:
    lines = [
        f"As known at the end of {plain_day(about.day)} ({about.zone}); what could not be seen counts as last known."
    ]
    if about.audit is None:
        lines.append("No audit of everything was taken by then.")
    else:
        lines[0] += f" The newest audit of everything began {day_and_time(about.audit.started_at)}."
        lines.append(not_scanned_line(about.audit.not_scanned))
    if about.not_known:
        lines.append(
            f"Of {count(about.not_known, 'more function')} nobody kept how they were: "
            "verdicts of past days are kept only since Lamplighter was updated."
        )
    return [blocks.context(line) for line in lines if line]
