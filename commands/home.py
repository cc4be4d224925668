"""App Home: made anew for the one who opens it, and after each of their clicks there."""

import json
import math
from collections.abc import Iterator

from commands import _at_home, _drawing
from commands._changes import last_known
from commands._types import Answer, Context, Progress, PublishHome, Request, Run
from commands.views import home as view
from commands.views.blocks import Block
from commands.views.text import channel, code, count
from storage.fixes import FixRequest
from storage.models import Audit, Coverage, Verdict

OPENED = "app_home_opened"
TREND_DAYS = 30
MOST_PAGES = 10_000


def opened(request: Request, context: Context) -> Answer:
    """Answer the event that somebody opens the page: it begins with their own teams."""
    yield PublishHome(_drawn(request, context, page=1, everything=False))


def turned(turn: str) -> Run:
    """Answer one of the buttons that turn the page's pages or change whose functions it shows."""

    def turn_to(request: Request, context: Context) -> Answer:
        page, everything = _place(request)
        match turn:
            case view.PREVIOUS:
                page -= 1
            case view.NEXT:
                page += 1
            case view.ALL_TEAMS:
                page, everything = 1, True
            case view.MY_TEAMS:
                page, everything = 1, False
        yield PublishHome(_drawn(request, context, page=page, everything=everything))

    return turn_to


def kept_up(run: Run) -> Run:
    """A command that was asked for on the page: the page shows its effect, when it begins and when it has ended.

    One that draws the page itself, as turning it does, has the last word.
    """

    def run_and_show(request: Request, context: Context) -> Answer:
        begun = drawn = False
        for reply in run(request, context):
            yield reply
            drawn = isinstance(reply, PublishHome)
            if isinstance(reply, Progress) and not begun:
                begun = True
                yield _again(request, context)
        if not drawn:
            yield _again(request, context)

    return run_and_show


def _again(request: Request, context: Context) -> PublishHome:
    page, everything = _place(request)
    return PublishHome(_drawn(request, context, page=page, everything=everything))


def _place(request: Request) -> tuple[int, bool]:
    """Which page the person was looking at; Slack brings back what it was told when the page was drawn."""
    try:
        page, everything = json.loads(request.page)
        return max(1, min(MOST_PAGES, int(page))), bool(everything)
    except (ValueError, TypeError, OverflowError):
        return 1, False


def _drawn(request: Request, context: Context, *, page: int, everything: bool) -> Block:
    store, audit = context.store, context.store.audits.latest()
    if audit is None:
        return view.home_view(view.Home(None, steps=_steps(context, None, {})))
    own = context.people.teams_of(request.user, context.teams.groups)
    chosen = own if own and not everything else None
    teams = store.overview.coverage(chosen, audit.started_at)
    untraced = store.overview.count(chosen, Verdict.UNTRACED)
    pages = max(1, math.ceil(untraced / view.PAGE))
    page = max(1, min(page, pages))
    waiting = _for_approval(request, context)
    shown = [_drawing.item(context, one) for one in waiting[: view.MOST_WAITING]]
    above = {item.request.function_arn for item in shown if item.request}
    functions = store.overview.page(chosen, Verdict.UNTRACED, (page - 1) * view.PAGE, view.PAGE)
    for function in functions:
        store.requests.open_for(function, context.clock())
    return view.home_view(
        view.Home(
            audit,
            teams=sorted(teams.items(), key=lambda pair: (-pair[1].untraced, pair[0] or "~")),
            mine=chosen is not None,
            has_own=bool(own),
            trend=store.overview.trend(chosen, TREND_DAYS),
            waiting=shown,
            waiting_in_all=len(waiting),
            to_confirm=_at_home.for_confirmation(request, context),
            ending=_at_home.ending(context, chosen),
            quiet=_at_home.quiet(context, chosen),
            rows=[_drawing.item_of(context, one) for one in functions if one.arn not in above],
            untraced=untraced,
            page=page,
            pages=pages,
            steps=_steps(context, audit, teams),
            tip=_at_home.tip(request, context, teams, functions),
            kept=[one for one in last_known(context, audit) if chosen is None or one.function.team in chosen],
        ),
        json.dumps([page, everything]),
    )


def _for_approval(request: Request, context: Context) -> list[FixRequest]:
    """What waits for this person; each team's rule is asked for once."""
    may: dict[str | None, bool] = {}
    found = []
    for asked in context.store.requests.awaited(context.clock()):
        function = context.store.functions.get(asked.function_arn)
        team = function.team if function else asked.team
        if team not in may:
            may[team] = context.people.may_approve(request.user, request.workspace, team).allowed
        own = function is not None and asked.asked_by == request.user and context.policy.needs_two_people(function)
        if may[team] and not own:
            found.append(asked)
    return found


def _steps(context: Context, audit: Audit | None, teams: dict[str | None, Coverage]) -> list[view.Step]:
    """What a new workspace does once; what cannot be told from here is not claimed to be done."""
    return list(_each_step(context, audit, teams))


def _each_step(context: Context, audit: Audit | None, teams: dict[str | None, Coverage]) -> Iterator[view.Step]:
    yield view.Step("Look at AWS: the daily audit does, and `/trace-audit` does now.", audit is not None)
    named = any(context.people.approvers(team) for team in [None, *teams])
    yield view.Step("Name who may approve fixes: `[policy] approvers` in lamplighter.toml.", named)
    fallback = channel(context.teams.fallback_channel)
    posted = context.store.posts.any_sent()
    yield view.Step(
        f"Invite me to each team's channel and to {fallback}, where all goes that has no other place: `/invite`", posted
    )
    if audit is not None:
        orphans = teams.get(None, Coverage())
        number = sum((orphans.traced, orphans.untraced, orphans.exempt, orphans.unknown))
        keys = " or ".join(code(key) for key in context.teams.tag_keys)
        tag = f"Tag {count(number, 'function')} that no team owns yet: {keys} in AWS."
        yield view.Step(tag if number else f"Tag functions with their team: {keys} in AWS.", not number)
