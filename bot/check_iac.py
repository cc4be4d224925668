"""`python -m bot check-iac`: what the code that deploys functions says of their tracing."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.views.text import HIDDEN, count

if TYPE_CHECKING:
    from commands.iac.nouns import Checked, Result

EXIT_DONE, EXIT_WANTING = 0, 1
_NEEDS = "reading templates and Terraform takes two more packages: pip install -r requirements-iac.txt"
_STYLES = {"pass": "green", "fail": "red", "unknown": "yellow", "not_applicable": "dim"}


def check_iac(named: Sequence[Path], *, as_json: bool, sarif_file: Path | None, mend: bool) -> int:
    """Raises UsageError for a path that is not what it is said to be."""
    _must_have_packages()
    from commands.iac.check import NotUnderstoodError, Paths, check
    from commands.iac.fix import fix

    written: tuple[Path, ...] = ()
    try:
        checked = check(Paths(named))
        if mend:
            fixed = fix(named, checked)
            checked, written = fixed.checked, fixed.written
    except NotUnderstoodError as problem:
        raise click.UsageError(str(problem)) from problem
    except OSError as problem:
        raise click.UsageError(f"{problem.filename} cannot be written: {problem.strerror}.") from problem
    if sarif_file is not None:
        _write_sarif(checked, sarif_file)
    if as_json:
        sys.stdout.write(json.dumps(_object(checked, written)) + "\n")
    else:
        _print(checked, written)
    return exit_code(checked)


def exit_code(checked: "Checked") -> int:
    """1 where a function fails or cannot be told."""
    return EXIT_WANTING if any(one.outcome in ("fail", "unknown") for one in checked.results) else EXIT_DONE


def _must_have_packages() -> None:
    from importlib.util import find_spec

    if find_spec("yaml") is None or find_spec("hcl2") is None:
        raise click.UsageError(_NEEDS)


def _print(checked: "Checked", written: Sequence[Path]) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False, soft_wrap=True)
    for one in sorted(checked.results, key=lambda one: (str(one.file), one.line, one.name)):
        console.print(_line(one), style=_STYLES[one.outcome])
        if one.by_hand and one.outcome in ("fail", "unknown"):
            console.print(f"    {_shown(one.by_hand)}")
        for line in _lines_to_add(one):
            console.print(f"      {_shown(line)}")
    for note in checked.notes:
        console.print(_shown(f"{note.file}:{note.line}: note: {note.text}"))
    for path in written:
        console.print(_shown(f"written: {path}"))
    console.print(_summary(checked))


def _lines_to_add(one: "Result") -> list[str]:
    """What a person may set in, spelled as in Slack."""
    from commands.views import iac

    if one.outcome != "fail" or not one.by_hand:
        return []
    name = one.name.rpartition(".")[2]
    match one.tool:
        case "CloudFormation":
            made = iac.cloudformation(name)
        case "AWS SAM":
            made = iac.sam(name)
        case "AWS CDK":
            made = f"{iac.cdk_typescript(name)}\n{iac.cdk_python(name)}"
        case "Serverless Framework":
            made = iac.serverless_function(name)
        case _:
            made = "" if one.name.startswith("module.") else iac.terraform(name, partition="aws")
    return made.splitlines()


def _line(one: "Result") -> str:
    outcome = one.outcome.replace("_", " ")
    role = f" ({one.role})" if one.role else ""
    return _shown(f"{one.file}:{one.line}: {outcome}: {one.name}: {one.reason}{role}")


def _summary(checked: "Checked") -> str:
    if not checked.results:
        return f"no functions in {count(len(checked.read), 'file')} of infrastructure code"
    tally = Counter(one.outcome for one in checked.results)
    can = sum(1 for one in checked.results if one.edits and one.outcome == "fail")
    offer = f"; --fix can mend {can}" if can else ""
    return (
        f"{count(len(checked.results), 'function')}: {tally['pass']} pass, {tally['fail']} fail, "  # type: ignore[index]  # an Outcome is its text
        f"{tally['unknown']} unknown, {tally['not_applicable']} not applicable{offer}"  # type: ignore[index]  # the same
    )


def _shown(text: str) -> str:
    """Names come from files: nothing in them may command the terminal."""
    return "".join(char if char.isprintable() else "?" for char in HIDDEN.sub("", text))


def _object(checked: "Checked", written: Sequence[Path]) -> dict[str, object]:
    tally = Counter(str(one.outcome) for one in checked.results)
    return {
        "summary": {name: tally[name] for name in ("pass", "fail", "unknown", "not_applicable")},
        "functions": [
            {
                "file": str(one.file),
                "line": one.line,
                "tool": one.tool,
                "name": one.name,
                "outcome": one.outcome,
                "reason": one.reason,
                "role": one.role or None,
                "fixable": bool(one.edits),
                "by_hand": one.by_hand or None,
            }
            for one in checked.results
        ],
        "notes": [{"file": str(one.file), "line": one.line, "text": one.text} for one in checked.notes],
        "written": [str(path) for path in written],
    }


def _write_sarif(checked: "Checked", file: Path) -> None:
    from bot.sarif import sarif

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(sarif(checked, Path.cwd().resolve()), indent=2) + "\n", encoding="utf-8")
    except OSError as problem:
        raise click.UsageError(
            f"--sarif: {file} cannot be written: {problem.strerror}. Name another place."
        ) from problem
