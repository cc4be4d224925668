"""CloudWatch's alarms on functions, and their history, which AWS keeps for 30 days. Reads only."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from commands.aws.asking import Patience, ask
from commands.aws.errors import Where
from storage.incidents import Alarm, Transition

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

PAGE = 100  # AWS's most, of alarms as of their history
HISTORY_PAUSE = 0.34  # seconds: DescribeAlarmHistory takes 3 calls a second in each account and region
PATIENCE_SECONDS = 30.0  # for one page, where AWS throttles

_SUMMARY = re.compile(r"^Alarm updated from \w+ to (OK|ALARM|INSUFFICIENT_DATA)\b")
_STATES = frozenset({"OK", "ALARM", "INSUFFICIENT_DATA"})


def read_alarms(cloud: "Cloud", account: str, region: str, patience: Patience | None = None) -> list[Alarm]:
    """The metric alarms that watch functions: by FunctionName or Resource among their dimensions, in any namespace.

    Alarms that are made of other alarms, and those whose metrics are found by a search or an SQL query, name no
    function and are left out. IAM: cloudwatch:DescribeAlarms, on `*`. Raises AwsProblem.
    """
    asked = {"AlarmTypes": ["MetricAlarm"]}
    return [
        Alarm(account, region, told["AlarmName"], functions, told.get("StateValue", ""))
        for page in _pages(cloud, account, region, "describe_alarms", asked, patience or cloud.patience)
        for told in page.get("MetricAlarms") or ()
        if (functions := _functions(told, cloud.partition, account, region))
    ]


def read_history(
    cloud: "Cloud", account: str, region: str, since: datetime, until: datetime, patience: Patience | None = None
) -> Iterator[list[Transition]]:
    """The changes of state of all metric alarms in this time, oldest first, a page at a time.

    What cannot be read of a page is left out. IAM: cloudwatch:DescribeAlarmHistory, on `*`. Raises AwsProblem.
    """
    asked = {
        "HistoryItemType": "StateUpdate",
        "AlarmTypes": ["MetricAlarm"],
        "StartDate": since,
        "EndDate": until,
        "ScanBy": "TimestampAscending",
    }
    patience = patience or cloud.patience
    for number, page in enumerate(_pages(cloud, account, region, "describe_alarm_history", asked, patience)):
        if number:
            patience.wait(HISTORY_PAUSE)
        yield [one for item in page.get("AlarmHistoryItems") or () if (one := transition(item))]


def transition(item: Mapping[str, Any]) -> Transition | None:
    """What an item of the history tells; None where that is nothing that can be read."""
    name, at = item.get("AlarmName"), item.get("Timestamp")
    state = _state(item)
    if not name or not isinstance(at, datetime) or state is None:
        return None
    return Transition(str(name), at if at.tzinfo else at.replace(tzinfo=UTC), state)


def _state(item: Mapping[str, Any]) -> str | None:
    try:
        told = json.loads(item.get("HistoryData") or "")["newState"]["stateValue"]
    except (ValueError, TypeError, KeyError, RecursionError):
        told = None
    if isinstance(told, str) and told in _STATES:
        return told
    said = _SUMMARY.match(str(item.get("HistorySummary") or ""))
    return said[1] if said else None


def _pages(
    cloud: "Cloud", account: str, region: str, method: str, asked: Mapping[str, Any], patience: Patience
) -> Iterator[Mapping[str, Any]]:
    where = Where(account=account, region=region, service="cloudwatch")
    token = ""
    while True:
        given = {**asked, "MaxRecords": PAGE, **({"NextToken": token} if token else {})}
        with cloud.acting_as(account):  # for this call alone: whoever takes the page may ask elsewhere next
            call: Callable[..., Any] = getattr(cloud.client("cloudwatch", region, attempts=1), method)
            page = patience.ask(lambda: ask(lambda: call(**given), **where), PATIENCE_SECONDS)  # noqa: B023 - called at once
        yield page
        following = page.get("NextToken") or ""
        if not following or following == token:
            return
        token = following


def _functions(told: Mapping[str, Any], partition: str, account: str, region: str) -> tuple[str, ...]:
    """ARNs of the functions that an alarm's metrics are of; a metric may be another account's."""
    sets = [(account, told.get("Dimensions"))]
    for query in told.get("Metrics") or ():
        metric = (query.get("MetricStat") or {}).get("Metric") or {}
        sets.append((query.get("AccountId") or account, metric.get("Dimensions")))
    named = {(owner, name) for owner, dimensions in sets if (name := _name(dimensions or ()))}
    return tuple(sorted(f"arn:{partition}:lambda:{region}:{owner}:function:{name}" for owner, name in named))


def _name(dimensions: Iterable[Mapping[str, str]]) -> str:
    """FunctionName, or what stands before the alias or version in Resource."""
    given = {each.get("Name"): each.get("Value") or "" for each in dimensions}
    return given.get("FunctionName") or given.get("Resource", "").partition(":")[0]
