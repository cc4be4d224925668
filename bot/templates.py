"""`python -m bot templates`: what AWS must be given, as CloudFormation. Loads nothing else and asks nobody."""

import difflib
import sys
from pathlib import Path

import click

_FOLDER = Path(__file__).parent.parent / "commands" / "aws" / "templates"

# In the order in which they are deployed.
TEMPLATES = {
    "hub-role": "the role that the bot runs as, in one account",
    "audit-role": "the role that it reads with, in every account (StackSet)",
    "fix-role": "the role that it fixes with, in accounts where it may (StackSet)",
    "event-hub": "the bus and the queue of changes of functions, in the bot's account and Region",
    "event-forwarding": "the rules that send changes there, in every account and Region (StackSet)",
    "config-rule": "AWS Config's own rule for tracing, of an account or of the organization",
    "xray-budget": "an AWS Budget of what X-Ray may cost in a month, and a topic that tells of it",
}


@click.command("templates", short_help="Print what AWS must be given, as CloudFormation.")
@click.argument("name", required=False)
def templates(name: str | None) -> None:
    """Print a CloudFormation template as it is, or, without NAME, which there are. Asks neither AWS nor Slack.

    As in: python -m bot templates audit-role > audit-role.yaml. Exit code 0; 2: there is none of that name.
    """
    if name and name not in TEMPLATES:
        near = difflib.get_close_matches(name, TEMPLATES, 1)
        meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(TEMPLATES)}"
        click.echo(f"lamplighter: there is no template {name!r}: {meant}", err=True)
        sys.exit(2)
    # Byte for byte: what is piped into AWS's own command is what the tests have read.
    text = (_FOLDER / f"{name}.yaml").read_bytes() if name else _listed().encode()
    sys.stdout.buffer.write(text)


def _listed() -> str:
    return "".join(f"{name:<18}{says}\n" for name, says in TEMPLATES.items())
