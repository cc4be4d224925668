"""What --fix writes: a line or two, nothing else, and once."""

import re
from pathlib import Path

import pytest

from commands.iac.check import Paths, check
from commands.iac.fix import fix
from tests.commands.iac import cases
from tests.commands.iac.checking import laid, outcomes
from tests.commands.iac.test_check import ALL

CRLF = {name: text.replace("\n", "\r\n") for name, text in cases.cfn("# why\nRuntime: x").items()}
MODES = {"PassThrough", "Disabled", "active", "false"}
JSON = """{
  "Resources": {
    "F": {
      "Type": "AWS::Lambda::Function",
      "Properties": {
        "Handler": "a"
      }
    }
  }
}
"""
YAML = """Resources:
  F:
    Type: AWS::Lambda::Function
    Properties:
      # its name
      Handler: a # b
"""
SERVICE = "service: s\nprovider:\n  name: aws\nfunctions:\n  f: {handler: a}\n  g: {handler: b}\n"
TF = 'resource "aws_lambda_function" "f" {\n  role = "x" # why\n}\n'


def mended(folder: Path) -> dict[str, str]:
    return outcomes(fix([folder], check(Paths([folder]))).checked)


@pytest.mark.parametrize("files", [case[0] for case in ALL.values()], ids=ALL)
def test_what_is_mended_passes_and_nothing_is_lost(tmp_path: Path, files: dict[str, str]) -> None:
    laid(tmp_path, files)
    before = check(Paths([tmp_path]))
    texts = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    fixed = fix([tmp_path], before)

    again = check(Paths([tmp_path]))
    assert outcomes(again) == outcomes(fixed.checked)
    for old in before.results:
        new = outcomes(again)[old.name]
        assert new == ("pass" if old.edits else str(old.outcome))
        assert old.edits or old.by_hand or str(old.outcome) != "fail"
    for path, text in texts.items():
        assert set(re.findall(r"\w+", text)) - MODES <= set(re.findall(r"\w+", path.read_text()))
    assert fix([tmp_path], again).written == ()


@pytest.mark.parametrize(
    ("name", "text", "old", "new"),
    [
        ("t.yaml", YAML, "      # its", "      TracingConfig:\n        Mode: Active\n      # its"),
        ("t.json", JSON, '        "H', '        "TracingConfig": {"Mode": "Active"},\n        "H'),
        (
            "t.yaml",
            "Resources: {F: {Type: AWS::Serverless::Function, Properties: {Handler: a}}}\n",
            "{Handler",
            "{Tracing: Active, Handler",
        ),
        ("main.tf", TF, "why\n", 'why\n\n  tracing_config {\n    mode = "Active"\n  }\n'),
        ("serverless.yml", SERVICE, "  name: aws", "  tracing:\n    lambda: true\n  name: aws"),
    ],
    ids=["YAML", "JSON", "flow", "Terraform", "Serverless"],
)
def test_the_patch_is_small(tmp_path: Path, name: str, text: str, old: str, new: str) -> None:
    (tmp_path / name).write_text(text)

    assert set(mended(tmp_path).values()) == {"pass"}
    assert (tmp_path / name).read_text() == text.replace(old, new)


def test_line_ends_and_marks_stay(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + CRLF["template.yaml"].encode())
    mended(tmp_path)

    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfAWS")
    assert b"Mode: Active\r\n" in raw
    assert raw.count(b"\n") == raw.count(b"\r\n")


def test_a_role_that_lacks_the_permission_gets_it(tmp_path: Path) -> None:
    files = cases.cfn("Role: !GetAtt Role.Arn", more=cases.ROLE)

    assert mended(laid(tmp_path, files)) == {"F": "pass"}
    assert "AWSXRayDaemonWriteAccess" in (tmp_path / "template.yaml").read_text()


def test_a_file_on_one_line_is_left_to_people(tmp_path: Path) -> None:
    laid(tmp_path, {"main.tf": 'resource "aws_lambda_function" "f" { role = "x" }\n'})
    (one,) = check(Paths([tmp_path])).results

    assert one.by_hand == "Set the mode to Active by hand."
    assert fix([tmp_path], check(Paths([tmp_path]))).written == ()


def test_what_can_be_mended_is_though_another_cannot(tmp_path: Path) -> None:
    module = 'variable "mode" {}\nresource "aws_lambda_function" "f" {\n  role = "x"\n}\n'
    service = "service: s\nprovider: {name: aws}\nfunctions:\n  f: {tracing: PassThrough}\n  g: {handler: b}\n"
    laid(
        tmp_path,
        {"main.tf": module, "serverless.yml": service, "t.yaml": YAML + "  G: {Type: AWS::Lambda::Function}\n"},
    )

    assert mended(tmp_path) == {"aws_lambda_function.f": "pass", "f": "pass", "g": "pass", "F": "pass", "G": "fail"}
