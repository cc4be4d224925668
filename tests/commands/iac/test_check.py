"""What is said of one function in files of each tool: Active is the only pass, and what is not known is unknown."""

import json
from pathlib import Path

import pytest

from commands.iac.check import NotUnderstoodError, Paths, check
from tests.commands.iac import cases, terraform_cases
from tests.commands.iac.checking import laid, outcomes, said

ALL = {
    f"{tool}: {name}": case
    for tool, table in (
        ("CloudFormation", cases.CLOUDFORMATION),
        ("SAM", cases.SAM),
        ("Serverless", cases.SERVERLESS),
        ("Terraform", terraform_cases.TERRAFORM),
    )
    for name, case in table.items()
}


@pytest.mark.parametrize(("files", "expected"), ALL.values(), ids=ALL)
def test_a_function_is_judged_by_what_will_be_deployed(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    assert list(said(laid(tmp_path, files)).values()) == [expected]


@pytest.mark.parametrize("files", [case[0] for case in ALL.values()], ids=ALL)
@pytest.mark.parametrize("instead", ["PassThrough", "Disabled", ""])
def test_without_the_word_nothing_passes(tmp_path: Path, files: dict[str, str], instead: str) -> None:
    without = {name: text.replace("Active", instead).replace("true", "false") for name, text in files.items()}

    assert "pass" not in said(laid(tmp_path, without)).values()


def test_each_finding_has_the_line_to_look_at(tmp_path: Path) -> None:
    files = cases.cfn("Runtime: python3.12\nTracingConfig:\n  Mode: PassThrough")
    (one,) = check(Paths([laid(tmp_path, files)])).results

    assert one.file.read_text().splitlines()[one.line - 1].strip() == "Mode: PassThrough"


def test_json_with_tabs_is_read(tmp_path: Path) -> None:
    text = '{\n\t"Resources": {\n\t\t"F": {"Type": "AWS::Lambda::Function",\n\t\t\t"Properties": {}}\n\t}\n}\n'

    assert said(laid(tmp_path, {"t.json": text})) == {"F": "fail"}


def test_each_document_of_a_file_is_read(tmp_path: Path) -> None:
    (one,) = cases.cfn("").values()
    (other,) = cases.cfn("TracingConfig: {Mode: Active}").values()
    checked = check(Paths([laid(tmp_path, {"both.yaml": f"{one}---\n{other}"})]))

    assert [str(each.outcome) for each in checked.results] == ["fail", "pass"]


def test_a_nested_stack_is_named(tmp_path: Path) -> None:
    text = "Resources: {Inner: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ./inner.yaml}}}"
    checked = check(Paths([laid(tmp_path, {"t.yaml": text})]))

    assert checked.results == ()
    assert "Inner is a stack of its own" in checked.notes[0].text


def test_a_synthesised_app_is_mended_in_its_construct(tmp_path: Path) -> None:
    text = '{"Resources": {"F1": {"Type": "AWS::Lambda::Function", "Properties": {}}}}'
    (one,) = check(Paths([laid(tmp_path, {"cdk.out/App.template.json": text})])).results

    assert (one.tool, one.edits) == ("AWS CDK", ())
    assert "lambda.Tracing.ACTIVE" in one.by_hand


def test_modules_are_judged_as_they_are_called(tmp_path: Path) -> None:
    module = (
        'variable "mode" {\n  default = "PassThrough"\n}\nvariable "on" {\n  default = true\n}\n'
        + terraform_cases.tf('  tracing_config {\n    mode = var.on ? var.mode : "PassThrough"\n  }')["main.tf"]
    )
    root = """
        module "bare" {
          source = "./modules/f"
        }
        module "lit" {
          source = "./modules/f"
          mode   = "Active"
        }
        module "asked" {
          source = "./modules/f"
          mode   = var.mode
        }
        module "off" {
          source = "./modules/f"
          count  = 0
        }
        variable "mode" {}
    """

    assert said(laid(tmp_path, {"main.tf": root, "modules/f/main.tf": module})) == {
        "module.bare.aws_lambda_function.f": "fail",
        "module.lit.aws_lambda_function.f": "pass",
        "module.asked.aws_lambda_function.f": "unknown",
    }


def test_modules_of_the_registry_are_known_or_said(tmp_path: Path) -> None:
    root = """
        module "plain" {
          source = "terraform-aws-modules/lambda/aws"
        }
        module "lit" {
          source                = "terraform-aws-modules/lambda/aws"
          tracing_mode          = "Active"
          attach_tracing_policy = true
        }
        module "refused" {
          source       = "terraform-aws-modules/lambda/aws"
          tracing_mode = "Active"
        }
        module "edge" {
          source         = "terraform-aws-modules/lambda/aws"
          lambda_at_edge = true
        }
        module "layer" {
          source       = "terraform-aws-modules/lambda/aws"
          create_layer = true
        }
        module "posse" {
          source              = "cloudposse/lambda-function/aws"
          tracing_config_mode = "Active"
        }
        module "somebodys_lambda" {
          source = "git::https://example.com/fn.git"
        }
        module "network" {
          source = "terraform-aws-modules/vpc/aws"
        }
    """
    checked = check(Paths([laid(tmp_path, {"main.tf": root})]))

    assert outcomes(checked) == {
        "module.plain": "fail",
        "module.lit": "pass",
        "module.refused": "fail",
        "module.edge": "not_applicable",
        "module.posse": "pass",
        "module.somebodys_lambda": "unknown",
    }
    assert [note.text for note in checked.notes] == [
        "module.network (terraform-aws-modules/vpc/aws) is not looked into"
    ]


def test_files_that_are_no_such_code_are_passed_over(tmp_path: Path) -> None:
    laid(
        tmp_path,
        {"a.json": "{", "b.yaml": "- [", "c.yml": "on: push\n", "package.json": "{}", "k8s.yaml": "kind: Pod\n"},
    )
    (tmp_path / "picture.json").write_bytes(b"\x89PNG\0\xff")
    (tmp_path / "loop").symlink_to(tmp_path)

    assert check(Paths([tmp_path])).results == ()


def test_what_ought_to_have_been_read_and_was_not_is_unknown(tmp_path: Path) -> None:
    laid(
        tmp_path,
        {
            "a.yaml": "Resources:\n  F: {Type: AWS::Lambda::Function\n  G: [",
            "x/lambda.tf": 'resource "aws_lambda_function" "f" {\n  x = = 1\n}\n',
            "y/main.tf.json": '{"resource": {"aws_lambda_function": ',
            "z/serverless.ts": "export default {}",
        },
    )

    assert set(said(tmp_path).values()) == {"unknown"}
    assert len(said(tmp_path)) == 4


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.yaml", b"kind: Pod\n"),
        ("a.json", b"{"),
        ("a.yaml", b"a: *nobody\n"),
        ("a.yaml", b"\x89PNG\0\xff"),
        ("a.tf", b'resource "x" {'),
        ("plan.out", b"PK\x03\x04\0"),
        ("a.yaml", b"[" * 100_000),
        ("a.json", b"[" * 100_000 + b"]" * 100_000),
        ("a.py", b"print()\n"),
    ],
    ids=lambda one: str(one)[:20],
)
def test_a_named_file_has_to_be_understood(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(NotUnderstoodError, match=name):
        check(Paths([tmp_path / name]))


def test_aliases_do_not_multiply(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    (template,) = cases.cfn("Environment: *a39\nRole: *a39\nTracingConfig: *a39").values()

    assert said(laid(tmp_path, {"t.yaml": "\n".join(lines) + "\n" + template})) == {"F": "unknown"}


def test_anchors_that_hold_themselves_end(tmp_path: Path) -> None:
    text = "Resources: &r\n  F: {Type: AWS::Lambda::Function, Properties: &p {<<: *p, Role: *r, TracingConfig: *p}}\n"

    assert said(laid(tmp_path, {"t.yaml": text})) == {"F": "fail"}


def test_decisions_within_decisions_end(tmp_path: Path) -> None:
    lines = ["b0: &b0 !If [C, Active, Active]"]
    lines += [f"b{n}: &b{n} !If [C, *b{n - 1}, *b{n - 1}]" for n in range(1, 60)]
    (template,) = cases.cfn("TracingConfig: !If [C, {Mode: *b59}, {Mode: *b59}]").values()

    assert said(laid(tmp_path, {"t.yaml": "\n".join(lines) + "\n" + template})) == {"F": "unknown"}


def test_documents_that_grow_through_aliases_end(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 15)]
    (template,) = cases.cfn(
        "Role: !GetAtt Role.Arn\nTracingConfig: {Mode: Active}",
        more=cases.ROLE + "      Policies:\n        - PolicyDocument: {Statement: [{Effect: Allow, Action: *a14}]}\n",
    ).values()

    assert said(laid(tmp_path, {"t.yaml": "\n".join(lines) + "\n" + template})) == {"F": "pass"}


@pytest.mark.parametrize(
    "shape", ['"${local.l%d}${local.l%d}"', "[local.l%d, local.l%d]", "var.x ? local.l%d : local.l%d"]
)
def test_locals_that_grow_end(tmp_path: Path, shape: str) -> None:
    lines = [f"  l{n} = {shape % (n - 1, n - 1)}" for n in range(1, 80)]
    text = 'variable "x" {}\nlocals {\n  l0 = "Active"\n' + "\n".join(lines) + "\n}\n"
    files = terraform_cases.tf(terraform_cases.TRACING % "local.l79", text)

    assert said(laid(tmp_path, files)) == {terraform_cases.F_TF: "unknown"}


def test_modules_that_call_themselves_end(tmp_path: Path) -> None:
    calls = "\n".join(f'module "m{n}" {{\n  source = "./b"\n}}' for n in range(6))
    back = "\n".join(f'module "m{n}" {{\n  source = "../"\n}}' for n in range(6))
    laid(tmp_path, {"main.tf": calls, "b/main.tf": back + "\n" + terraform_cases.tf("")["main.tf"]})

    assert set(said(tmp_path).values()) == {"fail", "unknown"}


def test_a_named_file_is_judged_with_what_lies_beside_it_and_what_it_calls(tmp_path: Path) -> None:
    function = terraform_cases.tf(terraform_cases.TRACING % "var.mode")["main.tf"]
    laid(
        tmp_path,
        {
            "main.tf": function + 'module "m" {\n  source = "./m"\n}\nmodule "gone" {\n  source = "./gone"\n}\n',
            "variables.tf": 'variable "mode" {\n  default = "Active"\n}\n',
            "other.tf": 'resource "aws_lambda_function" "g" {\n  role = "x"\n}\n',
            "m/main.tf": 'resource "aws_lambda_function" "h" {\n  role = "x"\n}\n',
        },
    )

    assert outcomes(check(Paths([tmp_path / "main.tf"]))) == {
        terraform_cases.F_TF: "pass",
        "module.m.aws_lambda_function.h": "fail",
        "module.gone": "unknown",
    }


@pytest.mark.parametrize(("actions", "expected"), [(["xray:PutTraceSegments"], "pass"), (["s3:*"], "fail")])
def test_the_roles_of_a_synthesised_app_are_read(tmp_path: Path, actions: list[str], expected: str) -> None:
    basic = ":iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    arn = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, basic]]}
    document = {"Statement": [{"Action": actions, "Effect": "Allow", "Resource": "*"}], "Version": "2012-10-17"}
    template = {
        "Resources": {
            "FRole": {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": [arn]}},
            "Policy": {
                "Type": "AWS::IAM::Policy",
                "Properties": {"PolicyDocument": document, "Roles": [{"Ref": "FRole"}]},
            },
            "F": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"Role": {"Fn::GetAtt": ["FRole", "Arn"]}, "TracingConfig": {"Mode": "Active"}},
            },
        }
    }

    assert said(laid(tmp_path, {"cdk.out/App.template.json": json.dumps(template)})) == {"F": expected}


def test_a_block_may_be_called_anything(tmp_path: Path) -> None:
    files = terraform_cases.tf("  true {\n    in = 1\n  }\n" + terraform_cases.TRACING % '"Active"')

    assert said(laid(tmp_path, files)) == {terraform_cases.F_TF: "pass"}
