"""What public templates taught: each shape that was judged wrongly once, and its neighbours that were not."""

from pathlib import Path

import pytest

from commands.iac.check import Paths, check
from tests.commands.iac.checking import laid, said
from tests.commands.iac.wild_cases import WILD

CDK = [
    '{"Resources": {"F1": {"Type": "AWS::Lambda::Function", "Properties": {}, "Metadata": {"aws:cdk:path": "A/F"}}}}',
    '{"Resources": {"F1": {"Type": "AWS::Lambda::Function"}}, "Rules": {"CheckBootstrapVersion": {"Assertions": []}}}',
]


@pytest.mark.parametrize(("files", "expected"), WILD.values(), ids=WILD)
def test_it_is_judged_by_what_will_be_deployed(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    assert list(said(laid(tmp_path, files)).values()) == [expected]


@pytest.mark.parametrize("files", [case[0] for case in WILD.values()], ids=WILD)
def test_without_the_word_nothing_passes(tmp_path: Path, files: dict[str, str]) -> None:
    without = {name: text.replace("Active", "PassThrough").replace("true", "false") for name, text in files.items()}

    assert "pass" not in said(laid(tmp_path, without)).values()


@pytest.mark.parametrize("text", CDK, ids=["by its paths", "by its rule"])
def test_a_synthesised_template_is_known_by_what_is_in_it(tmp_path: Path, text: str) -> None:
    (one,) = check(Paths([laid(tmp_path, {"snapshot/App.json": text})])).results

    assert (one.tool, one.edits) == ("AWS CDK", ())
    assert "lambda.Tracing.ACTIVE" in one.by_hand


@pytest.mark.parametrize(
    "text",
    [
        '{"Resources": {}}',
        '{"Parameters": {"BootstrapVersion": {"Type": "String"}}, "Rules": {"CheckBootstrapVersion": {}}}',
    ],
)
def test_a_stack_without_functions_is_a_template_all_the_same(tmp_path: Path, text: str) -> None:
    laid(tmp_path, {"App.template.json": text})

    assert check(Paths([tmp_path / "App.template.json"])).results == ()


@pytest.mark.parametrize(
    ("files", "note"),
    [
        ({"t.yaml": "Resources: {W: {Type: AWS::Serverless::WebFunction}}"}, "W is a web function"),
        ({"t.yaml": "Resources: {M: {Type: LocalModule, Source: m.yaml}}"}, "M is a module of its own"),
        ({"serverless-compose.yml": "services: {a: {path: ./a}}"}, "services of a composition"),
    ],
    ids=["web function", "local module", "composition"],
)
def test_what_is_not_looked_into_is_said(tmp_path: Path, files: dict[str, str], note: str) -> None:
    checked = check(Paths([laid(tmp_path, files)]))

    assert checked.results == ()
    assert note in checked.notes[0].text


def test_what_a_template_includes_at_its_root_is_unknown(tmp_path: Path) -> None:
    text = (
        "Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://a/b}}\nResources: {Q: {Type: AWS::SQS::Queue}}"
    )

    assert said(laid(tmp_path, {"t.yaml": text})) == {"Fn::Transform": "unknown"}


def test_a_module_of_the_registry_is_unknown_in_a_folder_too(tmp_path: Path) -> None:
    assert said(laid(tmp_path, {"t.yaml": "Resources: {M: {Type: 'Our::Shop::MODULE'}}"})) == {"M": "unknown"}


def test_lines_stay_what_they_are_behind_a_mended_heredoc(tmp_path: Path) -> None:
    text = 'locals {\n  a = <<EOT\nx\nEOT \t\n}\nresource "aws_lambda_function" "f" {\n}\n'
    (one,) = check(Paths([laid(tmp_path, {"main.tf": text})])).results

    assert one.line == 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("module.exports = { service: 'a' };", {"serverless.js": "unknown"}),
        ("export default require('./base');", {"serverless.js": "unknown"}),
        ("#!/usr/bin/env node\nmodule.exports = {};", {}),
        ("exports.handler = serverless(app);", {}),
    ],
)
def test_code_that_gives_a_service_is_told_from_code_of_that_name(
    tmp_path: Path, text: str, expected: dict[str, str]
) -> None:
    assert said(laid(tmp_path, {"serverless.js": text})) == expected
