"""What of the bot's own permissions cannot be tried, since it would change something or cost: IAM's policy simulator is
asked about the bot's role, with the audit role of the bot's own account."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from commands.aws.doctor.account import Account, context_entry
from commands.aws.doctor.words import AWS, BILLS, EVENTS, TEMPLATES, Uses, by_simulator, not_asked, reason
from commands.aws.errors import AwsProblem
from commands.aws.query import query, text
from commands.aws.simulator import all_simulated
from storage.diagnosis import Diagnosis, Outcome

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud
    from commands.aws.wire import Wire

_NAMESPACE = "Lamplighter"


class Own(NamedTuple):
    """A permission that is not tried."""

    area: str
    action: str
    why: str  # it is not tried
    lacking: Outcome
    how: str
    instead: str = ""  # how to have it asked all the same


def untried(uses: Uses) -> Iterator[Own]:
    """Those that the settings ask for."""
    if uses.spend and not uses.paid:
        for action in ("ce:GetCostAndUsage", "ce:GetDimensionValues"):
            how = f"deploy `{TEMPLATES} hub-role` anew with Bills=yes, or set enabled = false in [spend]"
            yield Own(BILLS, action, "each question costs $0.01", Outcome.WARN, how, "`--paid` asks it")
    if uses.queue_url:
        for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage"):
            how = f"deploy `{TEMPLATES} hub-role` anew with Queue=the queue's ARN"
            yield Own(EVENTS, action, "it would take messages from the queue", Outcome.FAIL, how)
    if uses.custom_metrics:
        how = f"deploy `{TEMPLATES} hub-role` anew with CustomMetrics=yes, or set cloudwatch = false in [metrics]"
        yield Own(AWS, "cloudwatch:PutMetricData", "it would send a metric", Outcome.FAIL, how)


async def look(
    cloud: "Cloud", wire: "Wire", caller: str, home: Account | None, asked: Sequence[Own], queue_arn: str
) -> list[Diagnosis]:
    """`caller`: the ARN that STS gave. `home`: the bot's own account, where the audit role lets us in there."""
    if not asked:
        return []
    if home is None or not home.may_read:
        why = "IAM's policy simulator is asked through an audit role, and there is none in the bot's own account"
        return [_open(one, why) for one in asked]
    try:
        arn = await _principal(cloud, wire, home, caller)
        if not arn:
            return [
                _open(one, "the credentials are an account's own, of which IAM's simulator knows nothing")
                for one in asked
            ]
        found: list[Diagnosis] = []
        for resource in ("*", queue_arn):
            some = [one for one in asked if (resource == queue_arn) == one.action.startswith("sqs:")]
            if some and resource:
                found += await _simulated(cloud, wire, home, arn, some, resource)
            else:
                found += [_open(one, "the queue's ARN is not known") for one in some]
    except AwsProblem as problem:
        return [_open(one, f"IAM's policy simulator did not tell ({reason(problem)})") for one in asked]
    return found


async def _principal(cloud: "Cloud", wire: "Wire", home: Account, caller: str) -> str:
    """What the simulator takes: a user, or the role of a session, whose path STS does not tell. "": neither."""
    kind, _, rest = caller.partition(":")[2].rpartition(":")[2].partition("/")
    if kind == "assumed-role":
        asked = {"RoleName": rest.partition("/")[0]}
        return await query(wire, home.who, "iam", cloud.home_region, "GetRole", asked, lambda root: text(root, "Arn"))
    return caller if kind == "user" else ""


async def _simulated(
    cloud: "Cloud", wire: "Wire", home: Account, arn: str, asked: Sequence[Own], resource: str
) -> list[Diagnosis]:
    question = {"PolicySourceArn": arn, "ResourceArns.member.1": resource}
    question |= {f"ActionNames.member.{number}": one.action for number, one in enumerate(asked, 1)}
    question |= context_entry(1, "cloudwatch:namespace", _NAMESPACE)
    told = await all_simulated(wire, home.who, cloud.home_region, question)
    return [_said(one, *by_simulator(told[one.action])) if one.action in told else _open(one, "") for one in asked]


def _said(one: Own, found: Outcome, said: str) -> Diagnosis:
    if found is Outcome.UNKNOWN:
        return _open(one, said)
    if found is Outcome.OK:
        return Diagnosis(one.area, found, one.action, said)
    return Diagnosis(one.area, one.lacking, one.action, said, one.how)


def _open(one: Own, why: str) -> Diagnosis:
    return not_asked(one.area, one.action, f"not tried: {one.why}{f'; {why}' if why else ''}", one.instead)
