"""The metrics of /metrics, by Prometheus's conventions: base units, `_total` for what only grows, sums left to it.

What is not known has no sample: a dashboard shows a gap then, and not a zero.
"""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from bot import VERSION
from commands._budget_alerts import end_of
from commands._dashboards import Shown, coverage
from commands._types import Context
from commands.custom_metrics import CUSTOM_METRICS
from storage.models import Coverage, Verdict


def families(context: Context) -> Iterator[Metric]:
    """All of them, as memory is now."""
    yield InfoMetricFamily("lamplighter_build", "Which Lamplighter runs.", {"version": VERSION})
    yield from _functions(context)
    yield from _audits(context)
    yield from _work(context)
    yield from _money(context)
    if context.events.queue_url:
        from bot.gauges_of_events import families_of_events

        yield from families_of_events(context)


def _functions(context: Context) -> Iterator[Metric]:
    shown = Shown.of(context.store.dashboards.functions(context.policy.production))
    functions = GaugeMetricFamily(
        "lamplighter_functions",
        "Lambda functions by verdict, in number; the smallest teams and accounts of many are together (other).",
        labels=["verdict", "team", "account"],
    )
    for (team, account), counts in shown.pairs.items():
        for verdict in Verdict:
            functions.add_metric([str(verdict), team, account], counts.get(verdict, 0))
    yield functions
    production = GaugeMetricFamily(
        "lamplighter_production_functions",
        "Lambda functions in production by verdict, in number: what coverage is made of.",
        labels=["verdict", "team"],
    )
    of_teams = GaugeMetricFamily(
        "lamplighter_team_coverage_ratio",
        "Of a team's functions in production that could be traced, the share that is, from 0 to 1.",
        labels=["team"],
    )
    total = Coverage.sum(coverage(counts) for counts in shown.production.values())
    for team, counts in shown.production.items():
        for verdict in Verdict:
            production.add_metric([str(verdict), team], counts.get(verdict, 0))
        if (share := _share(coverage(counts))) is not None:
            of_teams.add_metric([team], share)
    yield production
    yield of_teams
    if (share := _share(total)) is not None:
        help_text = "Of all functions in production that could be traced, the share that is, from 0 to 1."
        yield GaugeMetricFamily("lamplighter_coverage_ratio", help_text, value=share)


def _share(counts: Coverage) -> float | None:
    whole = counts.traced + counts.untraced + counts.exempt
    return counts.traced / whole if whole else None


def _audits(context: Context) -> Iterator[Metric]:
    number, calls = context.store.dashboards.audits()
    yield CounterMetricFamily("lamplighter_audits", "Audits that were taken, in number.", value=number)
    yield CounterMetricFamily("lamplighter_audit_aws_calls", "Calls to AWS that audits made, in number.", value=calls)
    audit = context.store.audits.latest()
    if audit is None:
        return
    of_last = {
        "lamplighter_last_audit_timestamp_seconds": (
            "When the newest audit of everything ended, in seconds since 1970.",
            audit.finished_at.timestamp(),
        ),
        "lamplighter_last_audit_age_seconds": (
            "How long ago the newest audit of everything ended, in seconds.",
            max(0.0, (context.clock() - audit.finished_at).total_seconds()),
        ),
        "lamplighter_last_audit_duration_seconds": ("How long it took, in seconds.", audit.seconds),
        "lamplighter_last_audit_aws_calls": ("Calls to AWS that it made, in number.", audit.aws_calls),
        "lamplighter_last_audit_accounts": ("Accounts that it was to look at, in number.", audit.accounts),
        "lamplighter_last_audit_functions": ("Functions that it saw, in number.", audit.functions),
        "lamplighter_last_audit_not_scanned": (
            "Accounts, or regions of one, that it could not see whole, in number of reasons.",
            len(audit.not_scanned),
        ),
    }
    for name, (help_text, value) in of_last.items():
        yield GaugeMetricFamily(name, help_text, value=value)


def _work(context: Context) -> Iterator[Metric]:
    fixes = CounterMetricFamily(
        "lamplighter_fixes", "Fixes and undos that have ended, in number by outcome.", labels=["outcome"]
    )
    for kind, number in context.store.dashboards.fixes().items():
        fixes.add_metric([str(kind)], number)
    yield fixes
    yield GaugeMetricFamily(
        "lamplighter_posts_waiting",
        "Messages that Slack has not taken yet, in number.",
        value=context.store.dashboards.posts_waiting(),
    )
    if context.custom_metrics and (at := context.store.dashboards.last_run(f"{CUSTOM_METRICS}:")):
        yield GaugeMetricFamily(
            "lamplighter_custom_metrics_sent_timestamp_seconds",
            "When CloudWatch last took the custom metrics, in seconds since 1970.",
            value=at.timestamp(),
        )


def _money(context: Context) -> Iterator[Metric]:
    month = context.clock().date().replace(day=1)
    for spent in context.store.spend.months(month):
        if spent.month != month:
            continue
        of_month = {
            "lamplighter_xray_spend_dollars": (
                "What X-Ray and Transaction Search cost in this month so far, in US dollars, as Cost Explorer has it.",
                float(spent.xray_usd),
            ),
            "lamplighter_lambda_spend_dollars": ("The same of Lambda, in US dollars.", float(spent.lambda_usd)),
            "lamplighter_spend_timestamp_seconds": (
                "When Cost Explorer was asked for that, in seconds since 1970.",
                spent.asked_at.timestamp(),
            ),
        }
        for name, (help_text, value) in of_month.items():
            yield GaugeMetricFamily(name, help_text, value=value)
        if end := end_of(context, spent):
            ends = GaugeMetricFamily(
                "lamplighter_xray_month_end_dollars",
                "What they are going to have cost when this month ends, in US dollars: low, expected and high.",
                labels=["bound"],
            )
            for bound in ("low", "expected", "high"):
                ends.add_metric([bound], float(getattr(end, bound)))
            yield ends
    if context.budget.monthly_usd:
        help_text = "What X-Ray may cost in a month by the settings, in US dollars."
        yield GaugeMetricFamily("lamplighter_budget_dollars", help_text, value=float(context.budget.monthly_usd))
    yield from _forecasts(context)


def _forecasts(context: Context) -> Iterator[Metric]:
    labels = ["verdict", "unit"]
    functions = GaugeMetricFamily(
        "lamplighter_forecast_functions", "Functions whose traffic was looked at, in number.", labels=labels
    )
    recorded = GaugeMetricFamily(
        "lamplighter_forecast_recorded",
        "What X-Ray would record of them in 30 days, in traces or, with Transaction Search, in spans.",
        labels=labels,
    )
    dollars = GaugeMetricFamily(
        "lamplighter_forecast_dollars",
        "What that would cost in 30 days, in US dollars, before any free tier; absent where a price is not known.",
        labels=labels,
    )
    for one in context.store.dashboards.foreseen():
        names = [str(one.verdict), one.unit]
        functions.add_metric(names, one.functions)
        recorded.add_metric(names, one.recorded)
        if one.usd is not None:
            dollars.add_metric(names, one.usd)
    yield from (functions, recorded, dollars)
