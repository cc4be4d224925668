"""A report in words: each figure with how sure it is, or why it is not known. It stands without pictures."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from commands.views import blocks
from commands.views.amounts import about_dollars, dollars, lasting, points, ratio, share, span
from commands.views.blocks import Block
from commands.views.chart_data import Chart, worst_first
from commands.views.forecast_errors import errors_value, worst_line
from commands.views.living import who
from commands.views.text import ZERO_WIDTH_SPACE, clip, count, escape, plain_day_of_year, sentence
from storage.kpis import Figures, Median, Spent, TeamFigures
from storage.models import Coverage

SHARE = "share-report"
TEAMS_SHOWN = 10
TEAM_SHOWN = 60  # characters of a name in the list
REASON_SHOWN = 400  # enough for each reason that Lamplighter gives
HOW_SHOWN = 500
ALT_LIMIT = 2000  # Slack's, of an image block
TOLD = {"coverage", "before", "remediation", "mttr_traced", "mttr_untraced", "spent", "budget_usd", "attribution"}
WITHOUT_PICTURES = (
    "No pictures: matplotlib is not installed. Install requirements-charts.txt, or use an image that was built with it."
)


@dataclass(frozen=True, slots=True)
class Extras:
    """What a report has beside its figures, where it is shown."""

    pictures: Sequence[tuple[str, Chart]] = ()  # Slack's id of a file, and what it shows
    shared_by: str = ""  # a mention
    share: str = ""  # what the button carries that posts it in the channel; "": there is none
    can_draw: bool = True


def report_text(figures: Figures) -> str:
    """For notifications and screen readers; stands alone."""
    parts = [f"coverage {_coverage_in_short(figures)}"]
    if figures.remediation.seconds is not None:
        parts.append(f"time to remediate {lasting(figures.remediation.seconds)} (median of {figures.remediation.n:,})")
    if figures.spent:
        parts.append(f"X-Ray {_bill(figures.spent[-1], figures.made_at.date())}{_of_budget(figures)}")
    return f"Tracing report of {_whose(figures)}, {_window(figures)}: {'; '.join(parts)}."


def report_blocks(figures: Figures, extras: Extras = Extras()) -> list[Block]:
    """At most 15 blocks."""
    made = [
        blocks.header(f"Tracing report: {figures.team or 'all teams'}"),
        blocks.context(_about(figures, extras.shared_by)),
        blocks.fields(*_kpis(figures)),
        blocks.context(_side_by_side(figures)),
        *(_image(file, chart) for file, chart in extras.pictures),
        *_by_team(figures),
        *(blocks.context(line) for line in _notes(figures, extras)),
    ]
    if extras.share:
        button = blocks.button("Post it here", SHARE, extras.share, described="Post this report in the channel")
        made.append({"type": "actions", "elements": [button]})
    return made


def report_heading(figures: Figures) -> str:
    """For a terminal."""
    return f"Tracing report: {figures.team or 'all teams'}, {_about(figures, '')}"


def kpi_lines(figures: Figures) -> list[tuple[str, str]]:
    """For a terminal: each figure's name and what is known of it, and last what else there is to know."""
    said = [*_kpis(figures), ("Note", _side_by_side(figures)), *(("Note", line) for line in _notes(figures, Extras()))]
    return [(label, _plain(value)) for label, value in said]


def files_text(figures: Figures, charts: Sequence[Chart]) -> str:
    """Above the files in the thread; where Slack takes no files, what the pictures would have shown."""
    shown = " ".join(escape(one.alt) for one in charts)
    return clip(f"The figures of {_window(figures)} as a CSV file. {shown}".strip(), 2900)


def _plain(text: str) -> str:
    """One line, without what is meant for Slack."""
    return html.unescape(text.replace(ZERO_WIDTH_SPACE, "").replace("\n", "; "))


def _about(figures: Figures, shared_by: str) -> str:
    of = "production functions" if figures.production_only else "all functions, as no setting says which are production"
    shared = f" · shared by {shared_by}" if shared_by else ""
    return f"{_window(figures)} ({count(figures.window.days, 'day')}, UTC) · {of}{shared}"


