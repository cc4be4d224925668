"""That each patch is what its tool reads: parsed, and put into a whole template, by the tool's own kind of parser."""

import ast
import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from cfnlint.decode.cfn_yaml import loads
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from bot.demo.slack import view_problems
from bot.demo.slack.limits import view_is_too_large
from commands.views import actions, functions, iac
from commands.views.item import Item
from commands.views.patch import Patch, patch_for, patch_view
from storage.fixes import RoleStep
from storage.models import Alias, Form, Function, Manager, MayWrite, ServedVersion, TracingMode, Verdict
from tests.commands.views.test_plan import PLAN
from tests.commands.views.test_views import APPLIED, FUNCTION, HOSTILE, REQUEST, buttons, words

LIVE = Alias("live", (ServedVersion("3", TracingMode.PASS_THROUGH),))
MUTE = structs.replace(FUNCTION, stack="payments-prod", logical_id="RefundFunction", aliases=(LIVE,))
LIT = structs.replace(MUTE, role_may_write=MayWrite.YES, aliases=())
FOREIGN_ROLE = replace(PLAN, role_manager=None)
ACTIONS = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]

CLOUDFORMATION = """
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  RefundFunction:
    Type: AWS::Lambda::Function
    Properties:
      Code: {S3Bucket: code, S3Key: refund.zip}
      Handler: app.handler
      Runtime: python3.13
      Role: arn:aws:iam::111122223333:role/payments-api
"""
SAM = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  RefundFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: s3://code/refund.zip
      Handler: app.handler
      Runtime: python3.13
"""


class Tags(yaml.SafeLoader):
    """Keeps CloudFormation's short forms as it reads them."""


class Reference(yaml.YAMLObject):
    yaml_tag = "!Ref"
    yaml_loader = Tags
    yaml_dumper = yaml.SafeDumper

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def from_yaml(cls, _loader: Any, node: Any) -> "Reference":
        return cls(node.value)

    @classmethod
    def to_yaml(cls, dumper: Any, data: Any) -> Any:
        return dumper.represent_scalar(cls.yaml_tag, data.name)


def merged(template: Any, patch: Any) -> Any:
    """What somebody makes of a patch by hand: added to what is there."""
    if isinstance(template, dict) and isinstance(patch, dict):
        return template | {key: merged(template.get(key), value) for key, value in patch.items()}
    return patch


def whole(template: str, patch: Patch) -> dict[str, Any]:
    return merged(yaml.safe_load(template), yaml.load(patch.text, Tags))  # noqa: S506 - a safe loader with one tag more


def complaints(template: dict[str, Any]) -> list[str]:
    from cfnlint.api import ManualArgs, lint  # 0.5 s of CPU for each process that collects this file

    found = lint(yaml.safe_dump(template, sort_keys=False), config=ManualArgs(regions=["eu-central-1"]))
    return [f"{one.rule.id} {one.message}" for one in found]


@pytest.mark.parametrize("function", [MUTE, LIT], ids=["role and alias", "mode alone"])
def test_a_cloudformation_patch_makes_a_template_that_cfn_lint_takes(function: Function) -> None:
    made = whole(CLOUDFORMATION, patch_for(structs.replace(function, managed_by=Manager.CLOUDFORMATION), FOREIGN_ROLE))

    assert complaints(made) == []
    assert made["Resources"]["RefundFunction"]["Properties"]["TracingConfig"] == {"Mode": "Active"}
    assert ("RefundFunctionTracing" in made["Resources"]) == (function is MUTE)


def test_a_cloudformation_patch_gives_the_role_its_permission_before_the_function_is_changed() -> None:
    resources = whole(CLOUDFORMATION, patch_for(structs.replace(MUTE, managed_by=Manager.CLOUDFORMATION)))["Resources"]

    assert resources["RefundFunction"]["DependsOn"] == "RefundFunctionTracing"
    policy = resources["RefundFunctionTracing"]["Properties"]
    assert policy["Roles"] == ["payments-api"]
    assert policy["PolicyDocument"]["Statement"] == [{"Effect": "Allow", "Action": ACTIONS, "Resource": "*"}]
    assert resources["RefundFunctionTracedVersion"]["Properties"]["FunctionName"].name == "RefundFunction"


@pytest.mark.parametrize("plan", [None, PLAN, FOREIGN_ROLE], ids=["no plan", "its own role", "a role from elsewhere"])
def test_a_sam_patch_makes_a_template_that_cfn_lint_takes(plan: Any) -> None:
    made = whole(SAM, patch_for(structs.replace(MUTE, managed_by=Manager.SAM), plan))

    assert complaints(made) == []
    function = made["Resources"]["RefundFunction"]["Properties"]
    assert (function["Tracing"], function["AutoPublishAlias"]) == ("Active", "live")
    assert function["AutoPublishAliasAllProperties"] is True
    # SAM itself gives the permission to the roles that it makes.
    assert ("RefundFunctionTracing" in made["Resources"]) == (plan is FOREIGN_ROLE)


