"""How far a function's traces go, looked at when somebody looks at the function; an audit goes by its configuration."""

from msgspec import structs

from commands._types import Context
from commands.aws.depth import look
from commands.aws.errors import AwsProblem
from storage.depth import Depth, Reach
from storage.models import CheckName, Function, Verdict


def depth_now(context: Context, function: Function) -> Depth | None:
    """None where there can be no traces to look at. Raises nothing of AWS's."""
    if not function.sends or function.verdict is Verdict.NOT_APPLICABLE:
        return None
    try:
        with context.cloud.acting_as(function.account):
            return look(context.cloud, function.account, function.region, function.name, context.clock())
    except AwsProblem as problem:  # the account's role
        return Depth(Reach.UNKNOWN, doubts=(f"its traces could not be looked at: {problem}",))


def as_seen(function: Function, depth: Depth | None) -> Function:
    """Traces are the better evidence: what they show, the guess from layers and settings need not say otherwise."""
    if depth is None or depth.reach is Reach.UNKNOWN:
        return function
    findings = tuple(one for one in function.findings if one.check is not CheckName.SURFACE_ONLY)
    return structs.replace(function, findings=findings)
