"""What a function's description means for its traces: a verdict, and findings that say why. Pure."""

from collections.abc import Callable
from dataclasses import replace

from storage.models import CheckName, Finding, Function, MayWrite, ServedVersion, TracingMode, Verdict

Check = Callable[[Function], Finding | None]

_LONGEST = 200  # characters of a sentence
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
    return _finding(CheckName.PASSTHROUGH, f"{mode}, so {function.name} sends no traces.")


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
    text = f"Active, but whether its role {_role(function)} may write to X-Ray cannot be told from its policies alone."
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

    https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
    """
    dark = [(name, version) for name, version in _served(function) if version.mode is TracingMode.PASS_THROUGH]
    if not dark:
        return None
    name, version = dark[0]
    share = f" ({version.weight:.0%} of its traffic)" if version.weight < 1 else ""
    more = f", and {len(dark) - 1} more" if len(dark) > 1 else ""
    text = f"Alias `{name}` serves version {version.version}{share}, which was published without active tracing{more}."
    return _finding(CheckName.ALIAS_UNTRACED, text)


def aliases_unreadable(function: Function) -> Finding | None:
    """Where aliases or their versions could not be read, an Active $LATEST proves nothing about what is invoked.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html
    """
    if not _active(function):
        return None
    if function.aliases is None:
        text = "Active, but its aliases could not be read: they may serve versions without active tracing."
        return _finding(CheckName.ALIASES_UNREADABLE, text)
    for name, version in _served(function):
        if version.mode is None:
            text = f"Active, but version {version.version}, which alias `{name}` serves, could not be read."
            return _finding(CheckName.ALIASES_UNREADABLE, text)
    return None


def not_applicable(function: Function) -> Finding | None:
    """X-Ray does not work at the edge, nor for what these event sources deliver; such a function cannot be fixed.

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


def unowned(function: Function) -> Finding | None:
    """A function without a team is nobody's to fix, and its messages go to the fallback channel.

    https://docs.aws.amazon.com/whitepapers/latest/tagging-best-practices/tagging-best-practices.html
    """
    if function.team or not function.team_known:
        return None
    return _finding(CheckName.UNOWNED, f"No tag of {function.name} names a team.")


CHECKS: tuple[Check, ...] = (
    not_applicable,
    passthrough,
    role_denied,
    role_conditional,
    role_unreadable,
    alias_untraced,
    aliases_unreadable,
    unowned,
)

_UNTRACED = frozenset({CheckName.PASSTHROUGH, CheckName.ROLE_DENIED, CheckName.ALIAS_UNTRACED})
_UNKNOWN = frozenset({CheckName.ROLE_CONDITIONAL, CheckName.ROLE_UNREADABLE, CheckName.ALIASES_UNREADABLE})


def judge(function: Function) -> Function:
    """The function with its findings, and the one verdict that follows from them. Exemptions come later."""
    findings = tuple(finding for check in CHECKS if (finding := check(function)) is not None)
    return replace(function, verdict=_verdict(findings), findings=findings)


def _verdict(findings: tuple[Finding, ...]) -> Verdict:
    found = {finding.check for finding in findings}
    if CheckName.NOT_APPLICABLE in found:
        return Verdict.NOT_APPLICABLE
    if found & _UNTRACED:
        return Verdict.UNTRACED
    return Verdict.UNKNOWN if found & _UNKNOWN else Verdict.TRACED


def _finding(check: CheckName, text: str) -> Finding:
    return Finding(check, text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def _active(function: Function) -> bool:
    return function.mode is TracingMode.ACTIVE


def _served(function: Function) -> list[tuple[str, ServedVersion]]:
    return [(alias.name, version) for alias in function.aliases or () for version in alias.versions]


def _role(function: Function) -> str:
    return (function.role or "").rpartition("/")[2] or "(none given)"
