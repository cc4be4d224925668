"""How forecasts look in a terminal: a table, or one JSON object."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from commands._forecasts import LookedUp
from commands.views.text import count
from storage.forecasts import Forecast, Range, Unit
from storage.models import Function
from storage.totals import FREE_TRACES, Total

if TYPE_CHECKING:
    from rich.table import Table

_WIDE = 140  # columns of a terminal from which on place and verdict have columns of their own
_REASONS = 10
EXIT_DONE, EXIT_WANTING = 0, 1


def exit_code(told: LookedUp) -> int:
    """1 where something is not known."""
    return EXIT_WANTING if told.unknown else EXIT_DONE


def print_table(functions: Sequence[Function], told: LookedUp, *, whole: bool) -> None:
    """The dearest first. `whole`: these are all functions there are, so that the free tier can be taken off."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=False, markup=False)
    rows = [(one, told.forecasts[one.arn]) for one in functions if one.arn in told.forecasts]
    rows.sort(key=lambda row: (-(row[1].usd.expected if row[1].usd else 0.0), -row[1].invocations, row[0].name))
    if rows:
        console.print(_table(rows, wide=console.width >= _WIDE))
    for line in _not_known(told.unknown):
        console.print(line, style="red")
    for line in _summary([forecast for _, forecast in rows], whole):
        console.print(line)
    console.print(f"{told.cost}; {told.today}")


def _table(rows: Sequence[tuple[Function, Forecast]], *, wide: bool) -> "Table":
    from rich.table import Table

    made = Table(box=None, header_style="bold", pad_edge=False)
    made.add_column("FUNCTION", overflow="fold")
    made.add_column("TEAM", overflow="fold")
    if wide:
        for title in ("ACCOUNT", "REGION", "VERDICT"):
            made.add_column(title, no_wrap=True)
    for title in ("INVOCATIONS", "TRACES A MONTH", "DOLLARS A MONTH"):
        made.add_column(title, justify="right", no_wrap=wide)
    made.add_column("NOTES", overflow="fold")
    for one, forecast in rows:
        place = (one.account, one.region, str(one.verdict).replace("_", " ")) if wide else ()
        name = one.name if wide else f"{one.name}\n{one.account} {one.region}"
        recorded = _numbers(forecast.recorded) + (f" {forecast.unit}" if forecast.unit is Unit.SPANS else "")
        cells = (f"{forecast.invocations:,}", recorded, _dollars(forecast.usd), ", ".join(_notes(forecast)))
        made.add_row(name, one.team or "-", *place, *cells)
    return made


def _notes(forecast: Forecast) -> Iterator[str]:
    if forecast.busy:
        yield "busy: sample upstream"
    if forecast.spiky:
        yield "bursts: likely less"  # than what is expected
    if forecast.gigabytes:
        yield f"{forecast.gigabytes.expected:.2f} GB"


def _numbers(one: Range) -> str:
    """low – expected – high"""
    return " – ".join(f"{round(end):,}" for end in (one.low, one.expected, one.high))


def _dollars(one: Range | None) -> str:
    return "not known" if one is None else f"${one.expected:,.2f} (${one.low:,.2f}–${one.high:,.2f})"


def _not_known(unknown: Mapping[str, str]) -> Iterator[str]:
    """One line for each reason."""
    reasons = Counter(unknown.values())
    for why, number in reasons.most_common(_REASONS):
        yield f"not known: {count(number, 'function')}: {why}"
    if len(reasons) > _REASONS:
        yield f"and {len(reasons) - _REASONS:,} reasons more, which --json shows"


def _summary(forecasts: Sequence[Forecast], whole: bool) -> Iterator[str]:
    for price in sorted({one.price for one in forecasts}):
        yield f"price: {price}"
    if unpriced := sum(one.usd is None for one in forecasts):
        yield f"not in the sum: {count(unpriced, 'function')} for which no price is known"
    together, total = count(len(forecasts), "function"), Total.of(forecasts)
    yield f"{together} traced: {_dollars(total.usd)} a month, before AWS's free tier"
    if whole and any(one.unit is Unit.TRACES for one in forecasts):
        after = _dollars(total.after_free_tier())
        yield f"after the free tier of {FREE_TRACES:,} traces, which all accounts share: {after}"


def print_json(functions: Sequence[Function], told: LookedUp) -> None:
    """On one line; dollars are US dollars, and what is in 30 days is said of low, expected and high."""
    import orjson

    by_arn = {one.arn: one for one in functions}
    whole = {
        "traffic": {"since": told.since, "until": told.until},
        "look_up": {"metrics_requested": told.metrics_requested, "usd": float(told.usd)},
        "functions": [_function(by_arn[arn], one) for arn, one in told.forecasts.items()],
        "unknown": [{"arn": arn, "reason": why} for arn, why in told.unknown.items()],
        "usd_before_free_tier": asdict(Total.of(told.forecasts.values()).usd),
    }
    sys.stdout.buffer.write(orjson.dumps(whole) + b"\n")
    sys.stdout.buffer.flush()


def _function(one: Function, forecast: Forecast) -> dict[str, object]:
    return {
        "arn": one.arn,
        "account": one.account,
        "region": one.region,
        "name": one.name,
        "team": one.team,
        "verdict": one.verdict,
        "invocations": forecast.invocations,
        "period": forecast.period,
        "unit": forecast.unit,
        "recorded": asdict(forecast.recorded),
        "gigabytes": forecast.gigabytes and asdict(forecast.gigabytes),
        "usd": forecast.usd and asdict(forecast.usd),
        "price": forecast.price,
        "spiky": forecast.spiky,
        "busy": forecast.busy,
    }
