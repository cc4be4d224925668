"""A week after a fix: what was forecast, held against what X-Ray saw and what CloudWatch counted."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from commands._purse import Purse
from commands._types import Answer, Context, Progress, Request
from commands.aws.errors import AwsProblem
from commands.aws.metric_data import OVER_CAP
from commands.aws.sampling import modelled
from commands.aws.service_graph import AWS_KEEPS, recorded_traces
from commands.aws.trace_destination import trace_destination
from commands.aws.traffic import HOUR, Traffic, Window, traffic
from storage.fixes import RequestState
from storage.forecast_checks import ForecastCheck
from storage.forecasts import Unit
from storage.metrics_asked import Purpose
from storage.models import Function, Verdict

FORECAST_CHECK = "forecast-check"
EVERY = timedelta(hours=1)

NEVER_FORECAST = "Its traffic was not known when it was fixed."
UNDONE = "The fix was undone within the week."
GONE = "The function is gone, or another was made under its name."
NOT_TRACED = "It was not seen to be traced all week."
TOO_LATE = "X-Ray keeps what it counts for 30 days, and could not be asked in time."
NO_MONEY = f"T{OVER_CAP[1:]}."
SPANS_FORECAST = "Its forecast was in spans, as of Transaction Search, and X-Ray's service graph counts traces."
SEARCHED = "Transaction Search is on there, and X-Ray's service graph counts the spans that it indexes alone."

Key = tuple[str, str, Window]  # account, region and days


def forecast_check(request: Request, context: Context) -> Answer:  # noqa: ARG001 - a command's shape
    """Look at those whose week is over. What AWS will not tell now is asked again, until X-Ray has forgotten it."""
    groups: dict[Key, list[tuple[ForecastCheck, Function]]] = {}
    for check in context.store.forecast_checks.due(context.clock()):
        function = context.store.functions.get(check.function_arn)
        why = _not_comparable(context, check, function)
        if why or function is None:
            context.store.forecast_checks.keep_unknown(check, why, context.clock())
            continue
        groups.setdefault((function.account, function.region, Window(check.since, check.until)), []).append(
            (check, function)
        )
    seen = 0
    for key, members in groups.items():
        if context.ending.is_set():
            return
        seen += _look(context, key, members)
    if groups:
        yield Progress(f"forecasts held against X-Ray: {seen} of {sum(map(len, groups.values()))} fixes of a week ago")


def _not_comparable(context: Context, check: ForecastCheck, function: Function | None) -> str:
    """Why this one never will be, as a sentence; "" where it can be looked at."""
    made_at = context.store.functions.made_at(check.function_arn)
    if function is None or (made_at and made_at > check.fixed_at):
        return GONE
    if context.store.requests.get(check.request_id).state is not RequestState.APPLIED:
        return UNDONE
    since = context.store.functions.since(check.function_arn)
    if function.verdict is not Verdict.TRACED or (since and since > check.since):
        return NOT_TRACED
    if check.forecast is None:
        return NEVER_FORECAST
    if check.unit is Unit.SPANS:
        return SPANS_FORECAST
    return TOO_LATE if context.clock() - check.since > AWS_KEEPS else ""


def _look(context: Context, key: Key, members: Sequence[tuple[ForecastCheck, Function]]) -> int:
    """Ask about one place's week; how many are known now."""
    account, region, window = key
    store, now = context.store.forecast_checks, context.clock()
    checks = [check for check, _ in members]
    purse = Purse(context, Purpose.FORECAST_CHECKS)
    if purse.empty:
        store.put_off(checks, NO_MONEY)
        return 0
    try:
        with context.cloud.acting_as(account):
            if trace_destination(context.cloud, account, region).searched:
                for check in checks:
                    store.keep_unknown(check, SEARCHED, now)
                return 0
            recorded = recorded_traces(context.cloud, account, region, window.since, window.until)
            names = sorted({function.name for _, function in members})
            counted = {one.name: one for one in _counted(context, key, names, purse)}
    except AwsProblem as problem:
        store.put_off(checks, str(problem))
        return 0
    return _keep(context, members, recorded, counted)


def _counted(context: Context, key: Key, names: Sequence[str], purse: Purse) -> Iterator[Traffic]:
    """One metric for each function, which AWS bills with $0.00001; none of those that the day has no money for."""
    account, region, window = key
    for batch in traffic(context.cloud, account, region, names, window, HOUR, purse.take):
        yield from batch


def _keep(
    context: Context,
    members: Sequence[tuple[ForecastCheck, Function]],
    recorded: Mapping[str, float],
    counted: Mapping[str, Traffic],
) -> int:
    store, known = context.store.forecast_checks, 0
    for check, function in members:
        said = counted.get(function.name)
        if said is None or said.unknown:
            store.put_off([check], f"{said.unknown}." if said else NO_MONEY)
            continue
        store.keep_seen(check, recorded.get(function.name, 0.0), modelled(said.bins, HOUR), context.clock())
        known += 1
    return known
