"""In which order functions are fixed that call each other: a trace that begins nowhere is worth little."""

import heapq
from collections.abc import Collection, Mapping


def roots_first(callers: Mapping[str, Collection[str]]) -> list[str]:
    """The keys, each behind those of its callers that are keys too; by ARN where that leaves a choice.

    Functions that call each other in a circle have no first one: the circle goes by ARN, once nobody else calls it.
    """
    waits_for = {arn: {one for one in by if one in callers and one != arn} for arn, by in callers.items()}
    calls: dict[str, list[str]] = {arn: [] for arn in callers}
    for arn, by in waits_for.items():
        for caller in by:
            calls[caller].append(arn)
    ready = [arn for arn, by in waits_for.items() if not by]
    heapq.heapify(ready)
    left = sorted(callers, reverse=True)
    order: dict[str, None] = {}
    while len(order) < len(callers):
        while left and left[-1] in order:
            left.pop()
        circle = [] if ready else sorted(_circle_above(left[-1], waits_for))
        for arn in circle or [heapq.heappop(ready)]:
            order[arn] = None
            for called in calls[arn]:
                waits_for[called].discard(arn)
                if not waits_for[called] and called not in order and called not in circle:
                    heapq.heappush(ready, called)
    return list(order)


def behind(order: Collection[str], callers: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    """For each, the callers that come before it in the order: those it waits for."""
    place = {arn: number for number, arn in enumerate(order)}
    return {arn: frozenset(one for one in callers[arn] if place.get(one, len(place)) < place[arn]) for arn in order}


def _circle_above(arn: str, waits_for: Mapping[str, Collection[str]]) -> set[str]:
    """The functions that call each other, are called by nobody else, and that this one waits for in the end."""
    while True:
        above = _above(arn, waits_for)
        higher = next((one for one in sorted(above) if arn not in _above(one, waits_for)), None)
        if higher is None:
            return above
        arn = higher


def _above(arn: str, waits_for: Mapping[str, Collection[str]]) -> set[str]:
    """Its callers, their callers, and so on; itself only where it stands in a circle."""
    found: set[str] = set()
    look = [arn]
    while look:
        new = set(waits_for[look.pop()]) - found
        found |= new
        look += new
    return found
