"""All of a team's untraced functions at once: as a table in the thread, and as a CSV file."""

import csv
import io
import re
from collections.abc import Collection, Mapping, Sequence

from commands.views.blocks import Block
from commands.views.money import about, price_cell
from commands.views.text import HIDDEN, clip, count, escape
from storage.forecasts import Forecast, Range, Unit
from storage.models import Function, MayWrite

# Slack's for one table, the header included.
ROWS = 100
CHARACTERS = 10_000
CELL = 200
# The rest stands in the table's last row or in the message.
ROOM = CHARACTERS - 200

HEADER = ("Function", "Calls a day", "Traces a month", "$ a month", "Account", "Region", "TracingConfig", "Why")
COLUMNS = (
    *("name", "account", "region", "team", "mode", "role", "role_may_write", "snoozed", "findings", "arn"),
    # The forecast, of 30 days; of a function without one these are empty, and the first says so.
    *("unit", "invocations", "since", "until", "recorded_low", "recorded_expected", "recorded_high"),
    *("usd_low", "usd_expected", "usd_high"),
)
UNKNOWN = "not known"
NAMED = 10
# What a spreadsheet would take for a formula.
FORMULA = re.compile(r"^[=+\-@\t\r]")


def fits_a_table(functions: Sequence[Function], forecasts: Mapping[str, Forecast]) -> bool:
    """`forecasts` by ARN, as below."""
    return len(functions) < ROWS and sum(_length(one, forecasts) for one in functions) <= ROOM


def list_text(team: str | None, functions: Sequence[Function]) -> str:
    """For notifications and screen readers, and beside a file; stands alone. Names the first, of too many."""
    named = functions if len(functions) < ROWS else functions[:NAMED]
    names = ", ".join(HIDDEN.sub("", one.name) for one in named)
    if len(named) < len(functions):
        names += f" and {len(functions) - len(named):,} more"
    whose = escape(clip(team, 200)) if team else "no known team"
    return escape(clip(f"All {count(len(functions), 'function')} of {whose} without active tracing: {names}", 2900))


def list_blocks(
    functions: Sequence[Function], snoozed: Collection[str], forecasts: Mapping[str, Forecast]
) -> list[Block]:
    """As many rows as one table takes; where that is not all, its last row says so."""
    if not functions:
        return []
    rows: list[tuple[str, ...]] = [HEADER]
    room = ROOM
    for number, one in enumerate(functions, 1):
        cells = _cells(one, snoozed, forecasts.get(one.arn))
        room -= sum(map(len, cells))
        if room < 0 or (len(rows) == ROWS - 1 and number < len(functions)):
            left = len(functions) - number + 1
            rows.append((f"and {left:,} more: Download CSV", *(" " for _ in HEADER[1:])))
            break
        rows.append(cells)
    wrapped = [{"is_wrapped": True}] + [{} for _ in HEADER[1:-1]] + [{"is_wrapped": True}]
    return [{"type": "table", "column_settings": wrapped, "rows": [[_cell(text) for text in row] for row in rows]}]


def list_csv(functions: Sequence[Function], snoozed: Collection[str], forecasts: Mapping[str, Forecast]) -> str:
    """One line for each function; what a spreadsheet might run as a formula stands behind an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in functions:
        findings = " ".join(finding.text for finding in one.findings)
        values = (one.name, one.account, one.region, one.team, one.mode, one.role, one.role_may_write)
        asleep, forecast = "yes" if one.arn in snoozed else "no", forecasts.get(one.arn)
        row = [*values, asleep, findings, one.arn, *_numbers(forecast)]
        writer.writerow([harmless("" if value is None else str(value)) for value in row])
    return out.getvalue()


def harmless(text: str) -> str:
    plain = HIDDEN.sub("", text)
    return f"'{plain}" if FORMULA.match(plain) else plain


def _numbers(forecast: Forecast | None) -> list[object]:
    """For a spreadsheet: plain numbers, and nothing for what is not known."""
    if forecast is None:
        return [UNKNOWN, *[None] * 9]
    usd = ("", "", "") if forecast.usd is None else _ends(forecast.usd, 4)
    window = (forecast.since.isoformat(), forecast.until.isoformat())
    return [forecast.unit, forecast.invocations, *window, *_ends(forecast.recorded, 1), *usd]


def _ends(one: Range, digits: int) -> tuple[str, str, str]:
    return (f"{one.low:.{digits}f}", f"{one.expected:.{digits}f}", f"{one.high:.{digits}f}")


def _traffic(forecast: Forecast | None) -> tuple[str, str, str]:
    if forecast is None:
        return UNKNOWN, UNKNOWN, UNKNOWN
    unit = " spans" if forecast.unit is Unit.SPANS else ""
    return about(forecast.per_day), f"{about(forecast.recorded.expected)}{unit}", price_cell(forecast.usd)


def _cells(one: Function, snoozed: Collection[str], forecast: Forecast | None) -> tuple[str, ...]:
    why = "its role may not write to X-Ray. " if one.role_may_write is MayWrite.NO else ""
    why += " ".join(finding.text for finding in one.findings)
    if one.arn in snoozed:
        why = f"snoozed. {why}"
    mode = str(one.mode) if one.mode else "none given"
    return tuple(_plain(text) for text in (one.name, *_traffic(forecast), one.account, one.region, mode, why))


def _plain(text: str) -> str:
    return clip(HIDDEN.sub("", " ".join(text.split())), CELL) or " "


def _length(one: Function, forecasts: Mapping[str, Forecast]) -> int:
    return sum(map(len, _cells(one, (), forecasts.get(one.arn))))


def _cell(text: str) -> Block:
    """Raw text takes no markup, so that there is nothing to escape."""
    return {"type": "raw_text", "text": text}
