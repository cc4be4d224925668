"""`/trace-exempt`, *Exempt…* and *Exempt some…*: functions may stay untraced, for a reason and until a date."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from commands import _exempting, _find, _refused, _requests
from commands._answers import UNKNOWN_BUTTON, no_longer_exists, nothing_to_do
from commands._exempt_form import CHANGED, Drawn, Found, Typed, check, find_covered, not_as_shown, target_problem
from commands._exempted import matches
from commands._suggest import suggestion
from commands._types import Answer, Context, OpenForm, Request, Say
from commands.exemption_list import show_list
from commands.revoke import revoke
from commands.views import exempt as views
from commands.views.exempt import Covered, ExemptForm
from commands.views.form import result_view
from commands.views.living import who
from commands.views.text import code
from storage.exemptions import Wish
from storage.fixes import FixRequest, RequestState
from storage.models import ExemptScope, Function, PostKind, Verdict


def exempt(request: Request, context: Context) -> Answer:
    """Answer `/trace-exempt <function>` with the form, and `list` and `revoke` with what they ask for."""
    word, _, rest = request.text.strip().partition(" ")
    if word.lower() == "list":
        yield show_list(context, rest.strip())
        return
    if word.lower() == "revoke":
        yield from revoke(replace(request, text=rest.strip()), context)
        return
    function = _find.one(context.store, _find.Wanted.read(request.text), "/trace-exempt")
    yield function if isinstance(function, Say) else _open(request, context, function)


def open_form(request: Request, context: Context) -> Answer:
    """Answer the *Exempt…* button with the form."""
    asked = context.store.requests.find(request.value)
    if asked is None:
        yield Say(UNKNOWN_BUTTON)
        return
    function = context.store.functions.get(asked.function_arn)
    yield Say(no_longer_exists(asked.function_name)) if function is None else _open(request, context, function)


def open_some(request: Request, context: Context) -> Answer:
    """Answer *Exempt some…* with the form for several of a team's functions."""
    asked = context.store.requests.find(request.value)
    if asked is None:
        yield Say(UNKNOWN_BUTTON)
        return
    clicked = context.store.posts.at(request.channel, request.message)
    if clicked and clicked.kind is PostKind.DIGEST:
        asked = _of_team(context, asked, clicked.team)
        if asked is None:
            yield Say(f"No function of {who(clicked.team)} is untraced any more.")
            return
    permission = _requests.may_decide(request, context, asked)
    if not permission.allowed:
        _refused.keep(request, context, _refused.of_request(asked), permission.why)
        yield Say(permission.why)
        return
    yield OpenForm(_drawn(request, context, asked, Typed(ExemptScope.NAME)))


def look_again(request: Request, context: Context) -> Answer:
    """What is to be exempt was changed in the form: draw what that covers now."""
    asked, typed = context.store.requests.find(Drawn.read(request.value).request), Typed.read(request.fields)
    if asked is None:
        yield OpenForm(result_view(views.TITLE, UNKNOWN_BUTTON))
        return
    permission = _requests.may_decide(request, context, asked)
    if not permission.allowed:
        _refused.keep(request, context, _refused.of_request(asked), permission.why)
        yield OpenForm(result_view(views.TITLE, permission.why))
        return
    problem = target_problem(typed) if typed.target else ""
    yield OpenForm(_drawn(request, context, asked, typed, problem))


def grant(request: Request, context: Context) -> Answer:
    """Record the exemption that the form asks for."""
    wrong = check(request.fields, context.clock(), context.zone)
    if wrong:
        yield Say(f"Nothing was changed: {' '.join(wrong.values())}")
        return
    drawn, typed = Drawn.read(request.value), Typed.read(request.fields)
    asked = context.store.requests.find(drawn.request)
    function = context.store.functions.get(asked.function_arn) if asked else None
    if asked is None or (function is None and typed.scope is ExemptScope.FUNCTION):
        yield Say(no_longer_exists(asked.function_name) if asked else UNKNOWN_BUTTON)
        return
    team = function.team if function else asked.team
    permission = context.people.may_approve(request.user, request.workspace, team)
    if not permission.allowed:
        _refused.keep(request, context, _refused.of_request(asked), permission.why)
        yield Say(f"Nothing was changed: {permission.why}")
        return
    note = _exempting.too_long(context, date.fromisoformat(typed.until))
    found = Found() if typed.scope is ExemptScope.FUNCTION else find_covered(request, context, team, typed)
    if not note and typed.scope is not ExemptScope.FUNCTION:
        note = not_as_shown(drawn, typed, found)
    if note:
        yield OpenForm(_drawn(request, context, asked, typed, note))
        return
    with context.store.transaction():
        changed = _requests.went(context, asked, team) or _not_as_found(context, typed, found)
        said = None if changed else _keep(request, context, asked, team, typed, found, permission.why)
    if said is None:
        yield (
            Say(changed)
            if typed.scope is ExemptScope.FUNCTION
            else OpenForm(_drawn(request, context, asked, typed, CHANGED))
        )
        return
    yield said  # only now that it is kept, and with nothing held while Slack is told


