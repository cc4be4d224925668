"""Terraform in JSON, as CDK for Terraform writes it."""

import json
from pathlib import Path

import pytest

from commands.iac.check import Paths, check
from tests.commands.iac import terraform_cases
from tests.commands.iac.checking import laid, outcomes, said


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"tracing_config": {"mode": "Active"}}, "pass"),
        ({"tracing_config": [{"mode": "Active"}]}, "pass"),
        ({"tracing_config": {"mode": "PassThrough"}}, "fail"),
        ({"tracing_config": {"mode": None}}, "fail"),
        ({"environment": {"variables": {"A": "${aws_dynamodb_table.t.name}"}}}, "fail"),
        ({"tracing_config": {"mode": "${var.mode}"}}, "unknown"),
        ({"tracing_config": "${local.x}"}, "unknown"),
        ({"dynamic": {"tracing_config": {"for_each": [], "content": {}}}}, "unknown"),
        ({"tracing_config": {"mode": "Active"}, "lifecycle": {"ignore_changes": ["tracing_config"]}}, "unknown"),
        ({"tracing_config": {"mode": "Active"}, "lifecycle": [{"ignore_changes": "all"}]}, "unknown"),
    ],
)
@pytest.mark.parametrize("listed", [False, True])
def test_terraform_in_json_is_read(tmp_path: Path, body: dict[str, object], expected: str, listed: bool) -> None:
    labels: object = {"f": [body] if listed else body}
    code = {"//": {"x": 1}, "resource": [{"aws_lambda_function": labels}]}

    assert said(laid(tmp_path, {"cdk.tf.json": json.dumps(code)})) == {terraform_cases.F_TF: expected}


def test_what_json_leaves_open_is_said(tmp_path: Path) -> None:
    edge = {"resource": {"aws_lambda_function": {"f": {}}, "aws_iam_role": {"r": "edgelambda.amazonaws.com"}}}
    files = {"a.tf.json": json.dumps(edge), "b.tf.json": '{"module": {"m": {"source": "./m"}}}'}
    checked = check(Paths([laid(tmp_path, files)]))

    assert outcomes(checked) == {terraform_cases.F_TF: "unknown"}
    assert [note.text for note in checked.notes] == ["module.m is called in JSON, and not looked into"]


def test_an_override_in_json_changes_what_stands_in_code(tmp_path: Path) -> None:
    code = terraform_cases.tf(terraform_cases.TRACING % '"Active"')
    override = {"resource": {"aws_lambda_function": {"f": {"tracing_config": {"mode": "PassThrough"}}}}}
    checked = check(Paths([laid(tmp_path, {**code, "override.tf.json": json.dumps(override)})]))

    assert {str(one.outcome) for one in checked.results} == {"unknown"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [("Active", "pass"), ("PassThrough", "unknown"), ("${var.mode}", "unknown"), (None, "unknown")],
)
def test_a_module_that_json_calls_does_not_pass_by_its_default_alone(
    tmp_path: Path, given: str | None, expected: str
) -> None:
    module = terraform_cases.tf(terraform_cases.TRACING % "var.mode", terraform_cases.BY_DEFAULT)["main.tf"]
    call = {"module": {"m": [{"source": "./m", "mode": given}]}}

    assert said(laid(tmp_path, {"main.tf.json": json.dumps(call), "m/main.tf": module})) == {
        terraform_cases.F_TF: expected
    }


def test_a_module_of_the_registry_that_json_calls_is_unknown(tmp_path: Path) -> None:
    call = '{"module": {"f": {"source": "terraform-aws-modules/lambda/aws"}}}'

    assert said(laid(tmp_path, {"main.tf.json": call})) == {"module.f": "unknown"}
