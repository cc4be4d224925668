"""Who may call whom, gathered while an audit reads what it reads anyway, and which callers send no traces.

An untraced caller starves what it calls: it hands on a header that says "not sampled". Kept are the ARNs of functions,
and in the end only of those that exist.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import structs

from commands.aws import checks
from commands.aws.grants import named_functions
from commands.aws.roles import Role
from commands.aws.shapes import Listed
from storage.models import Function

# A role that more functions share says too little about any one of them.
SHARED = 10


class Callers:
    """What one audit learns of calls, account by account."""

    def __init__(self) -> None:
        self._granted: dict[str, frozenset[str]] = {}  # role's ARN -> functions that it may invoke by name
        self._named: dict[str, tuple[str, ...]] = {}  # caller's ARN -> functions that its settings name

    def learn_roles(self, roles: Mapping[str, Role]) -> None:
        for arn, role in roles.items():
            if named := named_functions(role):
                self._granted[arn] = named

    def learn_functions(self, listed: Sequence[Listed]) -> None:
        """All functions of one region of one account: a name without an ARN means one of them, or nothing."""
        if not any(each.mentions for each in listed):
            return
        here = {each.name: each.arn for each in listed}
        for each in listed:
            arns = (name if name.startswith("arn:") else here.get(name) for name in each.mentions)
            if found := tuple(dict.fromkeys(arn for arn in arns if arn)):
                self._named[each.arn] = found

    def learn(self, others: "Callers") -> None:
        """What was learnt elsewhere, of other accounts."""
        self._granted.update(others._granted)
        self._named.update(others._named)

    def mark(self, functions: list[Function]) -> None:
        """Put the untraced callers of each function beside it, in place.

        One role serves all functions that run under it, so a grant shows only that they *may* call, and counts only
        where no more than `SHARED` functions share the role. From another account it would take the callee's own policy
        too, which is not read.
        """
        called = {arn for arns in (*self._granted.values(), *self._named.values()) for arn in arns}
        if not called:
            return
        places = {function.arn: place for place, function in enumerate(functions) if function.arn in called}
        sharing = Counter(function.role or "" for function in functions if function.role in self._granted)
        callers: dict[str, list[str]] = {}
        for function in functions:
            if not function.sends and checks.not_applicable(function) is None:
                for arn in self._callees(function, sharing):
                    callers.setdefault(arn, []).append(function.arn)
        for arn, found in callers.items():
            if (place := places.get(arn)) is not None:
                functions[place] = structs.replace(functions[place], untraced_callers=tuple(sorted(found)))

    def _callees(self, caller: Function, sharing: Mapping[str, int]) -> Iterator[str]:
        role, account = caller.role or "", f":{caller.account}:function:"
        granted = (arn for arn in self._granted.get(role, ()) if account in arn and sharing[role] <= SHARED)
        yield from {*granted, *self._named.get(caller.arn, ())} - {caller.arn}
