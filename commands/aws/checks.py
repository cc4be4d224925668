"""What a function's description means for its traces: a verdict, and findings that say why. Pure."""

from collections.abc import Callable, Iterable
from functools import lru_cache

from commands.aws import instrumentation
from commands.aws.runtimes import UPDATES_BLOCKED
from storage.models import CheckName, Finding, Function, MayWrite, ServedVersion, TeamFrom, TracingMode, Verdict, settle

Check = Callable[[Function], Finding | None]

_LONGEST = 200  # characters of a sentence
_LATEST = "$LATEST"
_NAMED = 3  # callers
# One object for all: most functions of an organisation may have it.
_SURFACE_ONLY = Finding(
    CheckName.SURFACE_ONLY,
    "Active, but none of its layers, its handler or its settings is instrumentation that we recognise "
    "(libraries in its package cannot be seen): traces may show no more than that it ran.",
)
_WITHOUT_XRAY = {
    "msk": "Amazon MSK",
    "kafka": "self-managed Kafka",
    "mq": "Amazon MQ",
    "documentdb": "Amazon DocumentDB",
}


def passthrough(function: Function) -> Finding | None:
    """A function that is not Active sends no traces, whatever its callers do.

    PassThrough only hands the header on, and a mode that is missing means PassThrough.
    https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
    """
    if function.mode is TracingMode.ACTIVE:
        return None
    mode = f"TracingConfig.Mode is {function.mode}" if function.mode else "AWS gave no TracingConfig.Mode"
    return _finding(CheckName.PASSTHROUGH, f"{mode}, so it sends no traces.")


def role_denied(function: Function) -> Finding | None:
    """An Active function whose role may not write segments loses every trace, without an error anywhere.

    Lambda refuses such a configuration, but nothing stops a policy from being taken away later.
    https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
    """
    if not _active(function) or function.role_may_write is not MayWrite.NO:
        return None
    text = f"Active, but its role {_role(function)} may not call xray:PutTraceSegments: its traces are lost."
    return _finding(CheckName.ROLE_DENIED, text)


def role_conditional(function: Function) -> Finding | None:
    """Whether traces arrive hangs on a condition that cannot be decided from the policies, so it is not a pass.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """
    if not _active(function) or function.role_may_write is not MayWrite.CONDITIONAL:
        return None
    why = f": {function.role_doubt}" if function.role_doubt else " from its policies alone"
    text = f"Active, but whether its role {_role(function)} may write to X-Ray cannot be told{why}."
    return _finding(CheckName.ROLE_CONDITIONAL, text)


def role_unreadable(function: Function) -> Finding | None:
    """Without its role's policies nobody can say whether an Active function's traces arrive.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
    """
    if not _active(function) or function.role_may_write is not None:
        return None
    text = f"Active, but its role {_role(function)} could not be read: whether it may write to X-Ray is unknown."
    return _finding(CheckName.ROLE_UNREADABLE, text)


def alias_untraced(function: Function) -> Finding | None:
    """Tracing is frozen into a published version: an alias goes on serving it untraced, whatever $LATEST says.

    So does Lambda Managed Instances for calls without an alias, which run $LATEST.PUBLISHED.
    https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-version-publishing.html
    """
    if function.managed_instances and function.published_mode is TracingMode.PASS_THROUGH:
        text = "Calls without an alias run $LATEST.PUBLISHED (Managed Instances), published without active tracing."
        return _finding(CheckName.ALIAS_UNTRACED, text)
    dark = [(name, version) for name, version in _served(function) if version.mode is TracingMode.PASS_THROUGH]
    if not dark:
        return None
    name, version = dark[0]
    share = f" ({version.weight * 100:.3g}% of its traffic)" if version.weight < 1 else ""
    more = f", and {len(dark) - 1} more" if len(dark) > 1 else ""
    text = f"Alias `{name}` serves version {version.version}{share}, which was published without active tracing{more}."
    return _finding(CheckName.ALIAS_UNTRACED, text)


def aliases_unreadable(function: Function) -> Finding | None:
    """Where aliases or their versions could not be read, an Active $LATEST proves nothing about what is invoked.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html
    """
    if not _active(function):
        return None
    if function.managed_instances and function.published_mode is None:
        text = "Active, but $LATEST.PUBLISHED could not be read, which its calls run: it is on Managed Instances."
        return _finding(CheckName.ALIASES_UNREADABLE, text)
    if function.aliases is None:
        text = "Active, but its aliases are not known: they may serve versions without active tracing."
        return _finding(CheckName.ALIASES_UNREADABLE, text)
    for name, version in _served(function):
        if version.mode is None:
            text = f"Active, but version {version.version}, which alias `{name}` serves, could not be read."
            return _finding(CheckName.ALIASES_UNREADABLE, text)
    return None


def not_applicable(function: Function) -> Finding | None:
    """X-Ray does not work at the edge, nor for what these event sources deliver; such a function cannot be fixed.

    One other source is enough to be traced for. Whether somebody calls it besides is not seen here.
    https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-at-edge-function-restrictions.html
    """
    if function.edge:
        return _finding(CheckName.NOT_APPLICABLE, f"{function.name} runs at Lambda@Edge, where X-Ray does not work.")
    if not function.sources or any(source not in _WITHOUT_XRAY for source in function.sources):
        return None
    names = " and ".join(_WITHOUT_XRAY[source] for source in function.sources)
    text = f"Its only event sources are {names}, which Lambda does not trace."
    return _finding(CheckName.NOT_APPLICABLE, text)


