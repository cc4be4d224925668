"""CloudWatch's memory of alarms, which moto lacks; the alarms themselves are moto's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from bot.demo.aws.knobs import Knobs, aware, page
from bot.demo.aws.protocol import AwsError, Handler, Request

_KEPT = timedelta(days=30)
_PAGE = 100


@dataclass(frozen=True, slots=True)
class _Change:
    alarm: str
    at: datetime
    before: str
    after: str

    def described(self) -> dict[str, Any]:
        states = {"oldState": {"stateValue": self.before}, "newState": {"stateValue": self.after}}
        return {
            "AlarmName": self.alarm,
            "AlarmType": "MetricAlarm",
            "Timestamp": self.at,
            "HistoryItemType": "StateUpdate",
            "HistorySummary": f"Alarm updated from {self.before} to {self.after}",
            "HistoryData": json.dumps({"version": "1.0", **states}),
        }


class Alarms:
    """Every change of state in the last 30 days."""

    def __init__(self, knobs: Knobs) -> None:
        self._knobs = knobs
        self._changes: dict[tuple[str, str], list[_Change]] = {}

    def handlers(self) -> dict[str, Handler]:
        return {"DescribeAlarmHistory": self._history, "SetAlarmState": self._notice}

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

    def incident(self, account: str, region: str, alarm: str, started: datetime, ended: datetime | None) -> None:
        """A time in ALARM; `ended` is None while it lasts."""
        known = self._changes.setdefault((account, region), [])
        known.append(_Change(alarm, started, "OK", "ALARM"))
        if ended is not None:
            known.append(_Change(alarm, ended, "ALARM", "OK"))

    def _notice(self, request: Request) -> None:
        """Remember what moto is about to do."""
        alarm = cloudwatch_backends[request.account][request.region].alarms.get(request.params["AlarmName"])
        after = request.params["StateValue"]
        if alarm is not None and alarm.state_value != after:
            known = self._changes.setdefault((request.account, request.region), [])
            known.append(_Change(alarm.name, self._knobs.clock(), alarm.state_value, after))

    def _history(self, request: Request) -> Mapping[str, Any]:
        asked = request.params
        now = self._knobs.clock()
        since = max(aware(asked.get("StartDate") or now - _KEPT), now - _KEPT)
        until = aware(asked.get("EndDate") or now)
        found = [
            change
            for change in self._changes.get((request.account, request.region), [])
            if asked.get("AlarmName") in (None, change.alarm) and since <= change.at <= until
        ]
        if asked.get("HistoryItemType") not in (None, "StateUpdate"):
            found = []
        sign = 1 if asked.get("ScanBy") == "TimestampAscending" else -1
        size = min(_PAGE, int(asked.get("MaxRecords") or _PAGE))
        refusal = AwsError("InvalidNextToken", "The next token specified is invalid.")
        shown, after = page(found, size, asked.get("NextToken"), lambda change: _key(change, sign), refusal)
        return {"AlarmHistoryItems": [change.described() for change in shown], "NextToken": after}


def _key(change: _Change, sign: int) -> str:
    """Sorts by time, forwards or backwards."""
    return f"{10**11 + sign * change.at.timestamp():020.6f} {change.alarm}"