def test_a_linter_that_is_asked_about_a_wrong_mode_complains() -> None:
    made = whole(SAM, patch_for(structs.replace(LIT, managed_by=Manager.SAM)))
    made["Resources"]["RefundFunction"]["Properties"]["Tracing"] = "Actve"

    assert complaints(made) != []


@pytest.mark.parametrize(
    ("name", "stack", "expected"),
    [
        ("payments-prod-refund", "payments-prod", {"functions": {"refund": {"tracing": "Active"}}}),
        ("refund-worker", "payments-prod", {"provider": {"tracing": {"lambda": True}}}),
        ("refund-worker", None, {"provider": {"tracing": {"lambda": True}}}),
    ],
    ids=["named by the framework", "named by somebody", "no stack"],
)
def test_a_serverless_patch_is_for_the_function_where_its_key_is_known(
    name: str, stack: str | None, expected: dict[str, object]
) -> None:
    patch = patch_for(structs.replace(MUTE, managed_by=Manager.SERVERLESS, name=name, stack=stack))

    assert yaml.safe_load(patch.text) == expected
    assert [yaml.safe_load(one.text) for one in patch.beside] == (
        [{"provider": {"tracing": {"lambda": True}}}] if "functions" in expected else []
    )


def test_a_cdk_patch_is_a_property_in_both_languages_beside_the_constructs_logical_id() -> None:
    patch = patch_for(structs.replace(MUTE, managed_by=Manager.CDK, logical_id="RefundFunctionA1B2C3D4"))
    (python,) = patch.beside

    assert patch.text.splitlines() == [
        "// in the construct whose logical id is RefundFunctionA1B2C3D4",
        "tracing: lambda.Tracing.ACTIVE,",
    ]
    assert "RefundFunctionA1B2C3D4" in python.text
    (keyword,) = ast.parse(f"lambda_.Function(\n{python.text}\n)", mode="eval").body.keywords  # type: ignore[attr-defined] # a call
    assert (keyword.arg, ast.unparse(keyword.value)) == ("tracing", "lambda_.Tracing.ACTIVE")


def parseable(text: str) -> str:
    """For python-hcl2 (8.1.4), which takes `$${` and `%%{` for a template that is never closed, unless a `}` follows.

    Terraform takes them as they are: test_terraform_reads_the_text_that_was_meant.
    """
    return re.sub(r"([$%])\1\{", r"\1\1(", text)


def resources(text: str) -> list[dict[str, Any]]:
    return list(hcl2.loads(parseable(text) + "\n")["resource"])


def resource(text: str, kind: str) -> Iterator[dict[str, Any]]:
    """The bodies of that kind of resource; the parser keeps the quotes of labels and of texts."""
    for one in resources(text):
        yield from one.get(f'"{kind}"', {}).values()


def test_a_terraform_patch_is_offered_where_no_tag_names_a_manager() -> None:
    patch = patch_for(MUTE)

    assert patch.title == "If Terraform deploys it, add"
    (function,) = resource(patch.text, "aws_lambda_function")
    assert function["tracing_config"][0]["mode"] == '"Active"'
    assert function["publish"] is True
    assert function["depends_on"] == ["${aws_iam_role_policy_attachment.refund_worker_tracing}"]
    (attachment,) = resource(patch.text, "aws_iam_role_policy_attachment")
    assert attachment["role"] == '"payments-api"'
    assert attachment["policy_arn"] == '"arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"'


def test_a_terraform_patch_leaves_out_what_is_not_needed() -> None:
    (function,) = resource(patch_for(LIT).text, "aws_lambda_function")

    assert {key for key in function if not key.startswith("__")} == {"tracing_config"}
    assert list(resource(patch_for(LIT).text, "aws_iam_role_policy_attachment")) == []


def test_a_terraform_patch_for_a_full_role_is_an_inline_policy() -> None:
    text = patch_for(MUTE, replace(PLAN, role_step=RoleStep.INLINE)).text

    (policy,) = resource(text, "aws_iam_role_policy")
    assert all(action in policy["policy"] for action in ACTIONS)
    assert list(resource(text, "aws_iam_role_policy_attachment")) == []


def test_a_policy_is_named_in_the_functions_own_partition() -> None:
    china = structs.replace(MUTE, arn=MUTE.arn.replace("arn:aws:", "arn:aws-cn:"))

    assert '"arn:aws-cn:iam::aws:policy/AWSXRayDaemonWriteAccess"' in patch_for(china).text


