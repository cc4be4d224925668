"""Who owns a function that no tag gives to a team: whom somebody here assigned it to, until AWS says otherwise.

What an audit could not ask this time, or one look at one function does not ask, stands as it was.
"""

from collections.abc import Iterable, Sequence

from msgspec import structs

from commands._context import Context
from commands.aws import checks
from storage.models import CheckName, Function, TeamFrom
from storage.owners import Assignment


def owned(context: Context, judged: Iterable[Function], *, audited: bool) -> list[Function]:
    """The functions with their teams; of all others than those whose tags name none, nothing changes."""
    functions = list(judged)
    open_ = [place for place, one in enumerate(functions) if _is_open(one)]
    if not open_:
        return functions
    rules = context.store.owners.in_force()
    left = [functions[place].arn for place in open_ if functions[place].team_from is TeamFrom.UNKNOWN]
    if not (rules or left or any(functions[place].team for place in open_)):
        return functions
    known = context.store.owners.from_elsewhere(left) if left else {}
    for place in open_:
        function = functions[place]
        if function.arn in known:
            functions[place] = belonging(function, *known[function.arn])
        else:
            functions[place] = _assigned(_told(context, function, audited=audited), rules)
    return functions


def belonging(function: Function, team: str | None, team_from: TeamFrom | None) -> Function:
    """The same as that team's, its findings with it."""
    findings = tuple([one for one in function.findings if one.check is not CheckName.UNOWNED])
    changed = structs.replace(function, team=team, team_from=team_from, findings=findings)
    unowned = checks.unowned(changed)
    return structs.replace(changed, findings=(*findings, unowned)) if unowned else changed


def rearrange(context: Context, changed: Assignment) -> list[Function]:
    """Give what this assignment covers to whom it belongs by now; those that moved, as they are.

    To be called in the transaction in which the assignment was made or ended.
    """
    from commands._moved import follow  # it loads the digest's views, which an audit seldom needs

    store = context.store
    rules = store.owners.in_force()
    moved = []
    for one in store.owners.functions():
        if not one.assignable or not changed.covers(one.name, one.arn):
            continue
        before = store.functions.get(one.arn)
        after = _assigned(before, rules) if before else None
        if before is None or after is None or after.team == before.team:
            continue
        store.functions.set_team(after, context.clock())
        moved.append((before.team, after))
    follow(context, {side for before, after in moved for side in (before, after.team)})
    return [after for _, after in moved]


def _is_open(function: Function) -> bool:
    """Whether no tag that was read names its team."""
    return function.team_known and (function.team is None or function.team_from is TeamFrom.ASSIGNED)


def _told(context: Context, function: Function, *, audited: bool) -> Function:
    """Between two audits nobody asks stacks and accounts: where the last one found nothing, there is nothing."""
    if audited or function.team_from is not TeamFrom.UNKNOWN:
        return function
    before = context.store.functions.get(function.arn)
    if before is None or before.team_from not in (None, TeamFrom.ASSIGNED):
        return function
    return belonging(function, None, None)


def _assigned(function: Function, rules: Sequence[Assignment]) -> Function:
    """As the newest assignment says that covers it; nobody's where none does."""
    rule = next((one for one in rules if one.covers(function.name, function.arn)), None)
    if rule:
        return belonging(function, rule.team, TeamFrom.ASSIGNED)
    return belonging(function, None, None) if function.team_from is TeamFrom.ASSIGNED else function
