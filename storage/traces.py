"""How many traces functions recorded in the past: as long as they were known to be traced, for the team of that time.

A function records as many a day as X-Ray saw of it where a fix was looked at in the last 30 days, else as forecast from
its traffic. A trace is billed once, however many functions it passes.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from storage.connection import Connection, to_text, to_time

_DAY = timedelta(days=1)
_FOREVER = "9999"
_TRACED, _UNKNOWN = "traced", "unknown"
# Beside traced ones, those that may have sent traces: nobody kept how they were, or AWS hid it. Functions that are gone
# recorded what they did.
_NOW = """
    with seen as (  -- in 30 days, of the newest look at each function; max() takes the other columns along
        select arn, seen * 30 / (julianday(until) - julianday(since)) as traces, max(closed_at)
        from forecast_checks where state = 'seen' and closed_at >= (
            select strftime('%Y-%m-%dT%H:%M:%f', max(finished_at), '-30 days') from audits
        ) group by arn
    )
    select functions.arn, account, coalesce(seen.traces, recorded_expected / iif(unit = 'spans', ?, 1.0)) / 30,
        team, verdict, gone_at, coalesce(known_since, made_at), coalesce(made_at, functions.since)
    from functions left join forecasts using (arn) left join seen using (arn)
"""
_THEN = """
    select function, team, verdict, since, until from past
    where until > ? and since < ? and (verdict in ('traced', 'unknown') or verdict is null)
"""


class Whose(NamedTuple):
    """Of whose functions traces are; `doubtful`: nobody knows whether these were traced, and no team is told."""

    account: str
    team: str | None
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Traces:
    """In spans of time that follow one another."""

    spans: tuple[Mapping[Whose, float], ...]
    known_from: Mapping[str, datetime]  # since when the functions of an account are known
    unweighed: int  # functions that were traced, or may have been, and of whose traffic nothing is known
    now: Mapping[str | None, float]  # in 30 days, by team, of those that are traced now


@dataclass(frozen=True, slots=True)
class FunctionTraces:
    """One function's, in one span of time."""

    arn: str
    team: str | None  # the last that it had then
    by_team: Mapping[str | None, float]  # for each that it had


# Plain tuples, for there are hundreds of thousands: ARN, account, and traces a day (None: its traffic is not known);
# and such a function with its team, whether that it was traced is in doubt, and from when to when that was so.
_Function = tuple[str, str, float | None]
_Spell = tuple[_Function, str | None, bool, str, str]
_Place = tuple[int, float]  # in which span, and how many days after the first time
# By span: how many traces a day began in it, less those that ended; and the same, each times the days of its place.
_Sums = tuple[list[float], list[float]]


