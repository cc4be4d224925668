"""Counts by verdict, in all and by team."""

from collections.abc import Iterable

from storage.models import Coverage, Function, Verdict


def coverage_of(functions: Iterable[Function]) -> Coverage:
    counts = dict.fromkeys(Verdict, 0)
    for function in functions:
        counts[function.verdict] += 1
    return Coverage(**{str(verdict): number for verdict, number in counts.items()})


def coverage_by_team(functions: Iterable[Function]) -> dict[str | None, Coverage]:
    teams: dict[str | None, list[Function]] = {}
    for function in functions:
        teams.setdefault(function.team, []).append(function)
    return {team: coverage_of(members) for team, members in teams.items()}
