"""`python -m bot check-iac` as a pull request runs it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main

GOOD = "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      TracingConfig: {Mode: Active}\n"
BAD = GOOD.replace("Active", "PassThrough")
OPEN = GOOD.replace("Active", "!ImportValue x")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check-iac", *arguments])


@pytest.mark.parametrize(("text", "code", "word"), [(GOOD, 0, "pass"), (BAD, 1, "fail"), (OPEN, 1, "unknown")])
def test_only_what_is_active_ends_well(here: Path, text: str, code: int, word: str) -> None:
    (here / "a.yaml").write_text(text)
    ended = run(".")

    assert ended.exit_code == code
    assert f"a.yaml:{5 if word == 'fail' else 2}: {word}: F: " in ended.stdout


def test_a_folder_without_functions_ends_well(here: Path) -> None:
    ended = run(".")

    assert (ended.exit_code, ended.stdout) == (0, "no functions in 0 files of infrastructure code\n")


def test_json_is_one_object(here: Path) -> None:
    (here / "a.yaml").write_text(BAD)
    told = json.loads(run("--json", "a.yaml").stdout)

    assert told["summary"] == {"pass": 0, "fail": 1, "unknown": 0, "not_applicable": 0}
    (one,) = told["functions"]
    assert (one["file"], one["line"], one["tool"], one["name"], one["outcome"], one["fixable"]) == (
        "a.yaml",
        5,
        "CloudFormation",
        "F",
        "fail",
        True,
    )


def test_sarif_has_the_place_of_what_is_wanting_and_nothing_else(here: Path) -> None:
    (here / "my app").mkdir()
    (here / "my app/a.yaml").write_text(BAD)
    (here / "b.yaml").write_text(GOOD)
    (here / "c.yaml").write_text(OPEN)
    assert run(".", "--sarif", "out/x.sarif").exit_code == 1

    log = json.loads((here / "out/x.sarif").read_text())
    (one,) = log["runs"]
    rules = {rule["id"] for rule in one["tool"]["driver"]["rules"]}
    found = {
        (
            result["level"],
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            result["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for result in one["results"]
    }
    assert log["version"] == "2.1.0"
    assert found == {("error", "my%20app/a.yaml", 5), ("warning", "c.yaml", 2)}
    assert {result["ruleId"] for result in one["results"]} <= rules


def test_fix_mends_once(here: Path) -> None:
    (here / "a.yaml").write_text(BAD)
    first, second = run("--fix", "."), run("--fix", ".")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "written: a.yaml" in first.stdout
    assert "written" not in second.stdout
    assert (here / "a.yaml").read_text() == GOOD


def test_what_is_no_code_is_one_line(here: Path) -> None:
    (here / "a.yaml").write_text("kind: Pod\n")
    for arguments, says in (
        (("none.yaml",), "there is no none.yaml"),
        (("a.yaml",), "a.yaml is no CloudFormation"),
        ((".", "--sarif", "/dev/null/x"), "--sarif: /dev/null/x cannot be written"),
    ):
        ended = run(*arguments)
        (line,) = ended.stderr.splitlines()
        assert ended.exit_code == 2
        assert line.startswith(f"lamplighter: {says}")


def test_names_cannot_command_the_terminal(here: Path) -> None:
    (here / "a.yaml").write_text(GOOD.replace("F:", '"F\\e[2J\\u202e":'))

    assert "\x1b" not in run(".").stdout
    assert "\u202e" not in run(".").stdout


def test_what_is_left_to_people_is_spelled_out(here: Path) -> None:
    (here / "cdk.out").mkdir()
    (here / "cdk.out/App.template.json").write_text('{"Resources": {"F1": {"Type": "AWS::Lambda::Function"}}}')
    ended = run("cdk.out", "--fix")

    assert ended.exit_code == 1
    assert "tracing: lambda.Tracing.ACTIVE," in ended.stdout
    assert "tracing=lambda_.Tracing.ACTIVE," in ended.stdout
    assert "written" not in ended.stdout
