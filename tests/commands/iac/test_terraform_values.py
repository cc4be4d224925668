"""Values and instances that a Terraform module gets from elsewhere."""

from pathlib import Path

from commands.iac.check import Paths, check
from tests.commands.iac.checking import laid, said


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
