"""Which functions a role may invoke, as far as its policies name them one by one. Pure.

A wildcard names nobody: whoever wrote `function:*` did not say what calls what.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from commands.aws.mentions import function_arn
from commands.aws.roles import Role

_INVOKE = ("lambda:invokefunction", "lambda:invokeasync")
_NONE: frozenset[str] = frozenset()


def named_functions(role: Role) -> frozenset[str]:
    """Unqualified ARNs. Conditions are not weighed, so all that follows is that the role *may* invoke them.

    What an unconditional Deny or the boundary takes away does not count; nor does anything under an unknown boundary.
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-permissions.html
    """
    named = {arn for document in role.policies for arn in _named(document)}
    if not named or role.boundary_unknown:
        return _NONE
    documents = (*role.policies, role.boundary) if role.boundary is not None else role.policies
    allowed = named if role.boundary is None else {arn for arn in named if _says(role.boundary, "Allow", arn)}
    return frozenset(arn for arn in allowed if not any(_says(document, "Deny", arn) for document in documents))


def _named(document: Mapping[str, Any]) -> Iterator[str]:
    for statement in _statements(document, "Allow"):
        if "Resource" in statement and _covers_invoke(statement):
            for resource in _texts(statement["Resource"]):
                if arn := function_arn(resource):
                    yield arn


def _says(document: Mapping[str, Any], effect: str, arn: str) -> bool:
    """Whether a statement of that effect covers invoking the function; a Deny only where it has no conditions."""
    return any(
        _covers_invoke(statement) and _covers(statement, arn)
        for statement in _statements(document, effect)
        if effect == "Allow" or not statement.get("Condition")
    )


def _statements(document: Mapping[str, Any], effect: str) -> Iterator[Mapping[str, Any]]:
    statements = document.get("Statement")
    for statement in statements if isinstance(statements, list) else [statements]:
        if isinstance(statement, Mapping) and statement.get("Effect") == effect:
            yield statement


def _covers_invoke(statement: Mapping[str, Any]) -> bool:
    if "Action" in statement:
        patterns = [pattern.lower() for pattern in _texts(statement["Action"])]
        return any(fnmatchcase(action, pattern) for action in _INVOKE for pattern in patterns)
    patterns = [pattern.lower() for pattern in _texts(statement.get("NotAction"))]
    return not any(fnmatchcase(_INVOKE[0], pattern) for pattern in patterns)


def _covers(statement: Mapping[str, Any], arn: str) -> bool:
    if "Resource" in statement:
        return any(fnmatchcase(arn, pattern.removesuffix(":*")) for pattern in _texts(statement["Resource"]))
    return not any(fnmatchcase(arn, pattern) for pattern in _texts(statement.get("NotResource")))


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]
