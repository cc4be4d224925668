"""Results of `check-iac` as SARIF 2.1.0, which code hosts show beside the lines of a pull request."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from bot import VERSION
from commands.iac.nouns import Checked, Outcome, Result

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_DOCUMENTATION = "https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html"
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


def sarif(checked: Checked, root: Path) -> dict[str, Any]:
    """One run; what passes is no result. Paths are relative to `root`, where they are below it."""
    results = [
        _result(_RULES[one.outcome], _message(one), one.file, one.line, root)
        for one in checked.results
        if one.outcome in _RULES
    ]
    results += [_result(_NOT_LOOKED_INTO, one.text, one.file, one.line, root) for one in checked.notes]
    rules = [
        {
            "id": name,
            "shortDescription": {"text": text},
            "helpUri": _DOCUMENTATION,
            "defaultConfiguration": {"level": level},
        }
        for name, level, text in (*_RULES.values(), _NOT_LOOKED_INTO)
    ]
    driver = {"name": "Lamplighter", "version": VERSION, "rules": rules}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _message(one: Result) -> str:
    ends = " ".join(
        part for part in (f"{one.role[:1].upper()}{one.role[1:]}." if one.role else "", one.by_hand) if part
    )
    return f"{one.name}: {one.reason}. {ends}".rstrip()


def _result(rule: tuple[str, str, str], text: str, file: Path, line: int, root: Path) -> dict[str, Any]:
    name, level, _ = rule
    whole = file.resolve()
    shown = whole.relative_to(root) if whole.is_relative_to(root) else whole
    artifact: dict[str, str] = {"uri": quote(shown.as_posix())}
    if whole.is_relative_to(root):
        artifact["uriBaseId"] = "%SRCROOT%"
    else:
        artifact["uri"] = whole.as_uri()
    place = {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": line}}}
    return {"ruleId": name, "level": level, "message": {"text": text}, "locations": [place]}
