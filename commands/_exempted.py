"""Which functions exemptions cover, as AWS shows them now: who matches a rule, who has left it, who needs none.

What a rule by tag covers is decided here, where tags are read: a function whose tags could not be read is not covered.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from commands import _decide
from commands._context import Context
from storage.exempted import Member
from storage.exemptions import GONE
from storage.models import THE_CLOCK, DecisionKind, Exemption, ExemptScope, ExemptState, Function, TeamFrom, Verdict
from storage.tag_marks import mark

_NEEDLESS = {
    Verdict.TRACED: "It is traced now, and needs no exemption.",
    Verdict.NOT_APPLICABLE: "X-Ray does not apply to it, so that it needs no exemption.",
    None: "The function no longer exists.",
}
EMPTY = "No function that it covered needs it any more."


def exempted(context: Context, judged: Iterable[Function], *, seen: bool = True) -> list[Function]:
    """With what exemptions make of them. `seen`: AWS has just shown them; else they are as they are remembered."""
    functions, now = list(judged), context.clock()
    exemptions = context.store.exemptions
    rules = exemptions.rules(now) if seen else []
    may_join = _by_team(functions) if any(rule.later for rule in rules) else {}
    for rule in rules:
        _hold_against(context, rule, functions, may_join, now)
    exempt = exemptions.in_force(now)
    if not exempt:
        return functions
    return [
        one.judged(Verdict.EXEMPT, one.findings) if one.verdict is Verdict.UNTRACED and one.arn in exempt else one
        for one in functions
    ]


def matches(scope: ExemptScope, target: str, function: Function) -> bool:
    """Whether a rule names it; whose it is, is another question."""
    if scope is ExemptScope.NAME:
        return fnmatchcase(function.name, target)
    return scope is ExemptScope.TAG and mark(target) in function.tag_marks


def end_overtaken(context: Context) -> None:
    """End the exemptions of functions that need none any more; a rule stays for the others."""
    store, now = context.store, context.clock()
    for member, verdict in store.exempted.overtaken():
        exemption, why = store.exemptions.get(member.exemption_id), _NEEDLESS[verdict]
        if not store.exempted.leave(exemption.id, member.arn, GONE if verdict is None else why, now):
            continue
        record_end(context, exemption, member.arn, why, after="gone" if verdict is None else str(verdict))
        end_if_empty(context, exemption)


def record_end(context: Context, exemption: Exemption, arn: str, why: str, after: str = "") -> None:
    """What the clock or an audit found out, for one function or ("") for the rule. `after`: its verdict, if known."""
    _decide.record(
        context,
        DecisionKind.EXEMPTION_ENDED,
        arn,
        actor=THE_CLOCK,
        request_id=exemption.token,
        before=str(Verdict.EXEMPT) if arn else "",
        after=after,
        reason=why,
        until=exemption.expires_at,
        detail={"exemption": exemption.id},
        team=exemption.team,
    )


def end_if_empty(context: Context, exemption: Exemption) -> None:
    """One that covers nothing, and will not."""
    store = context.store
    if exemption.later or store.exempted.of(exemption.id):
        return
    ended = store.exemptions.finish(
        exemption.id, ExemptState.GRANTED, ExemptState.ENDED, THE_CLOCK, context.clock(), EMPTY
    )
    if ended and exemption.by_rule:
        record_end(context, exemption, "", EMPTY)
    redraw(context, exemption)


def redraw(context: Context, exemption: Exemption) -> None:
    """The messages that show it say how it stands."""
    for post in context.store.exemptions.posts_of(exemption.id):
        context.store.posts.redraw(post)


def _by_team(functions: Iterable[Function]) -> Mapping[str | None, Sequence[Function]]:
    """Those that a rule may come to cover; sorted once, since there may be many rules."""
    found: dict[str | None, list[Function]] = {}
    for one in functions:
        if one.verdict is Verdict.UNTRACED and _owner_known(one):
            found.setdefault(one.team, []).append(one)
    return found


def _hold_against(
    context: Context,
    rule: Exemption,
    functions: Sequence[Function],
    may_join: Mapping[str | None, Sequence[Function]],
    now: datetime,
) -> None:
    members = {one.arn: one for one in context.store.exempted.ever_of(rule.id)}
    if rule.scope is ExemptScope.TAG:
        _hold_tags(context, rule, members, functions)
    if not rule.later:
        return
    for team in rule.teams:
        for one in may_join.get(team, ()):
            if one.arn not in members and matches(rule.scope, rule.target, one) and _may_admit(context, rule, one):
                _admit(context, rule, one, now)


def _may_admit(context: Context, rule: Exemption, function: Function) -> bool:
    """What takes two people by now is not covered by the word of one, who spoke when policy asked for no more."""
    return bool(rule.asked_by) or not context.policy.exemption_needs_two_people([function])


def _owner_known(function: Function) -> bool:
    """Whether every tag was read that may name its team."""
    return function.team_known and function.team_from is not TeamFrom.UNKNOWN


def _admit(context: Context, rule: Exemption, function: Function, now: datetime) -> None:
    if context.store.exempted.add(rule.id, function.arn, now):
        _decide.record(
            context,
            DecisionKind.EXEMPTED,
            function.arn,
            actor=THE_CLOCK,
            request_id=rule.token,
            before=str(function.verdict),
            after=str(Verdict.EXEMPT),
            reason=rule.reason,
            until=rule.expires_at,
            detail={
                "exemption": rule.id,
                "matched_later": rule.target,
                "granted_by": rule.granted_by,
                "allowed_by": f"exemption {rule.id}, of later functions too: {rule.scope} {rule.target}",
            },
        )


def _hold_tags(context: Context, rule: Exemption, members: Mapping[str, Member], functions: Sequence[Function]) -> None:
    """Who bears the tag no more leaves; of whom nobody knows, stays and is not covered."""
    store, wanted = context.store, mark(rule.target)
    known: dict[bool, list[str]] = {True: [], False: []}
    for one in functions:
        member = members.get(one.arn)
        if member is None or member.ended_at:
            continue
        if one.team_known and wanted not in one.tag_marks:
            why = f"It no longer bears the tag `{rule.target}`."
            if store.exempted.leave(rule.id, one.arn, why, context.clock()):
                record_end(context, rule, one.arn, why)
        elif member.covers is not one.team_known:
            known[one.team_known].append(one.arn)
    for covers, arns in known.items():
        store.exempted.known(rule.id, arns, covers)
    end_if_empty(context, rule)