@pytest.mark.parametrize(
    ("manager", "said"),
    [
        (Manager.CLOUDFORMATION, "that is not confirmed"),
        (Manager.CLOUDFORMATION, "Let `FunctionVersion` of the alias be `!GetAtt`"),
        (Manager.CLOUDFORMATION, "to its `ManagedPolicyArns` in place of the policy and `DependsOn`"),
        (Manager.SAM, "that takes `AutoPublishAliasAllProperties`"),
        (Manager.SAM, "SAM gives the permission to a role that it makes"),
        (Manager.CDK, "An alias of `fn.currentVersion` moves with the deployment"),
        (Manager.CDK, "gives a role that the construct makes the permission"),
        (Manager.SERVERLESS, "unless `versionFunctions` is off"),
        (Manager.SERVERLESS, "gives the service's own role the permission"),
        (None, "keeps it where the code says nothing"),
        (None, "an exclusive list of policies (`managed_policy_arns`)"),
    ],
)
def test_the_notes_say_what_becomes_of_a_change_beside_the_tool_and_of_aliases(
    manager: Manager | None, said: str
) -> None:
    assert said in patch_for(structs.replace(MUTE, managed_by=manager)).note


def test_on_managed_instances_the_notes_say_to_publish() -> None:
    function = structs.replace(LIT, forms=(Form.MANAGED_INSTANCES,), managed_by=Manager.SAM)

    assert "has to be published again" in patch_for(function).note
    assert "published" not in patch_for(structs.replace(function, published_mode=TracingMode.ACTIVE)).note


@pytest.mark.parametrize("may_write", [None, MayWrite.CONDITIONAL])
@pytest.mark.parametrize("manager", [None, *Manager])
def test_what_is_not_known_of_a_role_is_said(manager: Manager | None, may_write: MayWrite | None) -> None:
    patch = patch_for(structs.replace(MUTE, managed_by=manager, role_may_write=may_write))

    assert "Role `payments-api` perhaps may not write to X-Ray" in patch.note
    assert "payments-api" not in patch.text


@pytest.mark.parametrize("manager", [None, *Manager])
def test_a_role_that_no_policy_helps_is_given_none_and_the_reason_is_said(manager: Manager | None) -> None:
    denied = replace(PLAN, role_step=RoleStep.NOTHING, role_manager=None, blocked="A Deny in `pci` forbids it.")

    patch = patch_for(structs.replace(MUTE, managed_by=manager), denied)

    assert "Role `payments-api` may not write to X-Ray, and Lambda refuses the change until it may." in patch.note
    assert "A Deny in `pci` forbids it." in patch.note
    assert "payments-api" not in patch.text
    assert "depends" not in patch.text.lower()


@pytest.mark.parametrize("manager", [None, *Manager])
def test_the_modal_shows_the_patch_letter_by_letter(manager: Manager | None) -> None:
    function = structs.replace(MUTE, managed_by=manager)
    patch = patch_for(function, PLAN)

    view = patch_view(function, patch)

    assert not view_problems(view)
    assert view["title"]["text"].startswith("Patch for ")
    code = [block["elements"][0] for block in view["blocks"] if block["type"] == "rich_text"]
    assert [part["elements"][0]["text"] for part in code] == [patch.text, *(one.text for one in patch.beside)]
    assert "refund-worker" in words(view["blocks"])


@pytest.mark.parametrize(
    ("function", "in_row"),
    [
        (MUTE, False),
        (structs.replace(MUTE, managed_by=Manager.SAM), True),
        (structs.replace(LIT, mode=TracingMode.ACTIVE), True),
    ],
    ids=["no manager is known", "managed", "a deployment is all that helps"],
)
def test_a_row_offers_the_patch_where_it_is_no_guess_and_a_request_and_a_card_always_do(
    function: Function, in_row: bool
) -> None:
    item = Item(function, REQUEST)

    assert (actions.SHOW_PATCH in buttons(functions.item_blocks(item))) == in_row
    assert actions.SHOW_PATCH in buttons(functions.request_blocks(item))
    assert actions.SHOW_PATCH in buttons(functions.card_blocks(item))


def test_what_a_tool_deploys_keeps_its_patch_after_a_fix_for_the_next_deployment() -> None:
    lit = structs.replace(MUTE, managed_by=Manager.SAM, mode=TracingMode.ACTIVE, verdict=Verdict.TRACED)

    assert buttons(functions.item_blocks(Item(lit, APPLIED))) == [actions.SHOW_PATCH]
    assert buttons(functions.item_blocks(Item(structs.replace(lit, managed_by=None), APPLIED))) == []


