"""What dashboards tell teams and accounts apart by: so few names that no number of teams makes them costly."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from storage.dashboards import Counted
from storage.models import Coverage, Verdict

MOST_TEAMS, MOST_ACCOUNTS, MOST_PAIRS = 200, 200, 2000
NO_TEAM, OTHER = "(none)", "(other)"  # no tag makes a team of brackets alone, or hardly
Counts = Mapping[Verdict, int]


@dataclass(frozen=True, slots=True)
class Shown:
    """All functions, under the names that are shown; whatever is folded together, sums stay whole."""

    pairs: Mapping[tuple[str, str], Counts] = field(default_factory=dict)  # by team and account
    production: Mapping[str, Counts] = field(default_factory=dict)  # by team, of production functions only

    @property
    def teams(self) -> Mapping[str, Counts]:
        found: dict[str, Counter[Verdict]] = {}
        for (team, _), counts in self.pairs.items():
            found.setdefault(team, Counter()).update(counts)
        return found

    @classmethod
    def of(cls, counted: Iterable[Counted]) -> "Shown":
        """The largest teams and accounts under their own names. A team that looks like an e-mail address has none: it
        is a tag's text, and dashboards are read by others than those who may read tags."""
        rows = list(counted)
        teams, accounts, sizes = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
        for one in rows:
            if "@" not in (one.team or ""):
                teams[one.team or NO_TEAM] += one.number
            accounts[one.account] += one.number
        own_teams, own_accounts = _largest(teams, MOST_TEAMS), _largest(accounts, MOST_ACCOUNTS)
        named = [
            (
                one.team or NO_TEAM if (one.team or NO_TEAM) in own_teams else OTHER,
                one.account if one.account in own_accounts else OTHER,
                one,
            )
            for one in rows
        ]
        for team, account, one in named:
            sizes[team, account] += one.number
        own_pairs = _largest(sizes, MOST_PAIRS)
        pairs: dict[tuple[str, str], Counter[Verdict]] = {}
        production: dict[str, Counter[Verdict]] = {}
        for team, account, one in named:
            pair = (team, account if (team, account) in own_pairs else OTHER)
            pairs.setdefault(pair, Counter())[one.verdict] += one.number
            if one.in_production:
                production.setdefault(team, Counter())[one.verdict] += one.number
        return cls(pairs, production)


T = TypeVar("T", str, tuple[str, str])


def _largest(sizes: Counter[T], most: int) -> Collection[T]:
    """Of the same size, those first in the alphabet: the same each time."""
    return {name for name, _ in sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0]))[:most]}


def coverage(counts: Counts) -> Coverage:
    return Coverage(**{str(verdict): number for verdict, number in counts.items()})
