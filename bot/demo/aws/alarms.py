"""CloudWatch's alarms in pages, and its memory of them, which moto lacks; the alarms themselves are moto's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from bot.demo.aws.knobs import Knobs, aware, page
from bot.demo.aws.protocol import AwsError, Handler, Request

_KEPT = timedelta(days=30)
_PAGE = 100  # AWS's most
_ALARMS = 50  # in a page, where nobody asks for more
_METRIC = "MetricAlarm"


@dataclass(frozen=True, slots=True)
class _Change:
    alarm: str
    at: datetime
    before: str
    after: str
    kind: str = _METRIC
    data: str | None = None  # HistoryData as it is told, whatever it is; None: as AWS writes it

    def described(self) -> dict[str, Any]:
        states = {"oldState": {"stateValue": self.before}, "newState": {"stateValue": self.after}}
        return {
            "AlarmName": self.alarm,
            "AlarmType": self.kind,
            "Timestamp": self.at,
            "HistoryItemType": "StateUpdate",
            "HistorySummary": f"Alarm updated from {self.before} to {self.after}",
            "HistoryData": json.dumps({"version": "1.0", **states}) if self.data is None else self.data,
        }


class Alarms:
    """Every change of state in the last 30 days."""

    def __init__(self, knobs: Knobs) -> None:
        self._knobs = knobs
        self._changes: dict[tuple[str, str], list[_Change]] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "DescribeAlarms": self._describe,
            "DescribeAlarmHistory": self._history,
            "SetAlarmState": self._notice,
        }

    def watch(self, account: str, region: str, alarm: str, function: str) -> None:
        """An alarm on a function's errors."""
        cloudwatch_backends[account][region].put_metric_alarm(
            name=alarm,
            namespace="AWS/Lambda",
            metric_name="Errors",
            comparison_operator="GreaterThanThreshold",
            evaluation_periods=1,
            period=300,
            threshold=5,
            statistic="Sum",
            description="",
            dimensions=[{"Name": "FunctionName", "Value": function}],
            alarm_actions=[],
        ).state_value = "OK"

    def incident(
        self, account: str, region: str, alarm: str, started: datetime, ended: datetime | None, kind: str = _METRIC
    ) -> None:
        """A time in ALARM; `ended` is None while it lasts."""
        known = self._changes.setdefault((account, region), [])
        known.append(_Change(alarm, started, "OK", "ALARM", kind))
        if ended is not None:
            known.append(_Change(alarm, ended, "ALARM", "OK", kind))
        elif alarm in cloudwatch_backends[account][region].alarms:
            cloudwatch_backends[account][region].alarms[alarm].state_value = "ALARM"

    def changed(
        self, account: str, region: str, alarm: str, at: datetime, before: str, after: str, data: str | None = None
    ) -> None:
        """One change of state; `data` is told in place of what AWS would tell."""
        known = self._changes.setdefault((account, region), [])
        known.append(_Change(alarm, at, before, after, data=data))

    def _notice(self, request: Request) -> None:
        """Remember what moto is about to do."""
        alarm = cloudwatch_backends[request.account][request.region].alarms.get(request.params["AlarmName"])
        after = request.params["StateValue"]
        if alarm is not None and alarm.state_value != after:
            known = self._changes.setdefault((request.account, request.region), [])
            known.append(_Change(alarm.name, self._knobs.clock(), alarm.state_value, after))

    def _describe(self, request: Request) -> Mapping[str, Any] | None:
        asked = request.params
        if asked.get("ActionPrefix") or asked.get("ChildrenOfAlarmName") or asked.get("ParentsOfAlarmName"):
            return None
        size = _size(asked, _ALARMS)
        if _METRIC not in (asked.get("AlarmTypes") or [_METRIC]):
            return {"MetricAlarms": [], "CompositeAlarms": []}
        found = [
            alarm
            for alarm in cloudwatch_backends[request.account][request.region].alarms.values()
            if alarm.rule is None
            and alarm.name in (asked.get("AlarmNames") or [alarm.name])
            and alarm.name.startswith(asked.get("AlarmNamePrefix") or "")
            and asked.get("StateValue") in (None, alarm.state_value)
        ]
        refusal = AwsError("InvalidNextToken", "The next token specified is invalid.")
        shown, after = page(found, size, asked.get("NextToken"), lambda alarm: str(alarm.name), refusal)
        return {"MetricAlarms": [_described(alarm) for alarm in shown], "NextToken": after}

    def _history(self, request: Request) -> Mapping[str, Any]:
        asked = request.params
        now = self._knobs.clock()
        since = max(aware(asked.get("StartDate") or now - _KEPT), now - _KEPT)
        until = aware(asked.get("EndDate") or now)
        found = [
            change
            for change in self._changes.get((request.account, request.region), [])
            if asked.get("AlarmName") in (None, change.alarm)
            and since <= change.at <= until
            and change.kind in (asked.get("AlarmTypes") or [_METRIC])
        ]
        if asked.get("HistoryItemType") not in (None, "StateUpdate"):
            found = []
        sign = 1 if asked.get("ScanBy") == "TimestampAscending" else -1
        size = _size(asked, _PAGE)
        refusal = AwsError("InvalidNextToken", "The next token specified is invalid.")
        shown, after = page(found, size, asked.get("NextToken"), lambda change: _key(change, sign), refusal)
        return {"AlarmHistoryItems": [change.described() for change in shown], "NextToken": after}


def _key(change: _Change, sign: int) -> str:
    """Sorts by time, forwards or backwards."""
    return f"{10**11 + sign * change.at.timestamp():020.6f} {change.alarm} {change.after}"


def _size(asked: Mapping[str, Any], usual: int) -> int:
    size = int(asked.get("MaxRecords") or usual)
    if size > _PAGE:
        raise AwsError(
            "ValidationError",
            f"1 validation error detected: Value '{size}' at 'maxRecords' failed to satisfy constraint: "
            f"Member must have value less than or equal to {_PAGE}",
        )
    return size


def _described(alarm: Any) -> dict[str, Any]:
    told = {
        "AlarmName": alarm.name,
        "AlarmArn": alarm.alarm_arn,
        "AlarmDescription": alarm.description,
        "ActionsEnabled": alarm.actions_enabled,
        "StateValue": alarm.state_value,
        "StateReason": alarm.state_reason,
        "StateUpdatedTimestamp": alarm.state_updated_timestamp,
        "EvaluationPeriods": alarm.evaluation_periods,
        "Threshold": alarm.threshold,
        "ComparisonOperator": alarm.comparison_operator,
    }
    if not alarm.metric_data_queries:
        metric = {"Namespace": alarm.namespace, "MetricName": alarm.metric_name, "Statistic": alarm.statistic}
        return {**told, **metric, "Period": alarm.period, "Dimensions": _dimensions(alarm.dimensions)}
    return {**told, "Metrics": [_query(query) for query in alarm.metric_data_queries]}


def _query(query: Any) -> dict[str, Any]:
    told = {"Id": query.id, "Expression": query.expression, "Label": query.label, "ReturnData": query.return_data}
    if query.metric_stat:
        metric = query.metric_stat.metric
        named = {"Namespace": metric.namespace, "MetricName": metric.metric_name}
        described = {**named, "Dimensions": _dimensions(metric.dimensions)}
        told["MetricStat"] = {
            "Metric": described,
            "Period": query.metric_stat.period,
            "Stat": query.metric_stat.stat,
        }
    return {name: value for name, value in told.items() if value is not None}


def _dimensions(dimensions: Any) -> list[dict[str, str]]:
    return [{"Name": one.name, "Value": one.value} for one in dimensions]
