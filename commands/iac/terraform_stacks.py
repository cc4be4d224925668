"""Stacks of CloudFormation that Terraform makes: their templates are no code of Terraform."""

from collections.abc import Mapping
from pathlib import Path

from commands.iac.hcl import Block
from commands.iac.nouns import Checked, Note, Outcome, Result, Tool

STACKS = (
    "aws_cloudformation_stack",
    "aws_cloudformation_stack_set",
    "aws_serverlessapplicationrepository_cloudformation_stack",
)
_FUNCTIONS = ("AWS::Lambda::Function", "AWS::Serverless::Function")


def check(block: Block, texts: Mapping[Path, str], address: str) -> Checked:
    """A template within the code that names functions makes it unknown; any other is said."""
    if block.labels[:1] == () or block.labels[0] not in STACKS:
        return Checked()
    inside = texts[block.file][block.opens : block.closes]
    return said(block.file, block.line, Tool.TERRAFORM, f"{address}{'.'.join(block.labels)}", inside)


def said(file: Path, line: int, tool: Tool, name: str, inside: str) -> Checked:
    if any(kind in inside for kind in _FUNCTIONS):
        why = "its template holds functions, and is not looked into"
        by_hand = "Move the template to a file of its own, and check that."
        return Checked((Result(file, line, tool, name, Outcome.UNKNOWN, why, by_hand=by_hand),))
    return Checked((), (Note(file, line, f"{name} is a stack of its own: check its template too"),))
