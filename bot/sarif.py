"""Results of `check-iac` as SARIF 2.1.0, which code hosts show beside the lines of a pull request.

What GitHub asks for, and the most that it takes: https://docs.github.com/en/code-security/reference/code-scanning/sarif-files
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bot import VERSION
from commands.iac.files import text_of
from commands.iac.nouns import CannotReadError, Checked, Outcome, Result

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
RESULTS_MOST = 25_000  # of a run: of more, GitHub takes none
_DOCUMENTATION = "https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html"
_HELP = (
    "Set the function's tracing mode to Active: PassThrough, which is also what nothing at all means, sends no traces "
    f"by itself. The function's execution role needs xray:PutTraceSegments. {_DOCUMENTATION}"
)
_RULES = {
    Outcome.FAIL: (
        "active-tracing",
        "error",
        "A function is deployed without active tracing, or its role may not send traces.",
    ),
    Outcome.UNKNOWN: (
        "active-tracing-unknown",
        "warning",
        "Whether a function has active tracing cannot be told from the code.",
    ),
}
_NOT_LOOKED_INTO = ("not-looked-into", "note", "Something that may hold functions was not looked into.")
_LEVELS = ("error", "warning", "note")


def sarif(checked: Checked, root: Path, most: int = RESULTS_MOST) -> dict[str, Any]:
    """One run; what passes is no result. Paths are relative to `root`, where they are below it."""
    lines = cache(_lines)
    results = [
        _result(_RULES[one.outcome], _message(one), one.file, one.line, root, lines)
        for one in checked.results
        if one.outcome in _RULES
    ]
    results += [_result(_NOT_LOOKED_INTO, one.text, one.file, one.line, root, lines) for one in checked.notes]
    results.sort(key=lambda one: _LEVELS.index(one["level"]))  # what fails comes first where a host cuts the rest off
    if len(results) > most:
        left, last = len(results) - most + 1, results[most - 1]
        results[most - 1 :] = [{**last, "message": {"text": f"{left} more are left out: check fewer paths."}}]
    rules = [
        {
            "id": name,
            "shortDescription": {"text": text},
            "fullDescription": {"text": text},
            "help": {"text": _HELP},
            "helpUri": _DOCUMENTATION,
            "defaultConfiguration": {"level": level},
        }
        for name, level, text in (*_RULES.values(), _NOT_LOOKED_INTO)
    ]
    driver = {"name": "Lamplighter", "version": VERSION, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _lines(file: Path) -> list[str]:
    try:
        return text_of(file).splitlines()
    except CannotReadError:
        return []


def _message(one: Result) -> str:
    ends = " ".join(
        part for part in (f"{one.role[:1].upper()}{one.role[1:]}." if one.role else "", one.by_hand) if part
    )
    return f"{one.name}: {one.reason}. {ends}".rstrip()


def _result(
    rule: tuple[str, str, str], text: str, file: Path, line: int, root: Path, lines: Callable[[Path], list[str]]
) -> dict[str, Any]:
    name, level, _ = rule
    shown_line = next(iter(lines(file)[line - 1 : line]), "")
    begin = len(shown_line) - len(shown_line.lstrip())
    region = {
        "startLine": line,
        "startColumn": begin + 1,
        "endLine": line,
        "endColumn": max(len(shown_line), begin) + 1,
    }
    whole = file.resolve()
    shown = whole.relative_to(root) if whole.is_relative_to(root) else whole
    artifact: dict[str, str] = {"uri": quote(shown.as_posix())}
    if whole.is_relative_to(root):
        artifact["uriBaseId"] = "%SRCROOT%"
    else:
        artifact["uri"] = whole.as_uri()
    place = {"physicalLocation": {"artifactLocation": artifact, "region": region}}
    return {"ruleId": name, "level": level, "message": {"text": text}, "locations": [place]}