class TraceHistory:
    """`spans_a_trace`: as the forecasts in spans took it, for an account has them in one Region and traces in another.
    Times are UTC."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def recorded(self, edges: Sequence[datetime], spans_a_trace: float) -> Traces:
        """Between each of these times and the next."""
        known_from: dict[str, str] = {}
        now: dict[str | None, float] = {}
        axis, sums, unweighed = _Axis(edges), dict[tuple[str, str | None, bool], _Sums](), set[str]()
        places, new = axis.places, len(axis.lengths)
        for (arn, account, a_day), team, doubtful, since, until in self._spells(edges, spans_a_trace, known_from, now):
            began, ended = places[since], places[until]
            if began is ended:  # all of it before the first, or after the last
                continue
            if a_day is None:
                unweighed.add(arn)
                continue
            whose = (account, team, doubtful)
            its = sums.get(whose)
            if its is None:
                its = sums[whose] = ([0.0] * new, [0.0] * new)
            by_span, by_time = its
            if began:
                span, days = began
                by_span[span] += a_day
                by_time[span] += a_day * days
            if ended:
                span, days = ended
                by_span[span] -= a_day
                by_time[span] -= a_day * days
        spans: tuple[dict[Whose, float], ...] = tuple({} for _ in axis.lengths)
        for (account, team, doubtful), its in sums.items():
            one = Whose(account, None if doubtful else team, doubtful)
            for found, traces in zip(spans, axis.within(its), strict=True):
                if traces > 0:
                    found[one] = found.get(one, 0.0) + traces
        return Traces(spans, {one: to_time(text) for one, text in known_from.items()}, len(unweighed), now)

    def of_functions(self, since: datetime, until: datetime, spans_a_trace: float) -> list[FunctionTraces]:
        """Those that were known to be traced then, each of them once."""
        edges = (since, until)
        axis, sums = _Axis(edges), dict[str, dict[str | None, float]]()
        newest: dict[str, tuple[str, str | None]] = {}
        for (arn, _, a_day), team, doubtful, began, ended in self._spells(edges, spans_a_trace, {}, {}):
            first, end = axis.places[began], axis.places[ended]
            if doubtful or not a_day or first is None or first is end:
                continue
            days = (end[1] if end else axis.lengths[0]) - first[1]
            if days <= 0:  # they end as they begin
                continue
            by_team = sums.setdefault(arn, {})
            by_team[team] = by_team.get(team, 0.0) + days * a_day
            if arn not in newest or began >= newest[arn][0]:
                newest[arn] = (began, team)
        return [FunctionTraces(arn, newest[arn][1], by_team) for arn, by_team in sums.items()]

    def _spells(
        self,
        edges: Sequence[datetime],
        spans_a_trace: float,
        known_from: dict[str, str],
        now: dict[str | None, float],
    ) -> Iterator[_Spell]:
        """Those that go on, then those that were over within these times; to be read to its end. What else the same
        look at all functions tells is filled in: since when each account is known, and what is recorded now by team."""
        by_arn: dict[str, _Function] = {}
        for arn, account, a_day, team, verdict, gone_at, since, made_at in self._db.tuples(_NOW, [spans_a_trace]):
            by_arn[arn] = function = (arn, account, a_day)
            if made_at < known_from.get(account, _FOREVER):
                known_from[account] = made_at
            if gone_at is None and verdict in (_TRACED, _UNKNOWN):
                yield function, team, verdict != _TRACED, since, _FOREVER
                if verdict == _TRACED and a_day:
                    now[team] = now.get(team, 0.0) + 30 * a_day
        past = self._db.tuples("select id, arn from past_functions")
        by_number = {number: by_arn[arn] for number, arn in past if arn in by_arn}
        then = self._db.tuples(_THEN, [to_text(edges[0]), to_text(edges[-1])])
        for number, team, verdict, since, until in then:
            its = by_number.get(number)
            if its is None:
                continue
            if since < known_from[its[1]]:
                known_from[its[1]] = since
            yield its, team, verdict != _TRACED, since, until


class _Axis:
    """Times as places between the edges."""

    def __init__(self, edges: Sequence[datetime]) -> None:
        self.places = _Places(edges)
        self._ends = [(edge - edges[0]) / _DAY for edge in edges[1:]]
        self.lengths = [(until - since) / _DAY for since, until in pairwise(edges)]

    def within(self, sums: _Sums) -> Iterator[float]:
        """Traces, in each span."""
        so_far = 0.0
        for a_day, by_time, end, length in zip(*sums, self._ends, self.lengths, strict=True):
            yield so_far * length + a_day * end - by_time
            so_far += a_day


class _Places(dict[str, _Place | None]):
    """By time as text; None: after the last edge. What is before the first is there. Functions change when audits
    look, so that most share a few times."""

    def __init__(self, edges: Sequence[datetime]) -> None:
        super().__init__({_FOREVER: None})
        self._start: _Place = (0, 0.0)
        self._first, self._edges = edges[0], [to_text(edge) for edge in edges]

    def __missing__(self, text: str) -> _Place | None:
        span = bisect_right(self._edges, text) - 1
        found: _Place | None = None
        if span < 0:
            found = self._start
        elif span < len(self._edges) - 1:
            found = (span, (to_time(text) - self._first) / _DAY)
        self[text] = found
        return found
