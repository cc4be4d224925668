"""What `terraform show -json` prints of a plan."""

import json
from pathlib import Path
from typing import Any

import pytest

from commands.iac.check import Paths, check
from tests.commands.iac.checking import said

ACTIVE = {"tracing_config": [{"mode": "Active"}]}


def changed(after: Any, unknown: Any = None, actions: tuple[str, ...] = ("create",), **more: Any) -> dict[str, Any]:
    change = {"actions": list(actions), "before": None, "after": after, "after_unknown": unknown or {}}
    return {
        "address": "aws_lambda_function.f",
        "mode": "managed",
        "type": "aws_lambda_function",
        "change": change,
        **more,
    }


def plan(*changes: Any, expressions: Any = None) -> dict[str, Any]:
    resource = {"address": "aws_lambda_function.f", "mode": "managed", "type": "aws_lambda_function"}
    configured = [] if expressions is None else [{**resource, "expressions": expressions}]
    root = {"resources": configured}
    return {"format_version": "1.2", "resource_changes": list(changes), "configuration": {"root_module": root}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (plan(changed(ACTIVE)), ["pass"]),
        (plan(changed({"tracing_config": [{"mode": "PassThrough"}]})), ["fail"]),
        (plan(changed({"tracing_config": []})), ["fail"]),
        (plan(changed({}, {"tracing_config": True}, actions=("create",)), expressions={}), ["fail"]),
        (plan(changed({}, {"tracing_config": True}), expressions={"tracing_config": [{}]}), ["unknown"]),
        (plan(changed({}, {"tracing_config": True})), ["unknown"]),
        (plan(changed({"tracing_config": [{}]}, {"tracing_config": [{"mode": True}]})), ["unknown"]),
        (plan(changed(None, actions=("delete",))), []),
        (plan(changed(ACTIVE, actions=("delete", "create"))), ["pass"]),
        (plan(changed(ACTIVE, actions=("no-op",))), ["pass"]),
        (plan(changed({}, mode="data")), []),
        (plan(changed(None, actions=())), ["fail"]),
        (plan(None, {}, {"type": "aws_lambda_function"}), []),
    ],
)
def test_what_will_be_counts(tmp_path: Path, given: dict[str, Any], expected: list[str]) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(given))

    assert list(said(tmp_path).values()) == expected


def test_a_state_has_modules_in_modules(tmp_path: Path) -> None:
    def resource(address: str, values: Any) -> dict[str, Any]:
        return {"address": address, "mode": "managed", "type": "aws_lambda_function", "values": values}

    inner = {"resources": [resource("module.a.aws_lambda_function.g", {})]}
    root = {"resources": [resource("aws_lambda_function.f", ACTIVE)], "child_modules": [inner]}
    (tmp_path / "state.json").write_text(json.dumps({"format_version": "1.0", "values": {"root_module": root}}))

    assert said(tmp_path) == {"aws_lambda_function.f": "pass", "module.a.aws_lambda_function.g": "fail"}


def test_what_another_apply_works_out_is_unknown(tmp_path: Path) -> None:
    later = {"reason": "instance_count_unknown", "resource_change": changed(ACTIVE)}
    (tmp_path / "plan.json").write_text(json.dumps({**plan(), "deferred_changes": [later, None, {"reason": "x"}]}))

    assert said(tmp_path) == {"aws_lambda_function.f": "unknown"}


@pytest.mark.parametrize(("kind", "expected"), [("Lambda::Function", "unknown"), ("SQS::Queue", "a stack of its own")])
def test_a_stack_in_a_plan_is_a_template_of_its_own(tmp_path: Path, kind: str, expected: str) -> None:
    body = f"Resources: {{X: {{Type: AWS::{kind}}}}}"
    stack = changed({"template_body": body}, address="aws_cloudformation_stack.s", type="aws_cloudformation_stack")
    (tmp_path / "plan.json").write_text(json.dumps(plan(stack)))
    checked = check(Paths([tmp_path]))

    assert [*(str(one.outcome) for one in checked.results), *(one.text for one in checked.notes)][0].find(expected) >= 0
