"""What can be turned on the stand-in: its clock, its delays, its limits."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from bot.demo.aws.protocol import AwsError

Item = TypeVar("Item")
Clock = Callable[[], datetime]  # aware UTC


def utc_now() -> datetime:
    return datetime.now(UTC)


def aware(moment: datetime) -> datetime:
    """moto's parsers give UTC without saying so."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Knobs:
    """AWS's own values are the defaults, save the two delays, which are AWS's made short."""

    clock: Clock = utc_now
    iam_delay: timedelta = timedelta(seconds=4)  # until a change of a role or policy counts
    lambda_update: timedelta = timedelta(seconds=1)  # how long a function stays InProgress (or Pending)
    calls_per_second: float | None = (
        15  # Lambda's control plane and tagging, for each account and region; None: no limit
    )
    policies_per_role: int = 10
    regions: tuple[str, ...] = ("eu-central-1", "us-east-1")  # enabled in every account


def page(
    items: Sequence[Item], size: int, marker: str | None, key: Callable[[Item], str], refusal: AwsError
) -> tuple[list[Item], str | None]:
    """One page of `items` and the marker of the next; `refusal` is raised for a marker that we did not give.

    The marker remembers the last key, not a position, so that what is added or deleted meanwhile shifts nothing.
    """
    ordered = sorted(items, key=key)
    if marker:
        last = _last_of(marker, refusal)
        ordered = [item for item in ordered if key(item) > last]
    shown = ordered[:size]
    return shown, _marker_after(key(shown[-1])) if len(ordered) > size else None


def _marker_after(last: str) -> str:
    return base64.urlsafe_b64encode(json.dumps({"after": last}).encode()).decode()


def _last_of(marker: str, refusal: AwsError) -> str:
    try:
        decoded: Any = json.loads(base64.urlsafe_b64decode(marker))
        return str(decoded["after"])
    except (ValueError, TypeError, KeyError) as problem:
        raise refusal from problem
