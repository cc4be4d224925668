"""Services of the Serverless Framework that take parts from other files, or from plugins."""

from pathlib import Path

import pytest

from commands.iac.check import Paths, check
from commands.iac.fix import fix
from tests.commands.iac import cases
from tests.commands.iac.checking import laid, outcomes, said

HEAD = "service: shop\n"
ON = cases.PROVIDER + "  tracing: {lambda: true}\n"
ONE = "functions: {f: {handler: a.b}}"
LAMBDA = "Type: AWS::Lambda::Function"
NOT_KNOWN = {"functions": "unknown"}
OWN = "api:\n  handler: a.b\n  tracing: Active\nworker:\n  handler: a.b\n"
BOTH = {"api": "pass", "worker": "fail"}


@pytest.mark.parametrize(
    ("main", "more", "expected"),
    [
        (cases.PROVIDER + "functions: ${file(./parts/f.yml)}", {"parts/f.yml": OWN}, BOTH),
        (cases.PROVIDER + "functions: ['${file(f.yml)}', {c: {handler: a.b}}]", {"f.yml": OWN}, BOTH | {"c": "fail"}),
        (cases.PROVIDER + "functions: ${file(f.yml):all}", {"f.yml": "all:\n  f: {handler: a.b}"}, {"f": "fail"}),
        (cases.PROVIDER + "functions: {f: '${file(f.yml):f}'}", {"f.yml": "f: {tracing: true}"}, {"f": "pass"}),
        (cases.PROVIDER + "functions: ${file(a.yml)}", {"a.yml": "- ${file(b.yml)}", "b.yml": OWN}, BOTH),
        (cases.PROVIDER + "functions: ${file(f.json)}", {"f.json": '{"f": {"handler": "a.b"}}'}, {"f": "fail"}),
        ("provider: ${file(p.yml)}\n" + ONE, {"p.yml": "name: aws\ntracing: {lambda: true}"}, {"f": "pass"}),
        ("provider: ${file(p.yml)}\n" + ONE, {"p.yml": "name: google"}, {}),
        (cases.PROVIDER + "  tracing: ${file(t.yml)}\n" + ONE, {"t.yml": "lambda: true"}, {"f": "pass"}),
        (
            cases.PROVIDER + "  tracing: {lambda: '${self:custom.on}'}\ncustom: ${file(c.yml)}\n" + ONE,
            {"c.yml": "on: false"},
            {"f": "fail"},
        ),
        # What is written in code, named by a variable, or not there:
        (ON + "functions: ${file(f.js)}", {"f.js": ""}, NOT_KNOWN),
        (ON + "functions: ${file(f-${opt:stage}.yml)}", {"f-dev.yml": OWN}, NOT_KNOWN),
        (ON + "functions: ${file(gone.yml)}", {}, NOT_KNOWN),
        (ON + "functions: ${file(/etc/f.yml)}", {}, NOT_KNOWN),
        (ON + "functions: ${file(a.yml)}", {"a.yml": "${file(b.yml)}", "b.yml": "${file(a.yml)}"}, NOT_KNOWN),
        (ON + "functions: {f: '${file(f.yml):gone}'}", {"f.yml": OWN}, {"f": "unknown"}),
        # Resources:
        (ON + "resources: ${file(r.yml)}", {"r.yml": "Resources: {R: {" + LAMBDA + "}}"}, {"R": "fail"}),
        (ON + "resources: {Resources: '${file(r.yml)}'}", {"r.yml": "R: {" + LAMBDA + "}"}, {"R": "fail"}),
        (ON + "resources: {Resources: {R: '${file(r.yml)}'}}", {"r.yml": LAMBDA}, {"R": "fail"}),
        (ON + "resources: ['${file(r.yml)}']", {"r.yml": "Resources: {R: {" + LAMBDA + "}}"}, {"R": "fail"}),
        (ON + "resources: ['${file(lambdas.js)}']", {}, {"resources": "unknown"}),
        # Plugins:
        (ON + "plugins: [serverless-plugin-tracing]\n" + ONE, {}, {"f": "unknown"}),
        (ON + "constructs: {jobs: {type: queue, worker: {handler: a.b}}}", {}, {"jobsWorker": "pass"}),
    ],
)  # fmt: skip
def test_parts_are_looked_up(tmp_path: Path, main: str, more: dict[str, str], expected: dict[str, str]) -> None:
    assert said(laid(tmp_path, {"serverless.yml": HEAD + main + "\n", **more})) == expected


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ("params: {default: {on: true}}", "pass"),
        ("stages: {default: {params: {on: true}}}", "pass"),
        ("params: {default: {on: true}, prod: {on: true}}", "pass"),
        ("params: {default: {on: true}, dev: {on: false}}", "unknown"),
        ("params: {default: {on: false}, dev: {on: true}}", "fail"),
        ("params: {dev: {on: true}}", "unknown"),
        ("params: ${file(gone.yml)}", "unknown"),
    ],
)
def test_parameters_of_stages_are_read(tmp_path: Path, params: str, expected: str) -> None:
    files = cases.sls(cases.PROVIDER + "  tracing: {lambda: '${param:on}'}\n" + params)

    assert said(laid(tmp_path, files)) == {"f": expected}


def test_a_result_stands_in_the_file_of_its_function_and_is_mended_where_the_provider_is(tmp_path: Path) -> None:
    main = HEAD + "provider: ${file(p.yml)} # ours\nfunctions: ${file(f.yml)}\n"
    laid(tmp_path, {"serverless.yml": main, "p.yml": "name: aws # cloud\n", "f.yml": "f:\n  handler: a.b\n"})
    checked = check(Paths([tmp_path / "serverless.yml"]))
    fixed = fix([tmp_path / "serverless.yml"], checked)

    assert [(one.file.name, one.line) for one in checked.results] == [("f.yml", 1)]
    assert outcomes(fixed.checked) == {"f": "pass"}
    assert (tmp_path / "p.yml").read_text() == "tracing:\n  lambda: true\nname: aws # cloud\n"
    assert (tmp_path / "serverless.yml").read_text() == main


def test_what_stands_in_another_file_is_left_to_people(tmp_path: Path) -> None:
    laid(
        tmp_path, {"serverless.yml": HEAD + ON + "functions: ${file(f.yml)}\n", "f.yml": "f: {tracing: PassThrough}\n"}
    )
    (one,) = check(Paths([tmp_path])).results

    assert (one.outcome, one.edits) == ("fail", ())


@pytest.mark.parametrize(("repository", "expected"), [("", "fail"), ("api/", "unknown")])
def test_nothing_outside_the_repository_is_read(tmp_path: Path, repository: str, expected: str) -> None:
    main = HEAD + cases.PROVIDER + "functions: {f: {tracing: '${file(../shared.json):secret}'}}\n"
    laid(tmp_path, {"api/serverless.yml": main, "shared.json": '{"secret": "hunter2"}'})
    (tmp_path / repository / ".git").mkdir()
    (one,) = check(Paths([tmp_path])).results

    assert one.outcome == expected
    assert ("hunter2" in one.reason) == (expected == "fail")
