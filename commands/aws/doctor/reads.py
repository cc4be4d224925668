"""The audit role's permissions, and for each the smallest call that shows whether it is there.

Most name a function, role or trace that does not exist: AWS says whether somebody may ask before it says that there is
no such thing. What AWS bills is asked only of who is ready to pay; else its policy simulator is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import orjson

from commands.aws.calls import Call
from commands.aws.doctor.words import Uses
from commands.aws.endpoints import SERVICES
from commands.aws.reads import targeted

NOBODY = "lamplighter-doctor"  # of a function, a role and a policy that are not there
_FUNCTIONS = "/2015-03-31/functions"
_NO_TRACE = "1-00000001-000000000000000000000001"


class Place(NamedTuple):
    """Where a call is made."""

    partition: str
    account: str
    region: str
    home_region: str  # where IAM is asked
    now: datetime

    def arn(self, service: str, resource: str, *, region: bool = True) -> str:
        return f"arn:{self.partition}:{service}:{self.region if region else ''}:{self.account}:{resource}"


@dataclass(frozen=True, slots=True)
class Probe:
    """A permission by IAM's name, and what the bot does without it; "": it cannot do without."""

    permission: str
    call: Callable[[Place], Call]
    without: str = ""
    billed: str = ""  # what one such call costs
    needed: Callable[[Uses], bool] = lambda _: True


def _get(service: str, action: str, at: Place, path: str) -> Call:
    return Call(service, action, at.region, method="GET", path=path)


