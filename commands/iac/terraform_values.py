"""Values of variables: the files that Terraform loads by itself, and those that may be given at deployment."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from commands.iac.expressions import Scope, evaluate
from commands.iac.hcl import parse
from commands.iac.nouns import CannotReadError, Note

SUFFIXES = (".tfvars", ".tfvars.json")
_LOCK = ".terraform.lock.hcl"

Values = list[tuple[str, object]]


def is_terragrunt(file: Path) -> bool:
    return file.suffix == ".hcl" and file.name != _LOCK


def loaded_by_itself(file: Path) -> bool:
    plain = file.name.removesuffix(".json")
    return plain == "terraform.tfvars" or plain.endswith(".auto.tfvars")


def order(file: Path) -> tuple[bool, str]:
    """The later file wins: `*.auto.tfvars` over `terraform.tfvars`, each in the order of their names.

    https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence
    """
    return not file.name.startswith("terraform.tfvars"), file.name


def read(file: Path, text: str) -> Values:
    """Raises CannotReadError."""
    if file.name.endswith(".json"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as problem:
            raise CannotReadError("it is no valid JSON") from problem
        return list(found.items()) if isinstance(found, dict) else []
    (whole,) = parse("given {\n" + text + "\n}\n", file)
    return [(name, evaluate(Scope(), value)) for name, value in whole.attributes.items()]


def inputs(files: Iterable[Path], text_of: Callable[[Path], str]) -> tuple[Values, list[Note]]:
    """What Terragrunt passes to some module, as values that may be given; what it works out is said."""
    found: Values = []
    notes: list[Note] = []
    for file in files:
        try:
            text = text_of(file)
            if "inputs" not in text and "source" not in text:
                continue
            (whole,) = parse("given {\n" + text + "\n}\n", file)
        except CannotReadError:
            notes.append(Note(file, 1, "Terragrunt is not worked out, and this file cannot be read"))
            continue
        if "inputs" not in whole.attributes and not any(one.kind == "terraform" for one in whole.blocks):
            continue
        given = evaluate(Scope(), whole.attributes["inputs"]) if "inputs" in whole.attributes else {}
        if isinstance(given, dict):
            found += given.items()
        said = "its literal inputs count as values that may be given" if isinstance(given, dict) else "nor its inputs"
        notes.append(Note(file, 1, f"Terragrunt is not worked out, {said}: check the plan"))
    return found, notes
