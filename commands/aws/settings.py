"""In which settings two versions of a function differ, by name. Pure; values are compared and go no further."""

from collections.abc import Iterator, Mapping
from typing import Any

# Every other member of the answer has to be the same; a test holds this list to botocore's model, so that a new member
# of it has to be thought about. What is not compared:
MAY_DIFFER = {
    "TracingConfig": "it is to differ",
    "ConfigSha256": "UNCONFIRMED whether it covers TracingConfig; all that it can cover is compared by itself",
    "CodeSize": "its SHA-256 says more",
    "Description": "a version's own, which whoever publishes gives it",
    "FunctionName": "which function it is",
    "MasterArn": "which function it is",
    **dict.fromkeys(("FunctionArn", "Version", "RevisionId", "LastModified"), "which version it is"),
    **dict.fromkeys(
        (
            *("State", "StateReason", "StateReasonCode"),
            *("LastUpdateStatus", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"),
        ),
        "how it stands, not how it runs",
    ),
}
_NOT_SETTINGS = frozenset({*MAY_DIFFER, "ResponseMetadata"})
_CODE = "CodeSha256"
_LONGEST_LIST = 3


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of what differs between two answers of GetFunctionConfiguration, tracing aside; for people.

    A name that is not known here counts as a setting, so that a new one of AWS's is never shipped unseen.
    """
    return tuple(_differences(one, other))


def _differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    if one.get(_CODE) != other.get(_CODE):
        yield "its code"
    # AWS moves a function to the newest patch of its runtime when it is updated, unless it was pinned: a version that
    # runs on another patch is not replaced, for it may have been pinned with reason.
    names = sorted((one.keys() | other.keys()) - _NOT_SETTINGS - {_CODE, "Environment"})
    for name in names:
        if _unread(one.get(name)) or _unread(other.get(name)):
            yield f"`{name}`, which could not be read"
        elif _plain(name, one.get(name)) != _plain(name, other.get(name)):
            yield f"`{name}`"
    yield from _environment(one.get("Environment") or {}, other.get("Environment") or {})


def _environment(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    """Variables that AWS may not decrypt for us are not known to be equal."""
    if _unread(one) or _unread(other):
        yield "its environment, which could not be read"
        return
    mine, theirs = one.get("Variables") or {}, other.get("Variables") or {}
    names = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
    yield from (f"its variable `{name}`" for name in names[:_LONGEST_LIST])
    if len(names) > _LONGEST_LIST:
        yield f"{len(names) - _LONGEST_LIST} more variables"


def _unread(value: Any) -> bool:
    """Whether AWS gives an error in place of a setting, which then is not known to be equal."""
    return isinstance(value, Mapping) and bool(value.get("Error"))


def _plain(name: str, value: Any) -> Any:
    """Without what AWS adds by itself, and with what is a set in one order; nothing and empty are the same."""
    match name:
        case "SnapStart":
            chosen = (value or {}).get("ApplyOn")
            return None if chosen == "None" else chosen
        case "Layers":
            return [layer.get("Arn") for layer in value or ()] or None
        case "VpcConfig":
            sets = {key: sorted(item) if isinstance(item, list) else item for key, item in (value or {}).items()}
            return _filled(sets)
        case _:
            return _filled(value)


def _filled(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {key: _filled(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None} or None
    if isinstance(value, list | tuple):
        return [_filled(item) for item in value] or None
    return None if value == "" else value