@given(
    name=HOSTILE, manager=st.sampled_from([None, *Manager]), may_write=st.sampled_from(MayWrite), inline=st.booleans()
)
@settings(max_examples=250, deadline=None)
def test_no_name_breaks_out_of_a_patch_or_of_slacks_limits(
    name: str, manager: Manager | None, may_write: MayWrite, inline: bool
) -> None:
    function = structs.replace(
        MUTE,
        name=name,
        role=f"arn:aws:iam::1:role/{name}",
        role_may_write=may_write,
        stack=name,
        logical_id=name or None,
        managed_by=manager,
        aliases=(Alias(name, LIVE.versions),),
    )
    plan = replace(FOREIGN_ROLE, role_step=RoleStep.INLINE if inline else RoleStep.ATTACH)

    patch = patch_for(function, plan)

    view = patch_view(function, patch)
    assert not view_problems(view)
    assert not view_is_too_large(view)
    assert "<!channel" not in words([block for block in view["blocks"] if block["type"] != "rich_text"])
    logical, role = iac.one_line(name) or iac.PLACEHOLDER, iac.one_line(function.role_name)
    match manager:
        case Manager.CLOUDFORMATION | Manager.SAM:
            _check_template(loads(patch.text), logical, role if may_write is MayWrite.NO else "")
        case Manager.SERVERLESS:
            assert yaml.safe_load(patch.text) in (
                {"provider": {"tracing": {"lambda": True}}},
                {"functions": {iac.one_line(function.name): {"tracing": "Active"}}},
            )
        case Manager.CDK:
            (python,) = patch.beside
            (assigned,) = ast.parse(python.text).body
            assert ast.unparse(assigned) == "tracing = (lambda_.Tracing.ACTIVE,)"
            assert patch.text.splitlines()[1:] == ["tracing: lambda.Tracing.ACTIVE,"]
        case None:
            _check_terraform(patch.text, role if may_write is MayWrite.NO else "", inline)


def _check_template(template: Any, logical: str, role: str) -> None:
    resources = template["Resources"]
    assert resources[logical]["Properties"].get("TracingConfig", {"Mode": "Active"}) == {"Mode": "Active"}
    assert resources[logical]["Properties"].get("Tracing", "Active") == "Active"
    policies = [one["Properties"]["Roles"] for one in resources.values() if one["Type"] == "AWS::IAM::Policy"]
    assert policies == ([[role]] if role else [])
    assert len(resources) <= 3


def _check_terraform(text: str, role: str, inline: bool) -> None:
    (function,) = resource(text, "aws_lambda_function")
    assert function["tracing_config"][0]["mode"] == '"Active"'
    kind = "aws_iam_role_policy" if inline else "aws_iam_role_policy_attachment"
    assert [one["role"] for one in resource(text, kind)] == ([parseable(iac.hcl_text(role))] if role else [])
    assert len(resources(text)) == (2 if role else 1)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("plain-name", '"plain-name"'),
        ("${path.module}", '"$${path.module}"'),
        ("%{if true}", '"%%{if true}"'),
        ("${", '"$${"'),
        ("$${", '"$$${"'),
        ("%%{", '"%%%{"'),
        ("$%{", '"$%%{"'),
        ("\\${", '"\\\\$${"'),
        ("100% $", '"100% $"'),
        ('a"\n}\nresource "x" "y" {', '"a\\" } resource \\"x\\" \\"y\\" {"'),
        ("back\\slash", '"back\\\\slash"'),
    ],
)
def test_a_text_in_terraform_is_no_template(text: str, quoted: str) -> None:
    assert iac.hcl_text(text) == quoted


@pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform is not on this machine")
def test_terraform_reads_the_text_that_was_meant(tmp_path: Path) -> None:
    meant = ["".join(one) for length in (1, 2, 3, 4) for one in itertools.product('$%{}"\\a', repeat=length)]
    (tmp_path / "main.tf").write_text(f"locals {{\n  texts = [{', '.join(map(iac.hcl_text, meant))}]\n}}\n")

    read = subprocess.run(
        ["terraform", "console", "-no-color"],
        cwd=tmp_path,
        input="jsonencode(jsonencode(local.texts))\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert json.loads(json.loads(json.loads(read.stdout))) == meant


@pytest.mark.parametrize(
    "word", ["On", "no", "true", "null", "y", "1e3", "a: b", "- x", "# c", "&x", "*x", "!Ref x", ""]
)
def test_a_name_in_yaml_is_a_text_and_nothing_else(word: str) -> None:
    assert yaml.safe_load(f"{iac.yaml_name(word)}: {iac.yaml_name(word)}") == {word: word}


@pytest.mark.parametrize(
    ("name", "label"), [("refund-worker", "refund_worker"), ("2fa", "function_2fa"), ("***", "function")]
)
def test_a_label_in_terraform_is_an_identifier(name: str, label: str) -> None:
    assert iac.hcl_label(name) == label
