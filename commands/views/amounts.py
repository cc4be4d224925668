"""How numbers read, in Slack, pictures and a terminal alike: dollars, percentages, spans of time."""

from datetime import date, timedelta
from decimal import Decimal

from commands.views.text import plain_day, plain_day_of_year

_UNITS = ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"))
_SHORT = ((Decimal(1_000_000_000), "B"), (Decimal(1_000_000), "M"), (Decimal(1000), "k"))
UNDER_A_CENT = "under $0.01"
ALMOST = Decimal("0.005")  # what would be rounded to nothing
ALMOST_A_TENTH = Decimal("0.05")
SPACE = "\N{NO-BREAK SPACE}"  # between a number and its sign
MINUS = "\N{MINUS SIGN}"


def dollars(amount: Decimal) -> str:
    """Of a bill or a budget, with cents, however large, so that it reads alike wherever it stands: "$4.20",
    "$1,234.00", "−$3.00"; "under $0.01" for what is not nothing."""
    if 0 < abs(amount) < ALMOST:
        return UNDER_A_CENT
    return f"{_sign(amount)}${abs(amount):,.2f}"


def likely_dollars(usd: float) -> str:
    """Of a forecast, whose cents mean little from a hundred dollars on, and which is never certain to be nothing."""
    if usd < ALMOST:
        return UNDER_A_CENT
    return f"${usd:,.2f}" if usd < 99.995 else f"${usd:,.0f}"


def about_dollars(said: str) -> str:
    """The same after "about", where it is not a bound."""
    return said if said == UNDER_A_CENT else f"about {said}"


def short_dollars(amount: Decimal) -> str:
    """Six characters or so, for the top of a bar: "$4.20", "$31", "$1.2k"."""
    size = abs(amount)
    if 0 < size < ALMOST:
        return "<1¢"
    unit, letter = next((pair for pair in _SHORT if size >= pair[0]), (Decimal(1), ""))
    number = size / unit
    digits = 0 if number >= Decimal("99.95") or (not letter and number >= 10) else 1 if letter else 2
    return f"{_sign(amount)}${number:.{digits}f}{letter}"


def share(percent: float | None) -> str:
    return "n/a" if percent is None else f"{percent:g}{SPACE}%"


def ratio(part: Decimal, whole: Decimal) -> str:
    """A part as a percentage, which may be beyond all: "20.1 %". It says nothing, or all, of nothing else."""
    percent = 100 * part / whole
    if 0 < percent < ALMOST_A_TENTH:
        return f"under 0.1{SPACE}%"
    near = 100 - ALMOST_A_TENTH <= percent < 100
    said = "99.9" if near else f"{abs(percent):,.1f}".removesuffix(".0")
    return f"{_sign(percent)}{said}{SPACE}%"


def whole_share(percent: float) -> str:
    """Without decimals, unless that would say all or nothing where it is not."""
    rounded = round(percent)
    return f"{percent:g}{SPACE}%" if rounded in (0, 100) else f"{rounded}{SPACE}%"


def points(change: float) -> str:
    """A change in percentage points."""
    if change == 0:
        return "no change"
    sign = "+" if change > 0 else MINUS
    return f"{sign}{abs(change):g} {'point' if abs(change) == 1 else 'points'}"


def lasting(seconds: float) -> str:
    """A length of time, in the largest unit of which there are two: "3.2 days", "34 minutes"."""
    for size, name in _UNITS:
        if seconds >= 2 * size:
            return f"{round(seconds / size, 1):,g} {name}"
    return f"{max(0, round(seconds))} {'second' if round(seconds) == 1 else 'seconds'}"


def span(since: date, until: date) -> str:
    """Both days included: "Oct 24 – Nov 23, 2026"; one day alone where they are the same."""
    if since == until:
        return plain_day(until)
    first = plain_day_of_year(since) if since.year == until.year else plain_day(since)
    return f"{first} – {plain_day(until)}"


def last_day(until: date) -> date:
    """Of what ends before that day's first moment."""
    return until - timedelta(days=1)


def _sign(amount: Decimal) -> str:
    return MINUS if amount < 0 else ""
