"""Values of parameters that are written down beside a template: a default that they replace is no pass."""

import json
from pathlib import Path

import pytest

from commands.iac.check import Paths, check
from tests.commands.iac import cases
from tests.commands.iac.checking import laid, outcomes, said

BY_DEFAULT = cases.sam("Tracing: !Ref T", "Parameters: {T: {Type: String, Default: Active}, Env: {Type: String}}")
WITHOUT = cases.sam("Tracing: !Ref T", "Parameters: {T: {Type: String}, Env: {Type: String}}")
PRODUCTION = '[prod.deploy.parameters]\nparameter_overrides = "%s"\n'
USUAL = "[default.deploy.parameters]\nparameter_overrides = %s\n"
GIVEN = "{parameters: {parameter_overrides: [T=PassThrough]}}"
KEYS = [{"ParameterKey": "Env", "ParameterValue": "prod"}]


@pytest.mark.parametrize(
    ("template", "more", "expected"),
    [
        (BY_DEFAULT, {"samconfig.toml": PRODUCTION % "T=PassThrough"}, "unknown"),
        (BY_DEFAULT, {"samconfig.toml": PRODUCTION % 'Env=\\"x y\\" T=\\"Active\\"'}, "pass"),
        (BY_DEFAULT, {"samconfig.toml": USUAL % '["Env=x", "T=PassThrough"]'}, "fail"),
        (BY_DEFAULT, {"samconfig.toml": USUAL % '"ParameterKey=T,ParameterValue=PassThrough"'}, "fail"),
        (BY_DEFAULT, {"samconfig.toml": "[default"}, "pass"),
        (WITHOUT, {"samconfig.toml": USUAL % '"T=Active"'}, "pass"),
        (WITHOUT, {"samconfig.toml": USUAL % '"T=Active"' + PRODUCTION % "T=PassThrough"}, "unknown"),
        (WITHOUT, {"other/samconfig.toml": USUAL % '"T=Active"'}, "unknown"),
        (
            BY_DEFAULT,
            {"p/prod.json": json.dumps([*KEYS, {"ParameterKey": "T", "ParameterValue": "PassThrough"}])},
            "unknown",
        ),
        (BY_DEFAULT, {"p/prod.json": json.dumps({"Parameters": {"T": "PassThrough"}})}, "unknown"),
        (WITHOUT, {"p/prod.json": json.dumps({"Parameters": {"T": "Active"}})}, "pass"),
        (BY_DEFAULT, {"p/prod.json": '["T=PassThrough", "Env=prod"]'}, "unknown"),
        (BY_DEFAULT, {"samconfig.yaml": f"default: {{deploy: {GIVEN}}}\n"}, "fail"),
        (BY_DEFAULT, {"samconfig.yaml": f"prod: {{global: {GIVEN}}}\n"}, "unknown"),
        (BY_DEFAULT, {"p/other.json": json.dumps({"Parameters": {"T": "PassThrough", "Else": "x"}})}, "pass"),
        (BY_DEFAULT, {"p/broken.json": '{"Parameters": '}, "pass"),
    ],
)
def test_a_parameter_may_be_given_otherwise(
    tmp_path: Path, template: dict[str, str], more: dict[str, str], expected: str
) -> None:
    assert said(laid(tmp_path, {**template, **more})) == {"F": expected}


def test_of_a_named_template_the_files_beside_it_count(tmp_path: Path) -> None:
    laid(tmp_path, {**BY_DEFAULT, "samconfig.toml": PRODUCTION % "T=PassThrough"})
    checked = check(Paths([tmp_path / "template.yml"]))

    assert outcomes(checked) == {"F": "unknown"}
    assert "parameter T (samconfig.toml)" in checked.results[0].reason


def test_a_value_that_a_file_gives_is_named(tmp_path: Path) -> None:
    (one,) = check(Paths([laid(tmp_path, {**WITHOUT, "samconfig.toml": USUAL % '"T=Active"'})])).results

    assert one.reason == "Tracing is Active, by what samconfig.toml gives parameter T"


@pytest.mark.parametrize(
    ("given", "expected"), [("PassThrough", "unknown"), ("!Ref Else", "unknown"), ("Active", "pass")]
)
def test_a_stack_is_given_what_the_one_that_nests_it_says(tmp_path: Path, given: str, expected: str) -> None:
    outer = f"""
        Parameters: {{Else: {{Type: String}}}}
        Resources:
          Inner:
            Type: AWS::CloudFormation::Stack
            Properties: {{TemplateURL: nested/template.yml, Parameters: {{T: {given}}}}}
    """
    files = {"outer.yaml": outer, **{f"nested/{name}": text for name, text in BY_DEFAULT.items()}}

    assert said(laid(tmp_path, files)) == {"F": expected}


@pytest.mark.parametrize(("default", "expected"), [("dev", "fail"), ("prod", "unknown")])
def test_a_condition_may_ask_a_mapping(tmp_path: Path, default: str, expected: str) -> None:
    head = f"""Parameters: {{Stage: {{Type: String, Default: {default}}}}}
Mappings: {{Of: {{dev: {{Trace: 'no'}}, prod: {{Trace: 'yes'}}}}}}
Conditions: {{On: !Equals [!FindInMap [Of, !Ref Stage, Trace], 'yes']}}"""

    assert said(laid(tmp_path, cases.sam("Tracing: !If [On, Active, PassThrough]", head))) == {"F": expected}


@pytest.mark.parametrize(
    "more",
    [
        {"samconfig.toml": 'default = 1\n[x]\ndeploy = [1]\n[y.deploy]\nparameters = "a"\n'},
        {"samconfig.toml": '[x.deploy.parameters]\nparameter_overrides = "T=\'"\n'},
        {"samconfig.toml": '[x.deploy.parameters]\ntemplate_file = "a\\u0000b"\nparameter_overrides = [1, "T"]\n'},
        {"p/a.json": '["ParameterKey", 1, {"ParameterKey": 1}]', "p/b.json": '{"Parameters": [1]}'},
        {"o.yaml": 'Resources: {I: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: "a\\0b"}}}\n'},
        {"o.yaml": "Resources: {I: {Type: AWS::CloudFormation::Stack, Properties: [TemplateURL]}}\n"},
        {"o.yaml": "# AWS::CloudFormation::Stack\nResources: [\n"},
    ],
)
def test_what_is_no_value_changes_nothing(tmp_path: Path, more: dict[str, str]) -> None:
    assert said(laid(tmp_path, {**BY_DEFAULT, **more})) == {"F": "pass"}
