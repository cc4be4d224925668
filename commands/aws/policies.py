"""What an IAM policy document says of one request, as far as that can be told from the document. Pure; asks nobody.

Only requests whose action has no resource types are judged (X-Ray's write actions are of that kind): for them IAM
heeds a statement only when its `Resource` is `*`. What is known of the request's context is given as the values that
each condition key may have; everything else stays open, and an open condition is never taken for a yes or a no.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from commands.aws import conditions
from commands.aws.conditions import Context, Match


class PolicyRequest(msgspec.Struct, frozen=True):
    """An action to judge, and every value that a condition key may have in it.

    `context` has lower-case keys; None among the values means that the key may be absent. A key that is not listed
    may have any value or none.
    """

    action: str
    context: Context


class Ruling(msgspec.Struct, frozen=True):
    """One statement that speaks of the request, and whether it applies."""

    effect: str  # "Allow" or "Deny"
    match: Match
    sid: str = ""
    keys: tuple[str, ...] = ()  # the condition keys that keep it from applying always
    malformed: bool = False


class _MalformedError(Exception):
    """AWS would not have stored this; what it means is anybody's guess."""


# What cannot be understood may say anything: never a grant, and never nothing.
_UNREADABLE = (Ruling("Allow", Match.MAYBE, malformed=True), Ruling("Deny", Match.MAYBE, malformed=True))


def rulings(document: object, request: PolicyRequest) -> tuple[Ruling, ...]:
    """The statements of an identity policy or permissions boundary that name the request's action, conditions weighed.

    Never raises: a malformed document or statement comes back as one that may apply, whatever its effect may be.
    """
    try:
        variables = _mapping(document).get("Version") == "2012-10-17"  # older versions take `${…}` literally
        statements = _statements(document)
    except _MalformedError:
        return _UNREADABLE
    return tuple(ruling for statement in statements for ruling in _statement_rulings(statement, request, variables))


def names_any(document: object, actions: Sequence[str]) -> bool:
    """Whether an Allow names one of the actions, whatever its resources and conditions; True where that is unreadable.

    A role of which this is False may certainly do none of them.
    """
    try:
        fields = [_mapping(statement) for statement in _statements(document)]
        allows = [statement for statement in fields if statement.get("Effect") != "Deny"]
        return any(
            _names(statement, "Action", lambda text, action=action: conditions.same_action(text, action))  # type: ignore[misc]  # binds the loop's variable
            for statement in allows
            for action in actions
        )
    except _MalformedError:
        return True


def trusts(document: object, service: str) -> bool:
    """Whether a trust policy has an Allow of sts:AssumeRole for an AWS service; its conditions are not weighed."""
    try:
        return any(_trusts(statement, service) for statement in _statements(document))
    except _MalformedError:
        return False


def _trusts(statement: object, service: str) -> bool:
    try:
        fields = _mapping(statement)
        if fields.get("Effect") != "Allow" or not isinstance(fields.get("Principal"), Mapping):
            return False
        services = _texts(fields["Principal"].get("Service"))
        return service in services and _names(
            fields, "Action", lambda text: conditions.same_action(text, "sts:AssumeRole")
        )
    except _MalformedError:
        return False


def _statement_rulings(statement: object, request: PolicyRequest, variables: bool) -> tuple[Ruling, ...]:
    effect = statement.get("Effect") if isinstance(statement, Mapping) else None
    try:
        fields = _identity_fields(statement)
        if not _names(fields, "Action", lambda text: conditions.same_action(text, request.action)):
            return ()
        if not _names(fields, "Resource", _covers_everything):
            return ()
        match, keys = conditions.weigh(_tests(fields.get("Condition", {})), request.context, variables)
    except _MalformedError:
        return tuple(ruling for ruling in _UNREADABLE if effect not in ("Allow", "Deny") or ruling.effect == effect)
    sid = fields.get("Sid")
    return (Ruling(str(effect), match, sid if isinstance(sid, str) else "", keys),)


def _identity_fields(statement: object) -> Mapping[str, Any]:
    fields = _mapping(statement)
    if fields.get("Effect") not in ("Allow", "Deny") or "Principal" in fields or "NotPrincipal" in fields:
        raise _MalformedError
    return fields


def _statements(document: object) -> Sequence[object]:
    statements = _mapping(document).get("Statement")
    if isinstance(statements, Mapping):
        return [statements]
    if isinstance(statements, Sequence) and not isinstance(statements, str):
        return statements
    raise _MalformedError


def _mapping(value: object) -> Mapping[str, Any]:
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return value
    raise _MalformedError


def _texts(value: object) -> list[str]:
    """A string, or a list of them, as a list."""
    values = value if isinstance(value, (list, tuple)) else [value]
    texts = [item for item in values if isinstance(item, str)]
    if not texts or len(texts) != len(values):
        raise _MalformedError
    return texts


def _wanted(value: object) -> list[str]:
    """What a condition compares with; numbers and booleans are spelled as JSON spells them."""
    values = value if isinstance(value, (list, tuple)) else [value]
    return _texts([json.dumps(item) if isinstance(item, (bool, int, float)) else item for item in values])


def _tests(block: object) -> list[conditions.Test]:
    """A Condition block, test by test."""
    return [
        (operator, key, _wanted(wanted))
        for operator, keys in _mapping(block).items()
        for key, wanted in _mapping(keys).items()
    ]


def _names(fields: Mapping[str, Any], element: str, matches: Callable[[str], bool]) -> bool:
    """Whether `Action` (or `Resource`) matches, or its `Not…` form does not. Exactly one of the two must be there."""
    if (element in fields) == (f"Not{element}" in fields):
        raise _MalformedError
    if element in fields:
        return any(matches(text) for text in _texts(fields[element]))
    return not any(matches(text) for text in _texts(fields[f"Not{element}"]))


def _covers_everything(resource: str) -> bool:
    return bool(resource) and not resource.strip("*")
