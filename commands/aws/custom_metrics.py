"""CloudWatch custom metrics: figures of ours, where AWS's dashboards can show them.

It writes, and yet not under the fix role: it changes no function, role or alias, nothing of what is audited, and nobody
approves it. The bot's own credentials do it, in their own account, and can be held to this one namespace.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from commands.aws.credentials import acting
from commands.aws.errors import our_errors

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

NAMESPACE = "Lamplighter"
AT_ONCE = 1000  # metrics of one PutMetricData: its own limit
# AWS's list price of a custom metric for a month in us-east-1, the first 10,000 of an account, as of 2026
# (aws.amazon.com/cloudwatch/pricing). Each name is one, and each team under it another.
USD_A_MONTH = Decimal("0.30")


@dataclass(frozen=True, slots=True)
class Datum:
    """One value of one metric."""

    name: str
    unit: str  # as CloudWatch spells it: "Count", "Percent", "Seconds", "None"
    value: float
    team: str | None = None  # None: of all


def put(cloud: "Cloud", data: Sequence[Datum], at: datetime) -> int:
    """How many requests it took. Raises AwsProblem.

    IAM: cloudwatch:PutMetricData, for which StringEquals cloudwatch:namespace Lamplighter is enough.
    """
    region, requests = cloud.home_region, 0
    client = cloud.client("cloudwatch", region)
    with acting(None):
        for start in range(0, len(data), AT_ONCE):
            part = data[start : start + AT_ONCE]
            with our_errors(region=region, service="cloudwatch", action="PutMetricData"):
                client.put_metric_data(Namespace=NAMESPACE, MetricData=[_shape(one, at) for one in part])
            requests += 1
    return requests


def usd_a_month(metrics: int) -> Decimal:
    """What so many cost at most, if they are sent in every hour of a month."""
    return USD_A_MONTH * metrics


def _shape(one: Datum, at: datetime) -> dict[str, object]:
    dimensions = [{"Name": "Team", "Value": _ascii(one.team)}] if one.team else []
    return {"MetricName": one.name, "Unit": one.unit, "Value": one.value, "Timestamp": at, "Dimensions": dimensions}


def _ascii(text: str) -> str:
    """CloudWatch takes nothing else in a dimension, and no more than 1,024 characters."""
    return text.encode("ascii", "backslashreplace").decode()[:1024]
