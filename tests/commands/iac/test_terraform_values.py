"""Values and instances that a Terraform module gets from elsewhere."""

from pathlib import Path

from commands.iac.check import Paths, check
from tests.commands.iac.checking import laid, outcomes, said


def test_of_the_instances_of_a_module_the_worst_counts(tmp_path: Path) -> None:
    root = """
        module "posse" {
          source              = "cloudposse/lambda-function/aws"
          for_each            = { a = "Active", b = "PassThrough" }
          tracing_config_mode = each.value
        }
    """

    assert said(laid(tmp_path, {"main.tf": root})) == {"module.posse": "fail"}


def test_terragrunt_is_named(tmp_path: Path) -> None:
    files = {"a/terragrunt.hcl": "inputs = merge(local.x, {})\n", ".terraform.lock.hcl": 'provider "x" {\n}\n'}
    checked = check(Paths([laid(tmp_path, {**files, "b/terragrunt.hcl": "inputs = {"})]))

    assert [note.text.partition(",")[0] for note in checked.notes] == ["Terragrunt is not worked out"] * 2


def test_stacks_of_cloudformation_are_named(tmp_path: Path) -> None:
    root = """
        resource "aws_cloudformation_stack" "away" {
          template_url = "https://example.com/forwarder.yaml"
        }
        resource "aws_cloudformation_stack" "here" {
          template_body = jsonencode({ Resources = { F = { Type = "AWS::Lambda::Function" } } })
        }
        module "notify" {
          source = "terraform-aws-modules/notify-slack/aws"
        }
    """
    checked = check(Paths([laid(tmp_path, {"main.tf": root})]))

    assert outcomes(checked) == {"aws_cloudformation_stack.here": "unknown", "module.notify": "unknown"}
    assert [note.text for note in checked.notes] == [
        "aws_cloudformation_stack.away is a stack of its own: check its template too"
    ]
