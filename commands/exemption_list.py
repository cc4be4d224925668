"""`/trace-exempt list` and its *Previous* and *Next*: the exemptions in force, the first to end before the others."""

import re
from collections.abc import Sequence

from commands import _exempting, _find
from commands._types import Answer, Context, Replace, Request, Say
from commands.views import exemptions as views
from commands.views.exemptions import ROWS
from commands.views.text import clip, code
from storage.models import Exemption, ExemptState

UNOWNED = "unowned"


def show_list(context: Context, text: str) -> Say:
    """What `/trace-exempt list [team]` answers: the first page, or the one that was typed behind the team."""
    typed = re.fullmatch(r"(.*?)(?:\s+(\d{1,6}))?", text.strip())
    words, number = (typed[1].strip(), int(typed[2] or 1)) if typed else (text, 1)
    if words.isdigit():
        words, number = "", int(words)
    if not words:
        return _page(context, "", number)
    wanted = _find.Wanted.read(words)
    if words.lower() == UNOWNED:
        return _page(context, UNOWNED, number)
    team = _find.team(context, wanted) or _known(context, context.teams.named(words))
    if team is None:
        name = code(clip(words, _find.ECHO))
        return Say(f"There is no team {name}. `/trace-exempt list` lists the exemptions of all.")
    return _page(context, team, number)


def turn(request: Request, context: Context) -> Answer:
    """Answer *Previous* and *Next*, which carry the page that they lead to, and whose it is."""
    number, _, team = request.value.partition(" ")
    said = _page(context, team, int(number) if number.isdigit() else 1)
    yield Replace(said.text, said.blocks)


def _page(context: Context, whose: str, number: int) -> Say:
    team, everybody = (None if whose == UNOWNED else whose), not whose
    granted, waiting = context.store.exemptions.granted(context.clock()), context.store.exemptions.waiting()
    if not everybody:
        granted, waiting = (_exempting.of_teams(context, them, {team}) for them in (granted, waiting))
    pages = max(1, -(-len(granted) // ROWS))
    page = min(max(1, number), pages)
    shown = granted[(page - 1) * ROWS : page * ROWS]
    head = views.list_text(team, len(granted), everybody)
    made = views.list_blocks(
        head, _rows(context, shown), page=page, pages=pages, waiting=_still(context, waiting), value=whose
    )
    return Say(head, tuple(made))


def _rows(context: Context, shown: Sequence[Exemption]) -> list[str]:
    counts = context.store.exempted.counts()
    return [views.row(one, counts.get(one.id, 0)) for one in shown]


def _still(context: Context, waiting: Sequence[Exemption]) -> int:
    now = context.clock()
    return sum(one.state is ExemptState.ASKED and one.ask_until is not None and one.ask_until > now for one in waiting)


def _known(context: Context, team: str) -> str | None:
    """A team that has no function left, and an exemption still."""
    known = {each for one in context.store.exemptions.granted(context.clock()) for each in one.teams}
    return team if team in known else None
