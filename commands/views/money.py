"""How a forecast reads: in a row, in a confirm dialog, in a plan, and of many functions together.

What is not known is said to be so, and is never $0.
"""

from collections.abc import Sequence
from datetime import datetime
from math import floor, log10

from commands.views.amounts import about_dollars, likely_dollars
from commands.views.text import clip, code, count, listing, plain_day_of_year, prose, sentence
from storage.forecasts import Forecast, Range, Unit
from storage.totals import FREE_TRACES, Total

NAMED = 3  # of high volume
CONFIRM_SHOWN = 66
SPIKY_SHARE = 0.1  # of a sum, from which on it matters that bursts cost less than expected
PRICE_SHOWN = 300
NOT_KNOWN = "not known yet"
# What AWS documents as deciding before Lambda does: docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
SAMPLED_BEFORE = (
    "Lambda's own sampling cannot be set. Where API Gateway, AppSync or Step Functions calls it, an X-Ray sampling "
    "rule decides there first: what it leaves out is not recorded here either"
)
_LARGE = ((1e9, " billion"), (1e6, " million"))


def row_line(forecast: Forecast, *, old: bool = False) -> str:
    """For a digest's row; `old`: its traffic is of so long ago that it is said."""
    words = [f"{recorded(forecast)}, {amount(forecast.usd)}" if forecast.invocations else _not_invoked(forecast)]
    if forecast.spiky:
        words.append("likely much lower, as it is invoked in bursts")
    if old:
        words.append(f"by its traffic until {_day(forecast.until)}")
    loud = " · *high volume*" if forecast.busy else ""
    return f"Tracing it: {', '.join(words)}{loud}"


def confirm_line(forecast: Forecast | None) -> str:
    """For a confirm dialog, plain text."""
    if forecast is None:
        return f"Cost: {NOT_KNOWN}; X-Ray bills for traces."
    spiky = ", likely much lower" if forecast.spiky else ""
    said = f"Cost: {amount(forecast.usd)}{spiky}."
    if forecast.usd and len(said) > CONFIRM_SHOWN:
        return f"Cost: {about_dollars(likely_dollars(forecast.usd.expected))} a month{spiky}."
    return said


def loud_line(forecast: Forecast | None) -> str:
    """For the same dialog; empty where there is nothing to warn of."""
    return "High volume: better sampled by what calls it." if forecast and forecast.busy else ""


def plan_line(forecast: Forecast | None, why: str = "") -> str:
    """What is behind *Cost:* in a plan; `why` it is not known, where that is known."""
    if forecast is None:
        reason = f": {prose(clip(why, 150))}" if why else f" {NOT_KNOWN.removeprefix('not known ')}"
        return f"not known{reason}; X-Ray bills for traces"
    if not forecast.invocations:
        return _not_invoked(forecast)
    spiky = "; likely much lower, as it is invoked in bursts" if forecast.spiky else ""
    return f"{amount(forecast.usd)}, before the free tier: {recorded(forecast)}{spiky}"


def busy_line(forecast: Forecast | None) -> str:
    """What can be done about a function of high volume; empty where there is nothing to do."""
    return f"*High volume:* {SAMPLED_BEFORE}." if forecast and forecast.busy else ""


def how(forecast: Forecast) -> str:
    """How the forecast was made, from when to when, and by which price."""
    unit = (
        "Spans are billed there, and not traces"
        if forecast.unit is Unit.SPANS
        else "Lambda records one request a second and 5\N{NO-BREAK SPACE}% of the others"
    )
    invoked = count(forecast.invocations, "invocation")
    made = (
        f"The forecast: 30 days like those from {_day(forecast.since)} to {_day(forecast.until)} "
        f"({invoked}, by {_bins(forecast.period)}). {unit}"
    )
    price = f"; {prose(clip(forecast.price, PRICE_SHOWN))}" if forecast.price else ""
    scaled = f" Scaled by {forecast.scaled:.2f}, as earlier forecasts missed." if forecast.scaled != 1.0 else ""
    return sentence(f"{made}{price}") + scaled


def recorded(forecast: Forecast) -> str:
    """ "≈ 240,000 traces"; of spans the GB too."""
    gigabytes = forecast.gigabytes if forecast.unit is Unit.SPANS else None
    size = f" ({_gigabytes(gigabytes.expected)})" if gigabytes else ""
    number = about(forecast.recorded.expected)
    noun = str(forecast.unit).removesuffix("s") if number == "1" else str(forecast.unit)
    return f"≈\N{NO-BREAK SPACE}{number} {noun}{size}"


