"""Functions in what `terraform show -json` prints of a plan or a state."""

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from commands.iac.nouns import ACTIVE, CannotReadError, Checked, Outcome, Result, Tool
from commands.iac.terraform_stacks import STACKS, said

FUNCTIONS = ("aws_lambda_function", "awscc_lambda_function")
_DEEP = 50
_BY_HAND = "Set tracing_config in the code, and plan again."


def looks_like(value: object) -> bool:
    return (
        isinstance(value, dict)
        and "format_version" in value
        and any(key in value for key in ("resource_changes", "planned_values", "values"))
    )


def read(text: str) -> Any:
    """Raises CannotReadError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise CannotReadError("it is no valid JSON") from problem


def check(plan: Mapping[str, Any], file: Path, text: str) -> Checked:
    written = _written(plan)
    if isinstance(plan.get("resource_changes"), list):
        found = [_changed(one, written, file, text) for one in plan["resource_changes"] if _will_be(one, FUNCTIONS)]
        stacks = [one for one in plan["resource_changes"] if _will_be(one, STACKS)]
    else:
        values = plan.get("planned_values") or plan.get("values") or {}
        root = values.get("root_module") if isinstance(values, dict) else None
        each = list(_resources(root, 0))
        found = [_valued(one, file, text) for one in each if _is_one(one, FUNCTIONS)]
        stacks = [one for one in each if _is_one(one, STACKS)]
    checked = Checked((*found, *_deferred(plan, file, text)), (), (file,))
    for one in stacks:
        address = str(one.get("address", "?"))
        checked += said(file, _line(address, text), Tool.PLAN, address, json.dumps(one))
    return checked


def _deferred(plan: Mapping[str, Any], file: Path, text: str) -> Iterator[Result]:
    """What another apply will work out."""
    listed = plan.get("deferred_changes")
    for deferred in listed if isinstance(listed, list) else ():
        one = deferred.get("resource_change") if isinstance(deferred, dict) else None
        if _will_be(one, FUNCTIONS):
            address = str(one.get("address", "?"))
            why = "its change is deferred to another apply"
            yield Result(file, _line(address, text), Tool.PLAN, address, Outcome.UNKNOWN, why, by_hand=_BY_HAND)


def _is_one(one: object, types: Collection[str]) -> TypeGuard[dict[str, Any]]:
    return isinstance(one, dict) and one.get("type") in types and one.get("mode", "managed") == "managed"


def _will_be(one: object, types: Collection[str]) -> TypeGuard[dict[str, Any]]:
    """What is deleted or forgotten needs no tracing."""
    if not _is_one(one, types) or not isinstance(one.get("change"), dict):
        return False
    actions = one["change"].get("actions")
    return not (isinstance(actions, list) and actions and set(actions) <= {"delete", "forget"})


def _changed(one: dict[str, Any], written: Mapping[str, bool], file: Path, text: str) -> Result:
    change, address = one["change"], str(one.get("address", "?"))
    after, open_ = change.get("after"), change.get("after_unknown")
    mode = _mode(after)
    unsure = _unsure(open_)
    if mode is None and unsure and written.get(_plain(address)) is False:
        unsure = False  # the provider works out what the code leaves out, and that is PassThrough
    return _result(address, mode, unsure, file, text)


def _valued(one: dict[str, Any], file: Path, text: str) -> Result:
    return _result(str(one.get("address", "?")), _mode(one.get("values")), False, file, text)


def _result(address: str, mode: str | None, unsure: bool, file: Path, text: str) -> Result:
    line = _line(address, text)
    if unsure:
        reason = "tracing_config is known after the apply only"
        return Result(file, line, Tool.PLAN, address, Outcome.UNKNOWN, reason, "role not known", by_hand=_BY_HAND)
    if mode == ACTIVE:
        return Result(file, line, Tool.PLAN, address, Outcome.PASS, "tracing_config.mode is Active", "role not known")
    said = f"is {mode}; only Active records traces of its own" if mode else "is not set, which is PassThrough"
    return Result(
        file, line, Tool.PLAN, address, Outcome.FAIL, f"tracing_config.mode {said}", "role not known", by_hand=_BY_HAND
    )


def _line(address: str, text: str) -> int:
    return text.count("\n", 0, max(text.find(json.dumps(address)), 0)) + 1


def _mode(values: object) -> str | None:
    config = values.get("tracing_config") if isinstance(values, dict) else None
    inner = config[0] if isinstance(config, list) and len(config) == 1 else config
    mode = inner.get("mode") if isinstance(inner, dict) else None
    return mode if isinstance(mode, str) else None


def _unsure(unknown: object) -> bool:
    """`after_unknown` has true where a value is not known yet, and the shape of what is below."""
    if unknown is True:
        return True
    config = unknown.get("tracing_config") if isinstance(unknown, dict) else None
    inner = config[0] if isinstance(config, list) and config else config
    return inner is True or (isinstance(inner, dict) and inner.get("mode") is True)


def _written(plan: Mapping[str, Any]) -> dict[str, bool]:
    """Whether the code says anything of tracing, for each address without its indexes."""
    configuration = plan.get("configuration")
    root = configuration.get("root_module") if isinstance(configuration, dict) else None
    return dict(_configured(root, "", 0))


def _configured(module: object, prefix: str, deep: int) -> Iterator[tuple[str, bool]]:
    if not isinstance(module, dict) or deep > _DEEP:
        return
    for one in module.get("resources") or ():
        if _is_one(one, FUNCTIONS):
            expressions = one.get("expressions")
            yield f"{prefix}{one.get('address')}", not isinstance(expressions, dict) or "tracing_config" in expressions
    calls = module.get("module_calls")
    for name, call in calls.items() if isinstance(calls, dict) else ():
        if isinstance(call, dict):
            yield from _configured(call.get("module"), f"{prefix}module.{name}.", deep + 1)


def _plain(address: str) -> str:
    made, inside = [], 0
    for char in address:
        inside += char == "["
        if not inside:
            made.append(char)
        inside -= char == "]"
    return "".join(made)


def _resources(module: object, deep: int) -> Iterator[dict[str, Any]]:
    if not isinstance(module, dict) or deep > _DEEP:
        return
    yield from (one for one in module.get("resources") or () if isinstance(one, dict))
    for child in module.get("child_modules") or ():
        yield from _resources(child, deep + 1)