def _kpis(figures: Figures) -> list[tuple[str, str]]:
    return [
        ("Coverage", f"{_coverage_in_short(figures)}\n{_counts(figures.whole.coverage)}"),
        ("Time to remediate", _remediation(figures)),
        ("Incidents of traced functions", _mttr(figures, figures.mttr_traced, "mttr_traced")),
        ("Incidents of untraced functions", _mttr(figures, figures.mttr_untraced, "mttr_untraced")),
        ("X-Ray cost", _cost(figures)),
        ("Budget", _budget(figures)),
        *([("Forecasts against X-Ray", errors_value(figures.forecasts))] if figures.forecasts else []),
        ("Cost with a known team", _attribution(figures)),
        *([("X-Ray cost of this team", _own_cost(figures))] if figures.team else []),
    ]


def _coverage_in_short(figures: Figures) -> str:
    whole = figures.whole
    now, before = whole.coverage.percent, whole.before.percent if whole.before else None
    reasons = {field: escape(clip(why.rstrip("."), REASON_SHOWN)) for field, why in figures.unknown.items()}
    if now is None:
        why = reasons.get("coverage")
        return f"unknown: {why}" if why else "n/a, nothing that can be traced was seen"
    if before is None:
        return f"{share(now)} ({reasons.get('before', 'nothing to compare with')})"
    return f"{share(now)} ({points(round(now - before, 1))})"


def _counts(coverage: Coverage) -> str:
    """What the percentage is made of, and what is counted apart."""
    whole = coverage.traced + coverage.untraced + coverage.exempt
    said = [f"{coverage.traced:,} of {whole:,} traced", f"{coverage.exempt:,} exempt"]
    said += [f"{coverage.not_applicable:,} not applicable"] if coverage.not_applicable else []
    return " · ".join([*said, *([f"{coverage.unknown:,} unknown"] if coverage.unknown else [])])


def _remediation(figures: Figures) -> str:
    """From first seen untraced to seen traced: audits are a day apart, and so is what they can tell."""
    known = figures.remediation
    waiting = f"; {known.going_on:,} still untraced, not counted" if known.going_on else ""
    if known.seconds is None:
        return f"{_why(figures, 'remediation', 'no audit in this window has seen a fix', known_as='none')}{waiting}"
    return f"median {lasting(known.seconds)}, n = {known.n:,}{waiting}"


def _mttr(figures: Figures, median: Median | None, field: str) -> str:
    if median is None:
        return _why(figures, field, "no alarm history is known")
    going_on = f"; {median.going_on:,} going on, not counted" if median.going_on else ""
    if median.seconds is None:
        return f"none ended in this window{going_on}"
    return f"median {lasting(median.seconds)} to repair, n = {median.n:,}{going_on}"


def _side_by_side(figures: Figures) -> str:
    """Two medians beside each other invite a conclusion that they do not carry."""
    few = any(one is not None and 0 < one.n < 10 for one in (figures.mttr_traced, figures.mttr_untraced))
    small = " Fewer than ten on a side say little." if few else ""
    return (
        "Incidents: from ALARM to OK of CloudWatch alarms on functions. The two medians stand side by side and show no "
        f"cause: traced functions differ from untraced ones in more than tracing.{small}"
    )


def _cost(figures: Figures) -> str:
    if not figures.spent:
        return _why(figures, "spent", "Cost Explorer told nothing")
    today = figures.made_at.date()
    latest, *before = reversed((*figures.earlier, *figures.spent))
    lines = [_bill(latest, today)]
    if latest.share is not None:
        lines.append(f"{ratio(latest.xray_usd, latest.lambda_usd)} of Lambda's {dollars(latest.lambda_usd)}")
    lines += [_bill(before[0], today)] if before else []
    return "\n".join([*lines, f"all accounts, as billed by {plain_day_of_year(figures.spent[-1].asked_at)}"])


def _bill(spent: Spent, today: date) -> str:
    still = "so far" if spent.month >= today.replace(day=1) else "estimated"
    return f"{dollars(spent.xray_usd)} in {spent.month:%b %Y}{f' {still}' if spent.estimated else ''}"


def _budget(figures: Figures) -> str:
    if figures.budget_usd is None:
        return _why(figures, "budget_usd", "[budget] monthly_usd is not set", known_as="none")
    return f"{dollars(figures.budget_usd)} a month{_of_budget(figures)}"


