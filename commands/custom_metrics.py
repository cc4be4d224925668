"""Now and again: what the newest audit found goes to CloudWatch, once for each audit, where the settings ask for it."""

import logging
from collections.abc import Iterator
from datetime import timedelta

from commands._dashboards import Shown, coverage
from commands._types import Answer, Context, Progress, Request
from commands.aws import custom_metrics
from commands.aws.custom_metrics import Datum
from commands.aws.errors import AwsProblem
from storage.models import Coverage, DecisionKind

log = logging.getLogger(__name__)

CUSTOM_METRICS = "custom-metrics"
EVERY = timedelta(minutes=5)
TOO_OLD = timedelta(days=13)  # CloudWatch takes nothing that is two weeks old
_COUNTS = {
    "Traced": "traced",
    "Untraced": "untraced",
    "Exempt": "exempt",
    "NotApplicable": "not_applicable",
    "Unknown": "unknown",
}


def send(request: Request, context: Context) -> Answer:  # noqa: ARG001 - a command's shape
    """Send what is due. Where AWS refuses, the log says so and the next turn tries again; no audit waits for it."""
    audit = context.store.audits.latest() if context.custom_metrics else None
    if audit is None or context.clock() - audit.finished_at > TOO_OLD:
        return
    job, day = f"{CUSTOM_METRICS}:{audit.id}", audit.finished_at.date()
    if not context.store.daily_runs.begin(job, day, context.clock()):
        return
    told = list(data(context))
    try:
        custom_metrics.put(context.cloud, told, audit.finished_at)
    except AwsProblem as problem:
        log.warning("the custom metrics of audit %s were not sent, and are again in a while: %s", audit.id, problem)
        return
    context.store.daily_runs.end(job, day, context.clock())
    yield Progress(f"custom metrics of audit {audit.id}: {price_line(len(told))}")


def price_line(metrics: int) -> str:
    """What they may cost."""
    return (
        f"{metrics:,} CloudWatch metrics, at most ${custom_metrics.usd_a_month(metrics):,.2f} a month "
        f"(AWS's list price of ${custom_metrics.USD_A_MONTH} each for the first 10,000)"
    )


def data(context: Context) -> Iterator[Datum]:
    """All metrics, as memory has them now: of everything, then of each team."""
    store = context.store
    shown = Shown.of(store.dashboards.functions(context.policy.production))
    teams = {team: coverage(counts) for team, counts in shown.teams.items()}
    production = {team: coverage(counts) for team, counts in shown.production.items()}
    yield from _counts(Coverage.sum(teams.values()), Coverage.sum(production.values()), None)
    audit = store.audits.latest()
    if audit:
        yield Datum("AuditDuration", "Seconds", audit.seconds)
        yield Datum("AuditAwsCalls", "Count", audit.aws_calls)
        yield Datum("PlacesNotScanned", "Count", len(audit.not_scanned))
    yield Datum("PostsWaiting", "Count", store.dashboards.posts_waiting())
    fixes = store.dashboards.fixes()
    yield Datum("FixesApplied", "Count", fixes[DecisionKind.APPLIED])
    yield Datum("FixesFailed", "Count", fixes[DecisionKind.FAILED])
    month = context.clock().date().replace(day=1)
    for spent in store.spend.months(month):
        if spent.month == month:
            yield Datum("XRaySpendMonthToDate", "None", float(spent.xray_usd))
    for team, counts in teams.items():
        yield from _counts(counts, production.get(team, Coverage()), team)


def _counts(counts: Coverage, production: Coverage, team: str | None) -> Iterator[Datum]:
    if production.percent is not None:
        yield Datum("Coverage", "Percent", production.percent, team)
    for name, verdict in _COUNTS.items():
        yield Datum(name, "Count", getattr(counts, verdict), team)
