"""A report's figures as a CSV file: a number in each row, what it is of, from when to when, and how sure it is."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from commands.views.chart_data import NO_TEAM, worst_first
from commands.views.listing import harmless
from storage.kpis import Figures, Median, Spent, TeamFigures
from storage.models import Coverage
from storage.months import last_day_of

COLUMNS = ("figure", "team", "since", "until", "value", "unit", "n", "note")
WORDS = (0, 1, 7)  # columns in which others' words stand; a number may begin with a minus
ALL = "all teams"
NOT_ATTRIBUTED = "not attributed"
TRACES_FROM = "X-Ray's count of the week after a fix, else as forecast from traffic"

Row = tuple[str, str, str, str, str, str, str, str]


def report_csv(figures: Figures) -> str:
    """What is not known has an empty value, and the reason as its note."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in _rows(figures):
        writer.writerow([harmless(text) if at in WORDS else text for at, text in enumerate(row)])
    return out.getvalue()


def _rows(figures: Figures) -> Iterator[Row]:
    whose = figures.team or ALL
    yield from _of_team(figures, whose, figures.whole)
    yield _median(figures, "time to remediate", whose, figures.remediation, "remediation")
    yield _median(figures, "incident duration, traced functions", whose, figures.mttr_traced, "mttr_traced")
    yield _median(figures, "incident duration, untraced functions", whose, figures.mttr_untraced, "mttr_untraced")
    yield _attribution(figures)
    yield from _money(figures)
    yield from _forecasts(figures)
    if figures.team is None:
        for name, one in worst_first(figures.by_team):
            yield from _of_team(figures, name or NO_TEAM, one)
        yield from _open(figures)
    for on, name, coverage in _days(figures):
        yield _coverage(name, on, on, coverage)


def _of_team(figures: Figures, name: str, one: TeamFigures) -> Iterator[Row]:
    since, until = figures.window.first, figures.window.last
    yield _coverage(name, until, until, one.coverage)
    for verdict in ("traced", "untraced", "exempt", "not_applicable", "unknown"):
        yield _row(f"functions {verdict.replace('_', ' ')}", name, until, until, str(getattr(one.coverage, verdict)))
    if one.before is not None:
        yield _coverage(name, since, since, one.before)
    yield _row("traces a month", name, since, until, f"{one.traces:.0f}", "traces", note=TRACES_FROM)
    if figures.spent:
        since, until = figures.spent[0].month, last_day_of(figures.spent[-1].month)
    for what, field, usd, how in (
        (
            "X-Ray cost",
            "xray_usd",
            one.xray_usd,
            "share of the traces in the time in which they were known to be traced",
        ),
        ("Lambda cost", "lambda_usd", one.lambda_usd, "share of the GB-seconds"),
    ):
        note = how if usd is not None else figures.unknown.get(field, "not known")
        yield _row(f"{what}, shared out", name, since, until, _usd(usd), "USD", note=note)


def _open(figures: Figures) -> Iterator[Row]:
    """What no team's share can be told of: with the teams' rows it is the whole."""
    if figures.open_usd and figures.spent:
        since, until = figures.spent[0].month, last_day_of(figures.spent[-1].month)
        note = figures.unknown.get("xray_by_team", "")
        yield _row("X-Ray cost, shared out", NOT_ATTRIBUTED, since, until, _usd(figures.open_usd), "USD", note=note)


def _coverage(name: str, since: date, until: date, coverage: Coverage) -> Row:
    whole = coverage.traced + coverage.untraced + coverage.exempt
    value = "" if coverage.percent is None else f"{coverage.percent:g}"
    note = "" if whole else "nothing that can be traced was seen"
    return _row("coverage", name, since, until, value, "%", str(whole), note)


def _median(figures: Figures, what: str, name: str, median: Median | None, field: str) -> Row:
    since, until = figures.window.first, figures.window.last
    if median is None or median.seconds is None:
        note = figures.unknown.get(field, "none ended in this window" if median else "not known")
        return _row(f"{what}, median", name, since, until, "", "seconds", str(median.n) if median else "", note)
    note = f"{median.going_on} going on, not counted" if median.going_on else ""
    return _row(f"{what}, median", name, since, until, f"{median.seconds:.0f}", "seconds", str(median.n), note)


def _attribution(figures: Figures) -> Row:
    since, until = figures.window.first, figures.window.last
    what = "Lambda cost with a known team"
    if figures.attribution is None:
        return _row(what, ALL, since, until, "", "%", note=figures.unknown.get("attribution", "not known"))
    return _row(what, ALL, since, until, f"{100 * figures.attribution.known:.6f}", "%", note=figures.attribution.how)


def _money(figures: Figures) -> Iterator[Row]:
    for one in (*figures.earlier, *figures.spent):
        end = last_day_of(one.month)
        note = f"{'estimated, ' if one.estimated else ''}asked {one.asked_at:%Y-%m-%d}"
        yield _row("X-Ray cost", ALL, one.month, end, _usd(one.xray_usd), "USD", note=note)
        yield _row("Lambda cost", ALL, one.month, end, _usd(one.lambda_usd), "USD", note=note)
        yield _row("X-Ray cost as a share of Lambda's", ALL, one.month, end, _share(one), "%", note=note)
    if not figures.spent:
        since, until = figures.window.first, figures.window.last
        yield _row("X-Ray cost", ALL, since, until, "", "USD", note=figures.unknown.get("spent", "not known"))
    first = figures.made_at.date().replace(day=1)
    note = "" if figures.budget_usd is not None else figures.unknown.get("budget_usd", "none is set")
    yield _row("X-Ray budget of a month", ALL, first, last_day_of(first), _usd(figures.budget_usd), "USD", note=note)


def _forecasts(figures: Figures) -> Iterator[Row]:
    """What X-Ray saw a week after a fix, above or below what was expected."""
    errors = figures.forecasts
    if errors is None:
        return
    whose, since, until = figures.team or ALL, figures.window.first, figures.window.last
    value = "" if errors.median_error is None else f"{100 * errors.median_error:.6f}"
    note = f"{errors.within} within their range, {errors.pending} not looked at yet, {errors.unknown} not known"
    yield _row("forecast error, median", whose, since, until, value, "%", n=str(errors.n), note=note)
    for check in errors.worst:
        if check.error is not None:
            name = check.function_arn.rsplit(":", 1)[-1]
            days = (check.since.date(), check.until.date())
            yield _row("forecast error of a function", whose, *days, f"{100 * check.error:.6f}", "%", note=name)


def _days(figures: Figures) -> Iterator[tuple[date, str, Coverage]]:
    """What the picture of coverage over time is drawn from, and of the teams that it takes together, each."""
    for day in figures.whole.trend:
        yield day.on, figures.team or ALL, day.coverage
    if figures.team is None:
        for name, one in worst_first(figures.by_team):
            for day in one.trend:
                yield day.on, name or NO_TEAM, day.coverage


def _row(
    figure: str, team: str, since: date, until: date, value: str, unit: str = "functions", n: str = "", note: str = ""
) -> Row:
    return figure, team, since.isoformat(), until.isoformat(), value, unit, n, note


def _usd(amount: Decimal | None) -> str:
    """With cents, and as many decimals beyond as are known: AWS fills its own up with zeros."""
    if amount is None:
        return ""
    whole, _, decimals = f"{amount:f}".partition(".")
    return f"{whole}.{decimals.rstrip('0'):0<2}"


def _share(spent: Spent) -> str:
    return "" if spent.share is None else f"{100 * spent.share:.6f}"
