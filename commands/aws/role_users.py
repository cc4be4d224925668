"""Which other functions still send traces under an execution role: memory names them, AWS says how they stand now."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from commands.aws import current
from commands.aws.asking import Patience
from commands.aws.errors import AwsProblem, Gone
from storage.models import Function, TracingMode

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_SECONDS = 30.0


def needing(
    lambda_in: "Callable[[str], LambdaClient]", role: str, others: Sequence[Function], patience: Patience
) -> str:
    """Why the role has to keep its permission, as a clause; "" where none of them needs it.

    `others`: the functions that are remembered to use the role; `lambda_in` is given a region. One of which AWS says
    nothing counts as needing it. IAM: lambda:GetFunctionConfiguration.
    """
    likeliest = sorted(others, key=lambda one: one.mode is not TracingMode.ACTIVE)
    return next(filter(None, (_why(lambda_in(one.region), role, one, patience) for one in likeliest)), "")


def _why(client: "LambdaClient", role: str, function: Function, patience: Patience) -> str:
    try:
        now = patience.ask(lambda: current.read_configuration(client, function.arn), _SECONDS)
    except Gone:
        return ""
    except AwsProblem as problem:
        return f"whether `{function.name}` needs it too could not be read ({problem.code})"
    if now.mode is TracingMode.ACTIVE and now.role == role:
        return f"`{function.name}` is traced and uses it too"
    if function.published_mode is TracingMode.ACTIVE:
        return f"what `{function.name}` has published is traced and uses it too"
    if function.aliases is None:
        return f"whether an alias of `{function.name}` needs it too is not known"
    served = (version for alias in function.aliases for version in alias.versions)
    if any(version.mode is TracingMode.ACTIVE and version.version != "$LATEST" for version in served):
        return f"an alias of `{function.name}` serves a traced version and uses it too"
    return ""
