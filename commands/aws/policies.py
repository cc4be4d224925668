"""What an IAM policy document says of one request, as far as that can be told from the document. Pure; asks nobody.

Only requests whose action has no resource types are judged (X-Ray's write actions are of that kind): for them IAM
heeds a statement only when its `Resource` is `*`. What is known of the request's context is given as the values that
each condition key may have; everything else stays open, and an open condition is never taken for a yes or a no.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any


class Match(IntEnum):
    """Whether something holds. Ordered, so that `max` is "or" and `min` is "and"."""

    NEVER = 0
    MAYBE = 1
    ALWAYS = 2

    def negated(self) -> "Match":
        return Match(Match.ALWAYS - self)


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """An action to judge, and every value that a condition key may have in it.

    `context` has lower-case keys; None among the values means that the key may be absent. A key that is not listed
    may have any value or none.
    """

    action: str
    context: Mapping[str, tuple[str | None, ...]]


@dataclass(frozen=True, slots=True)
class Ruling:
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
            _names(statement, "Action", lambda text, action=action: _action_matches(text, action))  # type: ignore[misc]  # binds the loop's variable
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
        return service in services and _names(fields, "Action", lambda text: _action_matches(text, "sts:AssumeRole"))
    except _MalformedError:
        return False


def _statement_rulings(statement: object, request: PolicyRequest, variables: bool) -> tuple[Ruling, ...]:
    effect = statement.get("Effect") if isinstance(statement, Mapping) else None
    try:
        fields = _identity_fields(statement)
        if not _names(fields, "Action", lambda text: _action_matches(text, request.action)):
            return ()
        if not _names(fields, "Resource", _covers_everything):
            return ()
        match, keys = _weigh_conditions(fields.get("Condition", {}), request, variables)
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


def _names(fields: Mapping[str, Any], element: str, matches: Callable[[str], bool]) -> bool:
    """Whether `Action` (or `Resource`) matches, or its `Not…` form does not. Exactly one of the two must be there."""
    if (element in fields) == (f"Not{element}" in fields):
        raise _MalformedError
    if element in fields:
        return any(matches(text) for text in _texts(fields[element]))
    return not any(matches(text) for text in _texts(fields[f"Not{element}"]))


def _covers_everything(resource: str) -> bool:
    return bool(resource) and not resource.strip("*")


@lru_cache(maxsize=20_000)  # thousands of roles name the same few patterns
def _action_matches(pattern: str, action: str) -> bool:
    glob = _regex(pattern, wild=True, resolve=None, flags=re.IGNORECASE)
    return glob is not None and glob.fullmatch(action) is not None


# Conditions


def _weigh_conditions(block: object, request: PolicyRequest, variables: bool) -> tuple[Match, tuple[str, ...]]:
    """All tests of a Condition block together, and the keys of those that decided it (none when it always holds)."""
    tests = [
        (_weigh(operator, key.lower(), _wanted(wanted), request, variables), key)
        for operator, keys in _mapping(block).items()
        for key, wanted in _mapping(keys).items()
    ]
    match = min((found for found, _ in tests), default=Match.ALWAYS)
    if match is Match.ALWAYS:
        return match, ()
    return match, tuple(dict.fromkeys(key for found, key in tests if found is match))


def _weigh(operator: str, key: str, wanted: list[str], request: PolicyRequest, variables: bool) -> Match:
    """One test, over every value that the key may have."""
    possible = request.context.get(key)
    quantifier, _, plain = operator.rpartition(":")
    name = plain.removesuffix("IfExists")
    known = plain == "Null" or name.replace("Not", "", 1) in _COMPARISONS or name.startswith(("Numeric", "Date"))
    if possible is None or not known or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        return Match.MAYBE
    resolve = (lambda variable: _resolve(variable, request.context)) if variables else None
    found = {
        _test_value(value, name, wanted, resolve)
        if value is not None or name == "Null"
        else _test_absent(quantifier, plain)
        for value in possible
    }
    return found.pop() if len(found) == 1 else Match.MAYBE


def _test_absent(quantifier: str, operator: str) -> Match:
    """A key that is not in the request: `IfExists`, `ForAllValues` and negated operators hold, others do not."""
    if operator.endswith("IfExists") or quantifier == "ForAllValues":
        return Match.ALWAYS
    return Match.ALWAYS if "Not" in operator and not quantifier else Match.NEVER


def _test_value(value: str | None, operator: str, wanted: list[str], resolve: "_Resolve | None") -> Match:
    if operator == "Null":
        absent = "true" if value is None else "false"
        return Match.ALWAYS if absent in (text.lower() for text in wanted) else Match.NEVER
    compare = _COMPARISONS.get(operator.replace("Not", "", 1))
    if compare is None or value is None:
        return Match.MAYBE
    found = max(compare(value, text, resolve) for text in wanted)
    return found.negated() if "Not" in operator else found


def _equals(value: str, wanted: str, resolve: "_Resolve | None") -> Match:
    return _matches(value, _regex(wanted, wild=False, resolve=resolve))


def _equals_any_case(value: str, wanted: str, resolve: "_Resolve | None") -> Match:
    return _matches(value, _regex(wanted, wild=False, resolve=resolve, flags=re.IGNORECASE))


def _like(value: str, wanted: str, resolve: "_Resolve | None") -> Match:
    return _matches(value, _regex(wanted, wild=True, resolve=resolve))


def _arn_like(value: str, wanted: str, resolve: "_Resolve | None") -> Match:
    """ARNs are compared part by part, so a `*` stays within its part; where all colons line up a glob says the same."""
    found = _like(value, wanted, resolve)
    aligned = value.count(":") == re.sub(r"\$\{[^}]*\}", "", wanted).count(":") == 5
    return found if aligned or found is Match.NEVER else Match.MAYBE


def _same_bool(value: str, wanted: str, resolve: "_Resolve | None") -> Match:
    return _equals(value.lower(), wanted.lower(), resolve)


_Resolve = Callable[[str], str | None]
_COMPARISONS: Mapping[str, Callable[[str, str, _Resolve | None], Match]] = {
    "StringEquals": _equals,
    "StringEqualsIgnoreCase": _equals_any_case,
    "StringLike": _like,
    "ArnEquals": _arn_like,  # IAM treats the two alike
    "ArnLike": _arn_like,
    "Bool": _same_bool,
}


def _matches(value: str, pattern: re.Pattern[str] | None) -> Match:
    if pattern is None:
        return Match.MAYBE
    return Match.ALWAYS if pattern.fullmatch(value) else Match.NEVER


# Text with wildcards and policy variables

_TOKEN = re.compile(r"\$\{(?P<variable>[^}]*)\}|[*?]|[^$*?]+|\$", re.DOTALL)


def _regex(text: str, *, wild: bool, resolve: _Resolve | None, flags: int = 0) -> re.Pattern[str] | None:
    """`text` as a pattern, or None when it holds a variable whose value is not known. Takes linear time to match."""
    chunks = [""]  # what stands between the stars
    for token in _TOKEN.finditer(text):
        if resolve is not None and token["variable"] is not None:
            value = resolve(token["variable"])
            if value is None:
                return None
            chunks[-1] += re.escape(value)
        elif wild and token[0] == "*":
            chunks.append("")
        else:
            chunks[-1] += "".join(_literals(token[0], wild))
    first, *rest = chunks
    if not rest:
        return re.compile(first, flags | re.DOTALL | re.ASCII)
    # An atomic group takes the earliest place for each chunk, which is always good enough, and never goes back.
    middle = "".join(f"(?>.*?{chunk})" for chunk in rest[:-1])
    return re.compile(f"{first}{middle}.*{rest[-1]}", flags | re.DOTALL | re.ASCII)


def _literals(token: str, wild: bool) -> Iterator[str]:
    """A token that is not a star; `${…}` stays literal here, except for wildcards inside it."""
    for character in token:
        if wild and character == "*":
            yield ".*"
        elif wild and character == "?":
            yield "."
        else:
            yield re.escape(character)


def _resolve(variable: str, context: Mapping[str, tuple[str | None, ...]]) -> str | None:
    """What IAM puts for `${variable}`, or None when that cannot be told; `${*}`, `${?}` and `${$}` are those signs."""
    if variable in ("*", "?", "$"):
        return variable
    key, _, default = variable.partition(",")
    possible = context.get(key.strip().lower(), ())
    if len(possible) != 1:
        return None
    return possible[0] if possible[0] is not None else default.strip().strip("'") or None
