"""How a function looks in Slack: a row of a digest, a card of its own, a line in a list."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from commands.views import blocks, money, news, standing, tools, wording
from commands.views.actions import action_blocks
from commands.views.blocks import Block
from commands.views.history import SHOW
from commands.views.item import Item, reachable
from commands.views.left import left_line, left_words
from commands.views.plan import plan_lines
from commands.views.text import (
    SECTION_LIMIT,
    clip,
    clock_time,
    code,
    day,
    day_and_time,
    mention,
    prose,
    sentence,
)
from storage.fixes import FixRequest, RequestState
from storage.forecasts import Forecast
from storage.models import CheckName, Function, MayWrite, TracingMode, Verdict

# Slack takes about 12,000 characters of text in all blocks of a message, and a digest has twelve rows.
ROW_LIMIT = 500
LEFT_LIMIT = 330  # of these
BLOCKED_SHOWN = 220

# Findings that a row leaves out: what its own words already say, and what only a card has room for. Whether a fix would
# be refused, and whether somebody else traces the function, are for who is about to click.
_SAID = {CheckName.PASSTHROUGH, CheckName.ROLE_DENIED, CheckName.UNOWNED, CheckName.ROLE_UNREADABLE}
_LEFT_OUT = _SAID | {CheckName.STARVED, CheckName.SURFACE_ONLY}


def item_blocks(item: Item) -> list[Block]:
    """A row of a digest: what it is, how it stands, and the buttons that are still of use. One or two blocks."""
    lines = _brief(item) if _is_open(item) else [_place(item), *_status(item)]
    return [blocks.section(_row(item, lines, ROW_LIMIT)), *action_blocks(item, patch=False)]


def request_blocks(item: Item) -> list[Block]:
    """As a row, with the whole plan as long as somebody has to decide on it."""
    plan = _plan(item)
    shown = replace(item, cost_below=bool(plan))
    row = blocks.section(_row(shown, [_place(shown), *_status(shown)], SECTION_LIMIT))
    return [row, *plan, *action_blocks(shown, patch=True)]  # a list has little room for what no tag names


def item_lines(item: Item) -> list[str]:
    """What it is and how it stands."""
    return [_place(item), *_status(item), *filter(None, [left_line(item.request)])]


def _row(item: Item, lines: list[str], room: int) -> str:
    """What was left on AWS is not cut off, whatever else has to be. `room`: characters."""
    left = left_line(item.request)
    if item.request and len(left) > room - ROW_LIMIT + LEFT_LIMIT:
        left = left_words(item.request)  # the card has room for the commands
    said = clip("\n".join(lines), room - len(left) - bool(left))
    return "\n".join(filter(None, [said, left]))


def card_blocks(item: Item, deep: Sequence[Block] = (), history: str = "") -> list[Block]:
    """Everything about one function; `deep`: how far its traces go; `history`: what the button of that name carries."""
    function = item.function
    if function is None:
        return [blocks.section("\n".join(item_lines(item)))]
    made = [
        blocks.section(_place(item)),
        blocks.fields(
            ("Tracing mode", str(function.mode) if function.mode else "none given (counts as PassThrough)"),
            ("Verdict", wording.verdict(function, item.since)),
            ("Execution role", wording.may_write(function, wording.role(function))),
            ("Team", wording.team(function)),
            ("Exemption", wording.exemption(item.exemption) if item.exemption else "none"),
            ("Aliases", wording.aliases(function)),
            ("Deployed by", wording.deployed(function)),
        ),
    ]
    notes = [prose(finding.text) for finding in function.findings]
    if notes:
        made.append(blocks.section(clip("\n".join(f"• {note}" for note in notes), 2000)))
    made += [*deep, *_standing(item), *_beside(item, function)]
    if function.verdict is Verdict.UNTRACED and not reachable(item, function):
        publish = "publish it" if function.managed_instances else "publish a version and move the alias to it"
        made.append(blocks.context(f"A fix of $LATEST changes nothing here: {publish}."))
    if item.patch_only and function.verdict is Verdict.UNTRACED:
        made.append(blocks.context(item.patch_only))
    if function.verdict is not Verdict.NOT_APPLICABLE:
        made += _cost(item)
    actions = action_blocks(item, patch=True)
    if history:
        button = blocks.button("History", SHOW, history, described=f"History of {function.name}")
        actions = actions or [{"type": "actions", "elements": []}]
        actions[0]["elements"].append(button)
    return [*made, *_plan(item), *actions]


def _standing(item: Item) -> list[Block]:
    """Of its request: how it stands or who asked, and what it has left on AWS."""
    said = []
    if item.request and item.request.state is not RequestState.OPEN:
        said.append("\n".join(_status(item)))
    elif item.request:
        said.append(standing.asked_line(item.request, item.two_people))
    return [blocks.section(words) for words in (*said, left_line(item.request)) if words]


def _beside(item: Item, function: Function) -> list[Block]:
    """What is good to know: that it may be exempt, how old all this is, and what has changed."""
    may_be = suggested(item.suggestion) if item.suggestion and function.verdict is Verdict.UNTRACED else ""
    age = sentence(news.age(item.as_of)) if item.as_of else ""
    changed = news.card_line(item.change, function.verdict)
    return [blocks.context(text) for text in (item.not_exempt, may_be, age, changed) if text]


def suggested(why: str) -> str:
    """That it may well be exempt: somebody has to say so."""
    return f"{prose(why)} Perhaps to *Exempt…*"


def line(function: Function, as_of: datetime | None = None, forecast: Forecast | None = None) -> str:
    """One line of a list under a heading that says that tracing is off; `as_of` is given where this audit did not see
    it."""
    findings = " ".join(prose(finding.text) for finding in function.findings if finding.check not in _LEFT_OUT)
    mode = "" if function.mode is TracingMode.PASS_THROUGH else wording.mode(function)
    role = "" if function.role_may_write is not MayWrite.NO else "its role may not write to X-Ray"
    words = f"• {code(function.name)} · {function.account} · {function.region}"
    cost = f"{money.amount(forecast.usd)} to trace" if forecast else ""
    return " · ".join(filter(None, (words, mode, role, cost, findings, news.age(as_of))))


def _place(item: Item) -> str:
    if item.function is None:
        return f"*{code(item.name)}*"
    words = f"*{code(item.name)}*  {item.function.account} · {item.function.region}"
    return f"{words} · {item.told}" if item.told and item.function.verdict is Verdict.UNTRACED else words


def _plan(item: Item) -> list[Block]:
    request = item.request
    if request is None or request.plan is None or not request.waiting:
        return []
    made = [blocks.section("\n".join(plan_lines(request.plan, item.undo_hours)))]
    forecast = request.plan.forecast
    how = [blocks.context(money.how(forecast))] if forecast and not request.plan.blocked else []
    return [*made, *how, blocks.context(f"The plan, read from AWS {day_and_time(request.plan.made_at)}")]


def _cost(item: Item) -> list[Block]:
    """Where no plan says it."""
    request = item.request
    if request and request.plan and request.waiting and not request.plan.blocked:
        return []
    said = [f"*Cost:* {money.plan_line(item.forecast, item.no_forecast)}", money.busy_line(item.forecast)]
    made = [blocks.section("\n".join(filter(None, said)))]
    return [*made, blocks.context(money.how(item.forecast))] if item.forecast else made


def _is_open(item: Item) -> bool:
    return item.request is None or item.request.state is RequestState.OPEN


def _status(item: Item) -> list[str]:
    request, function = item.request, item.function
    if request is None or request.state is RequestState.OPEN:
        return [] if function is None else [" · ".join(_facts(item, function)), *_open(item, function)]
    by = mention(request.approved_by)
    match request.state:
        case RequestState.RUNNING:
            return [f"*Turning on…* {prose(request.step) or 'asking AWS'} · approved by {by}"]
        case RequestState.APPLIED:
            return _applied(item, request, by)
        case RequestState.FAILED:
            when = clock_time(request.finished_at) if request.finished_at else ""
            asked = standing.asked_line(request, item.two_people)
            return [*filter(None, [asked]), f"*Not fixed* ({when}, approved by {by}): {prose(request.outcome)}"]
        case RequestState.RESOLVED if item.exemption:
            return [wording.exemption(item.exemption)]
        case RequestState.RESOLVED if item.not_exempt:
            return [item.not_exempt]
        case _:
            return [standing.ended_line(request)]


def _applied(item: Item, request: FixRequest, by: str) -> list[str]:
    at = clock_time(request.finished_at) if request.finished_at else "now"
    note = f" {prose(sentence(request.note))}" if request.note else ""
    if item.function and item.function.verdict is Verdict.UNTRACED:
        undone = news.row_line(item.change, item.function.verdict)
        if undone and item.function.mode is not TracingMode.ACTIVE:
            return [undone]
        return [f"$LATEST is Active since {at}, approved by {by}, and this is not enough.{note}"]
    not_undone = [f"*Not undone*: {prose(request.outcome)}"] if request.outcome else []
    return [f"*Active since {at}*, approved by {by} :white_check_mark:{note}", *not_undone]


def _brief(item: Item) -> list[str]:
    """What an open row says, as short as a phone wants it: what its heading says of all of them is left out, and so is
    the role's name, which the dialog of *Approve fix* has."""
    function = item.function
    if function is None:
        return [_place(item)]
    since = item.told or (f"first seen {day(item.since)}" if item.since else "")
    facts = [function.account, function.region]
    facts += [] if function.mode is TracingMode.PASS_THROUGH else [wording.mode(function)]
    facts += [] if function.role_may_write is MayWrite.YES else [wording.may_write(function, "its role")]
    name = " · ".join(filter(None, [f"*{code(item.name)}*", since]))
    return [name, " · ".join([*facts, *_more_facts(item, function)]), *_blocked(item), *_open(item, function)]