def _form(service: str, action: str, at: Place, **asked: str) -> Call:
    form = {
        "Action": action,
        "Version": SERVICES[service].version,
        **{key.replace("_", "."): asked[key] for key in asked},
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    return Call(service, action, at.home_region, body=urlencode(form).encode(), headers=headers)


def _cloudwatch(action: str, at: Place, asked: Mapping[str, Any]) -> Call:
    call = targeted("cloudwatch", at.region, f"GraniteServiceVersion20100801.{action}", "1.0")
    return call.with_body(orjson.dumps(asked))


def _xray(action: str, at: Place, path: str, asked: Mapping[str, Any]) -> Call:
    headers = {"Content-Type": "application/json"}
    return Call("xray", action, at.region, path=path, body=orjson.dumps(asked), headers=headers)


def _since(at: Place, **ago: float) -> dict[str, float]:
    start = (at.now - timedelta(**ago)).timestamp()
    return {"StartTime": int(start), "EndTime": int(at.now.timestamp())}


def _tags(at: Place) -> Call:
    call = targeted("tag", at.region, "ResourceGroupsTaggingAPI_20170126.GetResources", "1.1")
    return call.with_body(orjson.dumps({"ResourceTypeFilters": ["lambda:function"], "ResourcesPerPage": 1}))


def _metric(at: Place) -> Call:
    stat = {"Metric": {"Namespace": "AWS/Lambda", "MetricName": "Invocations"}, "Period": 86400, "Stat": "Sum"}
    queries = [{"Id": "invocations", "MetricStat": stat}]
    return _cloudwatch("GetMetricData", at, {"MetricDataQueries": queries, **_since(at, days=1)})


def _second(at: Place) -> Call:
    asked = {"StartTime": int(at.now.timestamp()) - 1, "EndTime": int(at.now.timestamp()), "Sampling": True}
    return _xray("GetTraceSummaries", at, "/TraceSummaries", asked)


def _own(name: str) -> Callable[[Place], str]:
    return lambda at: f"arn:{at.partition}:iam::aws:policy/{name}"


_XRAY_POLICY = _own("AWSXRayDaemonWriteAccess")
_ONE_BY_ONE = "a role alone is then found in the whole listing"
_NO_MTTR = "time to repair is not known then"
_NO_DEPTH = "whether traces show what a function calls is then told from its configuration"


def functions(region: str) -> Call:
    """lambda:ListFunctions, which is asked in every region."""
    return Call("lambda", "ListFunctions", region, method="GET", path=f"{_FUNCTIONS}/?MaxItems=1")


PROBES = (
    Probe(
        "lambda:GetFunctionConfiguration",
        lambda at: _get("lambda", "GetFunctionConfiguration", at, f"{_FUNCTIONS}/{NOBODY}/configuration"),
    ),
    Probe(
        "lambda:ListAliases", lambda at: _get("lambda", "ListAliases", at, f"{_FUNCTIONS}/{NOBODY}/aliases?MaxItems=1")
    ),
    Probe(
        "lambda:ListTags",
        lambda at: _get(
            "lambda", "ListTags", at, f"/2017-03-31/tags/{quote(at.arn('lambda', f'function:{NOBODY}'), safe='')}"
        ),
    ),
    Probe(
        "lambda:ListEventSourceMappings",
        lambda at: _get("lambda", "ListEventSourceMappings", at, "/2015-03-31/event-source-mappings/?MaxItems=1"),
    ),
    Probe("tag:GetResources", _tags),
    Probe(
        "cloudwatch:ListMetrics",
        lambda at: _cloudwatch(
            "ListMetrics",
            at,
            {"Namespace": "AWS/Lambda", "MetricName": "Invocations", "Dimensions": [{"Name": "Resource"}]},
        ),
        "functions that would be traced are then asked for their aliases one by one, and many stay unknown",
    ),
    Probe(
        "iam:GetAccountAuthorizationDetails",
        lambda at: _form("iam", "GetAccountAuthorizationDetails", at, Filter_member_1="Role", MaxItems="1"),
    ),
    Probe("iam:GetRole", lambda at: _form("iam", "GetRole", at, RoleName=NOBODY), _ONE_BY_ONE),
    Probe("iam:GetPolicy", lambda at: _form("iam", "GetPolicy", at, PolicyArn=_XRAY_POLICY(at))),
    Probe(
        "iam:GetPolicyVersion",
        lambda at: _form("iam", "GetPolicyVersion", at, PolicyArn=_XRAY_POLICY(at), VersionId="v1"),
    ),
    Probe("iam:ListRolePolicies", lambda at: _form("iam", "ListRolePolicies", at, RoleName=NOBODY), _ONE_BY_ONE),
    Probe(
        "iam:GetRolePolicy",
        lambda at: _form("iam", "GetRolePolicy", at, RoleName=NOBODY, PolicyName=NOBODY),
        _ONE_BY_ONE,
    ),
    Probe(
        "iam:ListAttachedRolePolicies",
        lambda at: _form("iam", "ListAttachedRolePolicies", at, RoleName=NOBODY),
        _ONE_BY_ONE,
    ),
    Probe(
        "iam:GetAccountSummary",
        lambda at: _form("iam", "GetAccountSummary", at),
        "that a role is full, AWS then says only when it is given a policy",
    ),
    Probe(
        "iam:SimulatePrincipalPolicy",
        lambda at: _form(
            "iam",
            "SimulatePrincipalPolicy",
            at,
            PolicySourceArn=at.arn("iam", f"role/{NOBODY}", region=False),
            ActionNames_member_1="xray:PutTraceSegments",
        ),
        "roles whose policies leave it open stay unknown then",
    ),
    Probe("cloudwatch:DescribeAlarms", lambda at: _cloudwatch("DescribeAlarms", at, {"MaxRecords": 1}), _NO_MTTR),
    Probe(
        "cloudwatch:DescribeAlarmHistory",
        lambda at: _cloudwatch("DescribeAlarmHistory", at, {"MaxRecords": 1}),
        _NO_MTTR,
    ),
    Probe(
        "cloudwatch:GetMetricData",
        _metric,
        "forecasts, and the GB-seconds of Lambda's cost, are unknown then",
        billed="$0.00001",
        needed=lambda uses: uses.forecasts or uses.spend,
    ),
    Probe(
        "xray:GetTraceSegmentDestination",
        lambda at: _xray("GetTraceSegmentDestination", at, "/GetTraceSegmentDestination", {}),
        "whether Transaction Search is on is not known then",
    ),
    Probe(
        "xray:GetIndexingRules",
        lambda at: _xray("GetIndexingRules", at, "/GetIndexingRules", {}),
        "how much of Transaction Search is indexed is not known then",
    ),
    Probe(
        "xray:GetServiceGraph",
        lambda at: _xray("GetServiceGraph", at, "/ServiceGraph", _since(at, minutes=1)),
        "there are no trace maps then, and forecasts are not held against what came",
    ),
    Probe("xray:GetTraceSummaries", _second, _NO_DEPTH, billed="$0.0000005 for each trace of one second"),
    Probe(
        "xray:BatchGetTraces", lambda at: _xray("BatchGetTraces", at, "/Traces", {"TraceIds": [_NO_TRACE]}), _NO_DEPTH
    ),
)