def _of_team(context: Context, asked: FixRequest, team: str | None) -> FixRequest | None:
    """A request of that team's: what a digest's menu carries may be another team's by now."""
    store, function = context.store, context.store.functions.get(asked.function_arn)
    if function and function.team == team:
        return asked
    untraced = store.functions.of_team(team, Verdict.UNTRACED)
    return store.requests.open_for(untraced[0], context.clock()) if untraced else None


def _open(request: Request, context: Context, function: Function) -> OpenForm | Say:
    """From memory alone: Slack wants the form within three seconds."""
    permission = context.people.may_approve(request.user, request.workspace, function.team)
    if not permission.allowed:
        _refused.keep(request, context, _refused.of_function(context, function), permission.why)
        return Say(permission.why)
    needless = nothing_to_do(context, function)
    if needless:
        return Say(needless)
    asked = context.store.requests.open_for(function, context.clock())
    return OpenForm(_drawn(request, context, asked, Typed(reason=suggestion(function))))


def _drawn(request: Request, context: Context, asked: FixRequest, typed: Typed, note: str = "") -> dict[str, object]:
    function = context.store.functions.get(asked.function_arn)
    team, is_rule = function.team if function else asked.team, typed.scope is not ExemptScope.FUNCTION
    looked = is_rule and not target_problem(typed)
    found = find_covered(request, context, team, typed) if looked else Found()
    may_all = is_rule and context.people.may_approve(request.user, request.workspace, None).allowed
    covered = found.functions if is_rule else [function] if function else []
    return views.exempt_form(
        ExemptForm(
            metadata=Drawn(asked.id, found.seen).write(),
            function=function,
            team=team,
            until=_chosen_day(context, typed.until),
            latest=_exempting.latest_day(context),
            scope=typed.scope,
            target=typed.target,
            everywhere=typed.everywhere if may_all else None,
            later=typed.later,
            reason=typed.reason,
            ticket=typed.ticket,
            covered=Covered([one.name for one in found.functions], found.others) if looked else None,
            suggestion=suggestion(function) if function and not is_rule else "",
            two_people=_two_people(context, team, covered, typed),
            note=note,
        )
    )


def _chosen_day(context: Context, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return _exempting.today(context) + timedelta(days=context.policy.exemption_days)


def _two_people(context: Context, team: str | None, functions: Sequence[Function], typed: Typed) -> str:
    if not functions or not context.policy.exemption_needs_two_people(functions, later=typed.later):
        return ""
    return f"This takes two people: another approver of {team or 'functions of no known team'} has to confirm it."


def _keep(
    request: Request,
    context: Context,
    asked: FixRequest,
    team: str | None,
    typed: Typed,
    found: Found,
    allowed_by: str,
) -> Say:
    """Looks at the functions once more, now that nothing else can change what is remembered of them."""
    one_function = typed.scope is ExemptScope.FUNCTION
    if one_function and (refusal := _refusal(context, asked.function_arn)):
        return Say(refusal)
    arns = [asked.function_arn] if one_function else [one.arn for one in found.functions]
    functions = _exempting.usable(context, arns)
    if not functions and not typed.later:
        return Say("Nothing was changed: all that matched is being fixed, or is traced by now.")
    teams = sorted({team, *(one.team for one in functions)}, key=str)
    wish = Wish(
        reason=typed.reason,
        until=_exempting.end_of(date.fromisoformat(typed.until), context.zone),
        team=team,
        teams=tuple(teams),
        function_arn=asked.function_arn if one_function else "",
        scope=typed.scope,
        target=typed.target,
        later=typed.later and not one_function,
        ticket=typed.ticket,
    )
    made = _exempting.grant(request, context, wish, functions, allowed_by)
    return made if isinstance(made, Say) else Say(_exempting.granted_text(made, functions))


def _not_as_found(context: Context, typed: Typed, found: Found) -> str:
    """Whether another team's, or no match, was made of one of them while Slack was asked who may approve."""
    now = [context.store.functions.get(one.arn) for one in found.functions]
    same = all(
        one and one.team == before.team and matches(typed.scope, typed.target, one)
        for one, before in zip(now, found.functions, strict=True)
    )
    return "" if same else CHANGED


def _refusal(context: Context, arn: str) -> str:
    """Why this one function cannot be exempted; empty where it can."""
    function, live = context.store.functions.get(arn), context.store.requests.live(arn)
    if function is None:
        return no_longer_exists(arn.rsplit(":", 1)[-1])
    if live and live.state is RequestState.RUNNING:
        return f"Nothing was changed: {code(function.name)} is being fixed right now."
    needless = nothing_to_do(context, function)
    return f"Nothing was changed. {needless}" if needless else ""
