"""Would IAM allow it? Policy documents in, a decision out; nothing here knows where a document came from.

Evaluated as AWS does for one account: an explicit Deny wins, then something must allow, and a permissions boundary and
a session policy each narrow what the identity's own policies give. Service control policies are not modelled.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from operator import eq, ge, gt, le, lt
from typing import Any

Document = Mapping[str, Any]  # a parsed policy document
Conditions = Mapping[str, str]  # what is known of a call, by condition key

_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_ORDERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "Equals": eq,
    "LessThan": lt,
    "LessThanEquals": le,
    "GreaterThan": gt,
    "GreaterThanEquals": ge,
}


class Decision(StrEnum):
    """How IAM's simulator names what policies say of an action."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


@dataclass(frozen=True, slots=True)
class Grants:
    """Everything that decides what one principal may do."""

    identity: tuple[Document, ...]  # inline and attached policies
    boundary: tuple[Document, ...] | None = None  # None: no permissions boundary
    session: tuple[Document, ...] | None = None  # None: no session policy

    def decide(self, action: str, resource: str = "*", context: Conditions | None = None) -> Decision:
        """What all layers together say; `resource` is `*` for actions that have no resource types, as X-Ray's."""
        layers = [layer for layer in (self.identity, self.boundary, self.session) if layer is not None]
        said = [decide(layer, action, resource, context or {}) for layer in layers]
        if Decision.EXPLICIT_DENY in said:
            return Decision.EXPLICIT_DENY
        return Decision.IMPLICIT_DENY if Decision.IMPLICIT_DENY in said else Decision.ALLOWED

    def allow(self, action: str, resource: str = "*", context: Conditions | None = None) -> bool:
        return self.decide(action, resource, context) is Decision.ALLOWED


def decide(documents: Iterable[Document], action: str, resource: str, context: Conditions) -> Decision:
    """What these documents alone say."""
    effects = {
        statement.get("Effect")
        for document in documents
        for statement in statements(document)
        if _covers(statement, action, resource, context)
    }
    if "Deny" in effects:
        return Decision.EXPLICIT_DENY
    return Decision.ALLOWED if "Allow" in effects else Decision.IMPLICIT_DENY


def trusts(document: Document, principals: Sequence[str], action: str, context: Conditions) -> bool:
    """Whether a trust policy lets any of `principals` (ARNs, account ids) do `action`; a Deny that matches wins."""
    matching = [
        statement.get("Effect")
        for statement in statements(document)
        if _names(statement.get("Principal"), principals)
        and _matches_action(statement, action)
        and conditions_hold(statement.get("Condition") or {}, context)
    ]
    return "Allow" in matching and "Deny" not in matching


def statements(document: Document) -> list[Mapping[str, Any]]:
    """A document's statements; AWS accepts one statement without its list."""
    found = document.get("Statement") or []
    return [found] if isinstance(found, Mapping) else list(found)


def conditions_hold(block: Mapping[str, Any], context: Conditions) -> bool:
    """Whether every condition holds. An operator that is not modelled here never does: it neither allows nor denies."""
    known = {key.lower(): value for key, value in context.items()}
    return all(
        _holds(operator, key, many(wanted), known) for operator, keys in block.items() for key, wanted in keys.items()
    )


def many(value: object) -> list[str]:
    """IAM writes one value or a list of them."""
    if value is None:
        return []
    return [_text(item) for item in value] if isinstance(value, list | tuple) else [_text(value)]


def _covers(statement: Mapping[str, Any], action: str, resource: str, context: Conditions) -> bool:
    if not _matches_action(statement, action):
        return False
    if "NotResource" in statement:
        if any(_glob(pattern, resource, context) for pattern in many(statement["NotResource"])):
            return False
    elif not any(_glob(pattern, resource, context) for pattern in many(statement.get("Resource"))):
        return False
    return conditions_hold(statement.get("Condition") or {}, context)


def _matches_action(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not any(_pattern(p.lower()).fullmatch(action.lower()) for p in many(statement["NotAction"]))
    return any(_pattern(p.lower()).fullmatch(action.lower()) for p in many(statement.get("Action")))


def _names(principal: object, principals: Sequence[str]) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, Mapping):
        return False
    named = [name for kind in ("AWS", "Service", "Federated") for name in many(principal.get(kind))]
    return any(name == "*" or name in principals for name in named)


def _holds(operator: str, key: str, wanted: list[str], context: Conditions) -> bool:
    _, _, bare = operator.rpartition(":")  # ForAnyValue: and ForAllValues: are the same where a key has one value
    if_exists = bare.endswith("IfExists")
    bare = bare.removesuffix("IfExists")
    value = context.get(key.lower())
    if bare == "Null":
        return (value is None) == (wanted == ["true"])
    if value is None:
        any_value = operator.startswith("ForAnyValue:")  # asks for one that matches, whatever IfExists says
        return not any_value and (if_exists or "Not" in bare or operator.startswith("ForAllValues:"))
    negated = "Not" in bare
    match bare.replace("Not", ""):
        case "StringEquals":
            found = any(_filled(item, context) == value for item in wanted)
        case "StringEqualsIgnoreCase":
            found = any((_filled(item, context) or "").lower() == value.lower() for item in wanted)
        case "StringLike" | "ArnLike" | "ArnEquals":  # ArnEquals takes wildcards too
            found = any(_glob(item, value, context) for item in wanted)
        case "Bool":
            found = any(item.lower() == value.lower() for item in wanted)
        case name if name.startswith(("Date", "Numeric")):
            found = any(_compare(name, value, item) for item in wanted)
        case _:
            return False
    return found != negated


def _compare(operator: str, value: str, wanted: str) -> bool:
    """Dates and numbers; what is neither compares with nothing."""
    read: Callable[[str], Any] = datetime.fromisoformat if operator.startswith("Date") else Decimal
    try:
        found, limit = read(value), read(wanted)
        return bool(_ORDERS[operator.removeprefix("Date").removeprefix("Numeric")](found, limit))
    except (KeyError, TypeError, ValueError, InvalidOperation):
        return False


def _glob(pattern: str, value: str, context: Conditions) -> bool:
    filled = _filled(pattern, context)
    return filled is not None and _pattern(filled).fullmatch(value) is not None


def _filled(pattern: str, context: Conditions) -> str | None:
    """`pattern` with its policy variables put in; None where one is not known, and then nothing matches."""
    known = {key.lower(): value for key, value in context.items()}
    names = _VARIABLE.findall(pattern)
    if any(name.lower() not in known for name in names):
        return None
    return _VARIABLE.sub(lambda found: known[found.group(1).lower()], pattern)


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in glob), re.DOTALL)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