def amount(usd: Range | None) -> str:
    """ "about $1.20 a month ($0.05–$6.10)"."""
    if usd is None:
        return "price not known"
    low, expected, high = (likely_dollars(end) for end in (usd.low, usd.expected, usd.high))
    if high == expected == low:
        return f"{about_dollars(expected)} a month"
    if usd.low < 0.01:
        return f"{about_dollars(expected)} a month (at most {high})"
    return f"{about_dollars(expected)} a month ({low}–{high})"


def price_cell(usd: Range | None) -> str:
    """The same in a table: "1.20 (0.05–6.10)"."""
    if usd is None:
        return "not known"
    low, expected, high = (
        likely_dollars(end).replace("under $", "< ").removeprefix("$") for end in (usd.low, usd.expected, usd.high)
    )
    return expected if low == expected == high else f"{expected} ({low}–{high})"


def about(number: float) -> str:
    """With two digits that mean something: "240,000", "2.5 million"."""
    if number < 1:
        return "0" if number == 0 else "1"
    digits = max(0, floor(log10(number)) - 1)
    rounded = round(number / 10**digits) * 10**digits
    for size, name in _LARGE:
        if rounded >= size:
            return f"{rounded / size:,.2g}{name}" if rounded < 100 * size else f"{rounded / size:,.0f}{name}"
    return f"{rounded:,.0f}"


def total_line(total: Total) -> str:
    """Of a team's untraced functions together, or of some of them; empty for none."""
    if not total.functions:
        return ""
    what = f"Tracing all {total.functions:,}" if total.functions > 1 else "Tracing it"
    return f"{what}: {sum_of(total)}"


def sum_of(total: Total) -> str:
    """ "about $3.10 a month ($0.40–$12), 2 of them not known; before the free tier, by traffic until 27 Nov"."""
    if not total.priced:
        return f"cost {NOT_KNOWN}"
    until = f", by traffic until {_day(total.until)}" if total.until else ""
    return f"{_sum(total)}; before the free tier{until}"


def whole_line(total: Total, already: Range) -> str:
    """Of all untraced functions of the organization: the only sum from which the free tier can be taken. `already` as
    in `Total.after_free_tier`."""
    if not total.traces.expected:
        return total_line(total)
    if already.low >= FREE_TRACES:
        return f"{total_line(total)}. Traced functions use up the free tier of {FREE_TRACES:,} traces a month."
    tier = f"{FREE_TRACES:,} traces a month, once for all accounts that are paid together"
    used = f", of which traced functions use {about(min(FREE_TRACES, already.expected))}" if already.expected else ""
    return f"{total_line(total)}. After it ({tier}{used}): {amount(total.after_free_tier(already))}."


def high_volume(names: Sequence[str]) -> str:
    """One warning for all functions of high volume among many, for who is about to approve them; empty where there are
    none."""
    return f"{_of_high_volume(names)} {SAMPLED_BEFORE}." if names else ""


def high_volume_named(names: Sequence[str]) -> str:
    """The same for a message that comes each day: what can be done stands on each function's card."""
    return f"{_of_high_volume(names)} `/trace-audit &lt;function&gt;` says what can lower it." if names else ""


def _of_high_volume(names: Sequence[str]) -> str:
    return f"*High volume:* {listing([code(clip(name, 64)) for name in names], NAMED)}."


def _sum(total: Total) -> str:
    said = amount(total.usd)
    if total.unknown:
        said += f", {total.unknown:,} of them not known"
    if total.spiky_usd >= SPIKY_SHARE * total.usd.expected and total.spiky_usd:
        said += f"; likely lower, as {likely_dollars(total.spiky_usd)} of it comes in bursts"
    return said


def _not_invoked(forecast: Forecast) -> str:
    return f"{amount(forecast.usd)}, as it was not invoked in {count(round(forecast.days), 'day')}"


def _gigabytes(size: float) -> str:
    return f"{size:,.1f} GB" if size >= 0.1 else "less than 0.1 GB"


def _bins(seconds: int) -> str:
    return {60: "the minute", 3600: "the hour"}.get(seconds, f"{seconds // 60} minutes")


def _day(time: datetime) -> str:
    """As it is in the UTC days of CloudWatch, in dialogs too, which know no reader's zone."""
    return plain_day_of_year(time)