def _of_budget(figures: Figures) -> str:
    if not figures.spent or not figures.budget_usd:
        return ""
    latest = figures.spent[-1]
    used = ratio(latest.xray_usd, figures.budget_usd)
    return f", {used} of it used in {latest.month:%b}{' so far' if latest.estimated else ''}"


def _attribution(figures: Figures) -> str:
    if figures.attribution is None:
        return _why(figures, "attribution", "Lambda's cost is not known by function")
    return f"{ratio(Decimal(figures.attribution.known), Decimal(1))} of Lambda's"


def _own_cost(figures: Figures) -> str:
    if figures.whole.xray_usd is None:
        return _why(figures, "xray_usd", "the cost of X-Ray is not known")
    return f"{about_dollars(dollars(figures.whole.xray_usd))} of {_months(figures)}, by its share of traces"


def _why(figures: Figures, field: str, otherwise: str, known_as: str = "unknown") -> str:
    reason = figures.unknown.get(field) or otherwise
    return f"{known_as}: {escape(clip(reason, REASON_SHOWN))}"


def _by_team(figures: Figures) -> list[Block]:
    """Most untraced first."""
    if figures.team is not None or not figures.by_team:
        return []
    ranked = worst_first(figures.by_team)
    lines = [_team(name, one) for name, one in ranked[:TEAMS_SHOWN]]
    left = ranked[TEAMS_SHOWN:]
    if left:
        untraced = sum(one.coverage.untraced for _, one in left)
        lines.append(f"and {count(len(left), 'more team')} with {untraced:,} untraced: in the CSV file")
    return [blocks.section("\n".join(["*By team*, most untraced first", *lines]))]


def _team(name: str | None, figures: TeamFigures) -> str:
    coverage = figures.coverage
    whole = coverage.traced + coverage.untraced + coverage.exempt
    said = [share(coverage.percent)]
    before = figures.before.percent if figures.before else None
    if coverage.percent is not None and before is not None:
        said[0] += f" ({points(round(coverage.percent - before, 1))})"
    said.append(f"{coverage.untraced:,} of {whole:,} untraced")
    if coverage.unknown:
        said.append(f"{coverage.unknown:,} unknown")
    if figures.xray_usd is not None:
        said.append(f"X-Ray {about_dollars(dollars(figures.xray_usd))}")
    return f"• {who(clip(name, TEAM_SHOWN)) if name else '*no known team*'}: {', '.join(said)}"


def _months(figures: Figures) -> str:
    """Those whose bill is shared out."""
    if not figures.spent:
        return "no month"
    first, last = figures.spent[0].month, figures.spent[-1].month
    return f"{last:%b %Y}" if first == last else f"{first:%b %Y} to {last:%b %Y}"


def _image(file: str, chart: Chart) -> Block:
    return {"type": "image", "slack_file": {"id": file}, "alt_text": clip(chart.alt, ALT_LIMIT)}


def _notes(figures: Figures, extras: Extras) -> list[str]:
    said = []
    if figures.not_seen:
        said.append(f"The last audit could not fully see {count(figures.not_seen, 'place')}: not counted there.")
    if figures.team is None and any(one.xray_usd is not None for one in figures.by_team.values()):
        said.append(
            f"A team's X-Ray cost is of {_months(figures)}, shared out by traces (X-Ray's count of the week "
            "after a fix, else as forecast from traffic), for as long as its functions were traced."
        )
    if figures.attribution:
        said.append(f"Cost with a known team: {escape(clip(figures.attribution.how.rstrip('.'), HOW_SHOWN))}.")
    if figures.forecasts and (worst := worst_line(figures.forecasts)):
        said.append(worst)
    told = {why for field, why in figures.unknown.items() if field in TOLD}
    more = dict.fromkeys(why for field, why in figures.unknown.items() if field not in TOLD and why not in told)
    said += [sentence(escape(clip(why, REASON_SHOWN))) for why in more]
    said += [] if extras.can_draw else [WITHOUT_PICTURES]
    return [" ".join(said)] if said else []


def _whose(figures: Figures) -> str:
    return who(figures.team) if figures.team else "all teams"


def _window(figures: Figures) -> str:
    return span(figures.window.first, figures.window.last)