def _blocked(item: Item) -> list[str]:
    """Why there is no *Approve fix*, once a plan has said so."""
    plan = item.request.plan if item.request else None
    return [f"*Cannot be approved:* {prose(clip(plan.blocked, BLOCKED_SHOWN))}"] if plan and plan.blocked else []


def _facts(item: Item, function: Function) -> list[str]:
    mode = wording.mode(function)
    facts = [mode[:1].upper() + mode[1:], wording.may_write(function, f"role {wording.role(function)}")]
    if item.since and not item.told:  # a row that says since when it is news has its date
        facts.append(f"first seen {day(item.since)}")
    return [*facts, *_more_facts(item, function)]


def _more_facts(item: Item, function: Function) -> list[str]:
    facts = []
    if function.managed_by:
        facts.append(f"deployed by {tools.NAMES[function.managed_by]}")
    owner = wording.owner(function)
    facts += [owner] if owner else []
    if item.as_of:
        facts.append(news.age(item.as_of))
    if item.forecast is None and not item.cost_below:
        facts.append(f"cost {money.NOT_KNOWN}")
    return facts


def _open(item: Item, function: Function) -> list[str]:
    lines = []
    if item.forecast and not item.cost_below:
        lines.append(money.row_line(item.forecast, old=item.forecast_is_old))
    asked = standing.asked_line(item.request, item.two_people) if item.request else ""
    lines += [asked] if asked else []
    changed = news.row_line(item.change, function.verdict)
    lines += [changed] if changed else []
    lines += [
        prose(finding.text)
        for finding in function.findings
        if finding.check not in _LEFT_OUT and finding.text != item.suggestion
    ]
    lines += [suggested(item.suggestion)] if item.suggestion else []
    lines += [item.not_exempt] if item.not_exempt else []
    if not reachable(item, function):
        lines.append("Needs a deployment, not a fix of its configuration.")
    lines += [item.patch_only] if item.patch_only else []
    return lines
