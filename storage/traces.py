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
_SEEN = """
    seen as materialized (  -- in 30 days, of the newest look at each function; max() takes the other columns along
        select arn, seen * 30 / (julianday(until) - julianday(since)) as traces, max(closed_at)
        from forecast_checks where state = 'seen' and closed_at >= (
            select strftime('%Y-%m-%dT%H:%M:%f', max(finished_at), '-30 days') from audits
        ) group by arn
    )
"""
_A_DAY = "coalesce(seen.traces, recorded_expected / iif(unit = 'spans', :spans_a_trace, 1.0)) / 30"
_LOOKED_AT = "left join forecasts using (arn) left join seen using (arn)"
_BEGAN = "coalesce(known_since, made_at)"
_MADE = "coalesce(made_at, functions.since)"
_GOES_ON = "gone_at is null and verdict in ('traced', 'unknown')"
_WAS = "until > :first and past.since < :last and (past.verdict in ('traced', 'unknown') or past.verdict is null)"
_NOW = f"""
    with {_SEEN}
    select functions.arn, account, {_A_DAY}, team, verdict, gone_at, {_BEGAN} from functions {_LOOKED_AT}
"""  # noqa: S608 - constants
_THEN = f"select function, team, verdict, past.since, until from past where {_WAS}"  # noqa: S608 - constants

# The same, added up by SQLite: there are hundreds of thousands, of which most share account, team and audits.
_KNOWN_FROM = f"select account, min({_MADE}) from functions group by account"  # noqa: S608 - constants
_NOW_TOGETHER = f"""
    with {_SEEN}
    select account, team, verdict, {_BEGAN}, '{_FOREVER}', total({_A_DAY}), count(*) - count({_A_DAY})
    from functions {_LOOKED_AT} where {_GOES_ON} group by 1, 2, 3, 4
"""  # noqa: S608 - constants
_WEIGHED = f"""
    weighed as materialized (
        select id, arn, account, {_A_DAY} as a_day from past_functions join functions using (arn) {_LOOKED_AT}
    )
"""  # noqa: S608 - constants
_THEN_TOGETHER = f"""
    with {_SEEN}, {_WEIGHED}
    select account, team, verdict, since, until, total(a_day), count(*) - count(a_day)
    from past join weighed on id = function where {_WAS} group by 1, 2, 3, 4, 5
"""  # noqa: S608 - constants
_UNWEIGHED = f"""
    with {_SEEN}, {_WEIGHED}
    select count(*) from (
        select arn from functions {_LOOKED_AT} where {_A_DAY} is null and {_GOES_ON} and {_BEGAN} < :last
        union select arn from past join weighed on id = function where a_day is null and {_WAS}
    )
"""  # noqa: S608 - constants


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
# Of all functions that share it: account, team, verdict, since and until; traces a day; of how many none are known.
_Spells = tuple[str, str | None, str | None, str, str, float, int]
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
        known_from, now = dict(self._db.tuples(_KNOWN_FROM)), dict[str | None, float]()
        asked = {"first": to_text(edges[0]), "last": to_text(edges[-1]), "spans_a_trace": spans_a_trace}
        axis, sums, unweighed = _Axis(edges), dict[Whose, _Sums](), 0
        for account, team, verdict, since, until, a_day, unknown in self._together(asked, known_from):
            doubtful = verdict != _TRACED
            if until == _FOREVER and not doubtful and a_day:
                now[team] = now.get(team, 0.0) + 30 * a_day
            whose = Whose(account, None if doubtful else team, doubtful)
            its = sums.get(whose)
            if its is None:
                its = sums[whose] = axis.sums()
            if axis.add(its, a_day, since, until):
                unweighed += unknown
        if unweighed:  # and each function once
            ((unweighed,),) = self._db.tuples(_UNWEIGHED, asked)
        spans: tuple[dict[Whose, float], ...] = tuple({} for _ in axis.lengths)
        for whose, its in sums.items():
            for found, traces in zip(spans, axis.within(its), strict=True):
                if traces > 0:
                    found[whose] = traces
        return Traces(spans, {one: to_time(text) for one, text in known_from.items()}, unweighed, now)

    def of_functions(self, since: datetime, until: datetime, spans_a_trace: float) -> list[FunctionTraces]:
        """Those that were known to be traced then, each of them once."""
        edges = (since, until)
        axis, sums = _Axis(edges), dict[str, dict[str | None, float]]()
        newest: dict[str, tuple[str, str | None]] = {}
        for (arn, _, a_day), team, doubtful, began, ended in self._spells(edges, spans_a_trace):
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

    def _together(self, asked: Mapping[str, object], known_from: dict[str, str]) -> Iterator[_Spells]:
        """Those that go on, then those that were over within these times; to be read to its end. What is known of an
        account from before its functions as they are now is filled in."""
        yield from self._db.tuples(_NOW_TOGETHER, asked)
        for spells in self._db.tuples(_THEN_TOGETHER, asked):
            account, since = spells[0], spells[3]
            if since < known_from[account]:
                known_from[account] = since
            yield spells

    def _spells(self, edges: Sequence[datetime], spans_a_trace: float) -> Iterator[_Spell]:
        """The same, one by one."""
        by_arn: dict[str, _Function] = {}
        told = self._db.tuples(_NOW, {"spans_a_trace": spans_a_trace})
        for arn, account, a_day, team, verdict, gone_at, since in told:
            by_arn[arn] = function = (arn, account, a_day)
            if gone_at is None and verdict in (_TRACED, _UNKNOWN):
                yield function, team, verdict != _TRACED, since, _FOREVER
        past = self._db.tuples("select id, arn from past_functions")
        by_number = {number: by_arn[arn] for number, arn in past if arn in by_arn}
        then = self._db.tuples(_THEN, {"first": to_text(edges[0]), "last": to_text(edges[-1])})
        for number, team, verdict, since, until in then:
            its = by_number.get(number)
            if its is not None:
                yield its, team, verdict != _TRACED, since, until


class _Axis:
    """Times as places between the edges."""

    def __init__(self, edges: Sequence[datetime]) -> None:
        self.places = _Places(edges)
        self._ends = [(edge - edges[0]) / _DAY for edge in edges[1:]]
        self.lengths = [(until - since) / _DAY for since, until in pairwise(edges)]

    def sums(self) -> _Sums:
        """Of nothing yet."""
        return [0.0] * len(self.lengths), [0.0] * len(self.lengths)

    def add(self, sums: _Sums, a_day: float, since: str, until: str) -> bool:
        """False: all of it is before the first edge, or after the last."""
        began, ended = self.places[since], self.places[until]
        if began is ended:
            return False
        by_span, by_time = sums
        if began:
            span, days = began
            by_span[span] += a_day
            by_time[span] += a_day * days
        if ended:
            span, days = ended
            by_span[span] -= a_day
            by_time[span] -= a_day * days
        return True

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
