"""What AWS does not let through: too many calls a second, and what a test has forbidden."""

import time
from dataclasses import dataclass

from bot.demo.aws.protocol import AwsError, Request

# Lambda's operations with a bucket of their own; all others share one.
_OWN_RATES = {"GetFunction": 100.0, "GetPolicy": 15.0}
# CloudWatch's, for each account and region; it raises the second one for nobody.
_CLOUDWATCH_RATES = {"GetMetricData": 50.0, "DescribeAlarmHistory": 3.0}
_NOT_CONTROL_PLANE = frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"})
_THROTTLES = {
    "lambda": ("TooManyRequestsException", 429),
    "xray": ("ThrottledException", 429),
    "resourcegroupstaggingapi": ("ThrottledException", 400),
    "organizations": ("TooManyRequestsException", 400),
    "ce": ("LimitExceededException", 400),
    "ec2": ("RequestLimitExceeded", 503),
    "iam": ("Throttling", 400),
    "sts": ("Throttling", 400),
    "cloudwatch": ("Throttling", 400),
}


@dataclass(slots=True)
class Rhythm:
    """Throttles one call in `every` of those that count."""

    every: int
    service: str | None
    seen: int = 0

    def takes(self, request: Request) -> bool:
        if self.service not in (None, request.service):
            return False
        self.seen += 1
        return self.seen % self.every == 0


@dataclass(slots=True)
class Rule:
    """Calls that shall fail; None matches everything. `left` counts down; None: for good."""

    account: str | None
    region: str | None
    service: str | None
    action: str | None
    left: int | None = None
    refusal: AwsError | None = None  # None: the rule's own kind of refusal
    by: str = ""  # what has the explicit deny; "": nothing allows it

    def takes(self, request: Request) -> bool:
        if self.left == 0:
            return False
        pairs = (
            (self.account, request.account),
            (self.region, request.region),
            (self.service, request.service),
            (self.action, request.action),
        )
        if any(wanted is not None and wanted != given for wanted, given in pairs):
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Buckets:
    """Token buckets that hold one second's worth; they run in real time, because the callers are real."""

    def __init__(self, calls_per_second: float | None) -> None:
        self._rate = calls_per_second
        self._levels: dict[tuple[str, ...], tuple[float, float]] = {}  # tokens, and when

    def take(self, request: Request) -> None:
        """Raise AWS's throttle where the account and region has used up its calls."""
        if self._rate is None or request.action in _NOT_CONTROL_PLANE:
            return
        watching = _CLOUDWATCH_RATES.get(request.action) if request.service == "cloudwatch" else None
        if not watching and request.service not in ("lambda", "resourcegroupstaggingapi"):
            return
        own = _OWN_RATES.get(request.action) if request.service == "lambda" else watching
        rate = own or self._rate
        key = (request.account, request.region, request.service, request.action if own else "")
        now = time.monotonic()
        tokens, since = self._levels.get(key, (rate, now))
        tokens = min(rate, tokens + (now - since) * rate)
        if tokens < 1:
            self._levels[key] = (tokens, now)
            raise throttled(request)
        self._levels[key] = (tokens - 1, now)


def throttled(request: Request) -> AwsError:
    code, status = _THROTTLES.get(request.service, ("ThrottlingException", 400))
    more = {"Reason": "CallerRateLimitExceeded"} if request.service == "lambda" else {}
    return AwsError(code, "Rate exceeded", status, **more)