def untraced_sources(function: Function) -> list[str]:
    """What feeds it, by name, of which Lambda traces nothing."""
    return [_WITHOUT_XRAY[source] for source in function.sources or () if source in _WITHOUT_XRAY]


def starved(function: Function) -> Finding | None:
    """A caller without active tracing hands on a header that says "not sampled", and an Active function heeds it.

    Callers are known from what the audit reads anyway: a role that may invoke this very function, by its ARN, or an
    environment variable that names it. Both show that one *may* call, and neither that it does; a role that more than
    `callers.SHARED` functions share shows too little. Callers that nothing here names (API Gateway, a wildcard in a
    policy, a name in the code) stay unknown, so silence is no proof.
    https://docs.aws.amazon.com/xray/latest/devguide/xray-services-lambda.html
    """
    if not function.untraced_callers or not _traceable(function):
        return None
    names = list(dict.fromkeys(_short(arn.rpartition(":")[2]) for arn in function.untraced_callers))
    if len(names) > _NAMED:
        names = [*names[:_NAMED], f"{len(names) - _NAMED} more"]
    listed = " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
    verb = "sends" if len(function.untraced_callers) == 1 else "send"
    text = f"Active, but {listed} may call it and {verb} no traces, so those calls are not traced here either."
    return _finding(CheckName.STARVED, text)


def surface_only(function: Function) -> Finding | None:
    """Lambda by itself records that a function ran, and how long; what it called only instrumentation tells.

    A library inside the package is not seen. Where there is no telling, as in a container image, nothing is said.
    https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
    """
    if not _traceable(function) or instrumentation.recognised(function) is not False:
        return None
    return _SURFACE_ONLY


def traced_elsewhere(function: Function) -> Finding | None:
    """A vendor's tracing costs once already; X-Ray beside it costs twice, so an exemption may be the better answer.

    https://docs.aws.amazon.com/lambda/latest/dg/extensions-api-partners.html
    """
    found = instrumentation.vendors(function)
    if not found or function.edge:
        return None
    signs = " and ".join(f"{name} ({_short(sign, 70)})" for name, sign in list(found.items())[:2])
    return _finding(CheckName.TRACED_ELSEWHERE, f"Looks traced by {signs} already.")


def runtime_blocked(function: Function) -> Finding | None:
    """Lambda refuses updates of functions on the oldest runtimes, so a fix may be refused until the runtime is newer.

    UNCONFIRMED: whether it refuses a change of TracingConfig alone.
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html#runtimes-deprecated
    """
    since = UPDATES_BLOCKED.get(function.runtime or "")
    if since is None or _active(function) or not_applicable(function):
        return None
    text = f"Lambda blocks updates of {function.runtime} since {since}: a fix may be refused until it is upgraded."
    return _finding(CheckName.RUNTIME_BLOCKED, text)


def unowned(function: Function) -> Finding | None:
    """A function without a team is nobody's to fix, and its messages go to the fallback channel.

    https://docs.aws.amazon.com/whitepapers/latest/tagging-best-practices/tagging-best-practices.html
    """
    if function.team or not function.team_known:
        return None
    if function.team_from is TeamFrom.UNKNOWN:
        return _finding(CheckName.UNOWNED, "Its own tags name no team; what its stack or account says is not known.")
    return _finding(CheckName.UNOWNED, "No tag names its team.")


CHECKS: tuple[Check, ...] = (
    not_applicable,
    passthrough,
    role_denied,
    role_conditional,
    role_unreadable,
    alias_untraced,
    aliases_unreadable,
    runtime_blocked,
    traced_elsewhere,
    starved,
    surface_only,
    unowned,
)

_UNTRACED = frozenset({CheckName.PASSTHROUGH, CheckName.ROLE_DENIED, CheckName.ALIAS_UNTRACED})
_UNKNOWN = frozenset({CheckName.ROLE_CONDITIONAL, CheckName.ROLE_UNREADABLE, CheckName.ALIASES_UNREADABLE})


def judge(function: Function) -> Function:
    """The function with its findings, and the one verdict that follows from them. Exemptions come later."""
    findings = _findings(function)
    return function.judged(_verdict(findings), findings)


def judge_new(functions: Iterable[Function]) -> None:
    """As `judge`, in place: of functions that were just made, by whoever made them. An audit has many thousands."""
    for function in functions:
        findings = _findings(function)
        settle(function, _verdict(findings), findings)


def _findings(function: Function) -> tuple[Finding, ...]:
    return tuple([finding for check in CHECKS if (finding := check(function)) is not None])


def _verdict(findings: tuple[Finding, ...]) -> Verdict:
    found = {finding.check for finding in findings}
    if CheckName.NOT_APPLICABLE in found:
        return Verdict.NOT_APPLICABLE
    if found & _UNTRACED:
        return Verdict.UNTRACED
    return Verdict.UNKNOWN if found & _UNKNOWN else Verdict.TRACED


@lru_cache(maxsize=10_000)  # most findings of an audit are the same few sentences
def _finding(check: CheckName, text: str) -> Finding:
    return Finding(check, text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def _active(function: Function) -> bool:
    return function.mode is TracingMode.ACTIVE


def _traceable(function: Function) -> bool:
    return _active(function) and not_applicable(function) is None


def _served(function: Function) -> list[tuple[str, ServedVersion]]:
    """What each alias serves; $LATEST only where it is Active, because `passthrough` speaks of it else."""
    return [
        (alias.name, version)
        for alias in function.aliases or ()
        for version in alias.versions
        if version.version != _LATEST or _active(function)
    ]


def _short(text: str, longest: int = 30) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _role(function: Function) -> str:
    return (function.role or "").rpartition("/")[2] or "(none given)"
