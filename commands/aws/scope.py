"""Which accounts the rules of `[aws.include]` and `[aws.exclude]` leave. Nothing here asks AWS anything.

There are three answers: yes, no, and None where it depends on what is not known (yet). So a question goes to AWS only
where its answer still decides something, and an account of which AWS will not say enough is neither in nor out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import msgspec


@dataclass(frozen=True, slots=True)
class Member:
    """An account, as far as it is known."""

    id: str
    name: str | None = None
    units: Mapping[str, bool] = field(default_factory=dict)  # root or unit -> whether it is below; absent: not known
    tags: Mapping[str, str] | None = None


class Rules(msgspec.Struct, frozen=True):
    """One of the two tables. It names an account if any of its lines does."""

    accounts: tuple[str, ...] = ()
    units: tuple[str, ...] = ()  # organizational units or roots, with everything below them
    names: tuple[str, ...] = ()  # `*`, `?` and `[…]` as in file names; case counts
    tags: tuple[str, ...] = ()  # "key", or "key=value"

    def __bool__(self) -> bool:
        return bool(self.accounts or self.units or self.names or self.tags)

    def match(self, member: Member) -> bool | None:
        """Whether a line names this account."""
        return _any(
            [
                member.id in self.accounts,
                *(member.units.get(unit) for unit in self.units),
                *(None if member.name is None else fnmatchcase(member.name, name) for name in self.names),
                *(None if member.tags is None else _tagged(member.tags, tag) for tag in self.tags),
            ]
        )


NO_RULES = Rules()


def selected(member: Member, include: Rules, exclude: Rules) -> bool | None:
    """Whether to audit it: named by `include`, where that has any lines, and not by `exclude`, which wins."""
    named = include.match(member) if include else True
    barred = exclude.match(member)
    if barred or named is False:
        return False
    return None if barred is None or named is None else True


def _any(answers: Iterable[bool | None]) -> bool | None:
    known = list(answers)
    return True if any(known) else None if None in known else False


def _tagged(tags: Mapping[str, str], rule: str) -> bool:
    key, equals, value = rule.partition("=")
    return key in tags and (not equals or tags[key] == value)
