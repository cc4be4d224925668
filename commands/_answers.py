"""Answers that more than one command gives."""

from commands._audits import look_again
from commands._types import Context, FixPolicy, Say
from commands.aws.errors import AwsProblem, Gone
from commands.views import tools
from commands.views.text import code, day, day_and_time, prose, sentence
from storage.fixes import FixRequest
from storage.models import Function, TracingMode, Verdict

UNKNOWN_BUTTON = "This button is of another installation of Lamplighter. Use the slash commands."


def no_longer_exists(name: str) -> str:
    return f"{code(name)} no longer exists."


def function_of(context: Context, request_id: str) -> tuple[FixRequest, Function] | Say:
    """What a button is about that decides nothing, from memory, or why that cannot be said."""
    asked = context.store.requests.find(request_id)
    if asked is None:
        return Say(UNKNOWN_BUTTON)
    function = context.store.functions.get(asked.function_arn)
    return (asked, function) if function else Say(no_longer_exists(asked.function_name))


def ask_now(context: Context, function: Function) -> Function | Say:
    """The function as AWS describes it now, or why that cannot be said."""
    try:
        return look_again(context, function)
    except Gone:
        return Say(f"{code(function.name)} no longer exists in {function.account} {function.region}.")
    except AwsProblem as problem:
        seen_at = context.store.functions.seen_at(function.arn)
        known = f" Last known: {function.verdict}, as of {day_and_time(seen_at)}." if seen_at else ""
        return Say(f"AWS did not say how {code(function.name)} stands: {prose(sentence(str(problem)))}{known}")


def patch_only(function: Function, policy: FixPolicy) -> str:
    """Why this function is changed in the code that deploys it, and not by a fix; empty where a fix may."""
    if not policy.patch_only_functions or function.managed_by is None:
        return ""
    tool = tools.NAMES[function.managed_by]
    return f"By policy, what {tool} deploys is changed in its code, not by a fix: *Show patch* has the change."


def nothing_to_do(context: Context, function: Function) -> str:
    """Why a function needs neither a fix nor an exemption; empty where it does.

    An exemption that has run out counts for nothing, though no audit has looked since.
    """
    name = code(function.name)
    findings = " ".join(prose(finding.text) for finding in function.findings)
    match function.verdict:
        case Verdict.UNTRACED:
            return ""
        case Verdict.TRACED:
            return f"{name} is traced already: {TracingMode.ACTIVE}, and its role may write to X-Ray."
        case Verdict.EXEMPT:
            exemption = context.store.exemptions.covering(function.arn, context.clock())
            if exemption is None:
                return ""
            return f"{name} is exempt until {day(exemption.last_moment)}: {prose(exemption.reason)}"
        case Verdict.NOT_APPLICABLE:
            return f"X-Ray does not apply to {name}. {findings}"
        case Verdict.UNKNOWN:
            return f"It is unknown whether {name} is traced. {findings} Ask `/trace-audit {function.name}` again later."
