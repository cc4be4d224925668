"""Some functions of one account's region as they stand now: one by one, or by listing the place where they are many."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import structs

from commands._types import Context
from commands.aws import one_function
from commands.aws.errors import AwsProblem, Gone
from commands.aws.once import Once
from storage.models import Function, Verdict

# A look at one takes four of the calls to Lambda of which AWS allows 15 a second; a page of a listing holds 50.
FEW = 8
# Tags of what was just made come late to the listing; of these alone, no more are asked about by themselves.
MOST_ALONE = 40

NOT_SEEN = "NotSeen"  # our word, for what AWS would not list


@dataclass
class Seen:
    """What AWS said of the functions of one place, by name."""

    asked_at: datetime
    functions: dict[str, Function] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    failed: dict[str, AwsProblem] = field(default_factory=dict)

    def missing(self, names: Iterable[str]) -> set[str]:
        """Those of which nothing is known yet."""
        return {one for one in names if one not in self.functions and one not in self.gone and one not in self.failed}

    def only(self, name: str) -> "Seen":
        """What it said of this one."""
        return Seen(
            self.asked_at,
            {name: self.functions[name]} if name in self.functions else {},
            self.gone & {name},
            {name: self.failed[name]} if name in self.failed else {},
        )


def read_again(context: Context, account: str, region: str, names: Mapping[str, bool]) -> Seen:
    """`names`: whether an event says that it was made. What AWS would not say is a problem of that function's."""
    seen = Seen(context.clock())
    with Once().remembering():
        if len(names) <= FEW:
            for name in names:
                _ask(context, seen, account, region, name)
            if not any(_owner_is_open(one) for one in seen.functions.values()):
                return seen
        _list(context, seen, account, region, names)
    return seen


def _ask(context: Context, seen: Seen, account: str, region: str, name: str) -> None:
    try:
        read = one_function.read_function(context.cloud, account, region, name, context.teams.tag_keys)
    except Gone:
        seen.gone.add(name)
    except AwsProblem as problem:
        seen.failed[name] = problem
    else:
        seen.functions[name] = structs.replace(read, untraced_callers=_callers(context, read.arn))
        seen.failed.pop(name, None)


def _list(context: Context, seen: Seen, account: str, region: str, names: Mapping[str, bool]) -> None:
    """What only a listing tells too: the team that a stack or an account names."""
    try:
        from commands.aws import one_place  # it brings an HTTP client along

        listed = one_place.list_place(context.cloud, account, region, tag_keys=context.teams.tag_keys)
    except AwsProblem as problem:
        seen.failed |= dict.fromkeys(seen.missing(names), problem)
        return
    for one in listed.functions:
        if one.name in names:
            _take(seen, one)
    missing = seen.missing(names)
    if listed.unseen & {(account, region), (account, "")}:
        reason = next((row.reason for row in listed.not_scanned), "AWS did not say why")
        why = AwsProblem(NOT_SEEN, reason, own_words=True, account=account, region=region)
        seen.failed |= dict.fromkeys(missing, why)
    seen.gone |= {name for name in seen.missing(names) if not names[name]}
    if len(names) > FEW:
        made = [name for name, created in names.items() if created]  # also those made while the pages were turned
        alone = [name for name in made if name not in seen.functions or seen.functions[name].team is None]
        alone = [name for name in alone if name not in seen.failed]
        for name in alone[:MOST_ALONE]:
            _ask_for_its_team(context, seen, account, region, name)
        seen.gone |= seen.missing(alone[MOST_ALONE:])


def _take(seen: Seen, listed: Function) -> None:
    """The listing knows more of its team, and may know less of its tags, if these were set a moment ago."""
    alone = seen.functions.get(listed.name)
    if alone is None or listed.team is not None or alone.team is None:
        seen.functions[listed.name] = listed
    seen.failed.pop(listed.name, None)


def _ask_for_its_team(context: Context, seen: Seen, account: str, region: str, name: str) -> None:
    listed = seen.functions.get(name)
    alone = Seen(seen.asked_at)
    _ask(context, alone, account, region, name)
    read = alone.functions.get(name)
    if read is not None and (listed is None or read.team is not None):
        seen.functions[name] = read
    elif listed is None:
        seen.gone |= alone.gone
        seen.failed |= alone.failed


def _owner_is_open(function: Function) -> bool:
    """Whether it matters whose it is, and a listing may tell."""
    return function.team is None and function.verdict is Verdict.UNTRACED


def _callers(context: Context, arn: str) -> tuple[str, ...]:
    """Who calls it, only an audit finds out; who of them is still untraced, memory tells."""
    before = context.store.functions.get(arn)
    callers: Collection[str] = before.untraced_callers if before else ()
    known = (context.store.functions.get(one) for one in callers)
    return tuple(caller.arn for caller in known if caller and not caller.sends)
