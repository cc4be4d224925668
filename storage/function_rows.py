"""A function as a row of the file, and back: what an audit does for each, and a question for all of a team."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

import orjson

from storage.connection import Row, maybe_text, maybe_time
from storage.models import (
    Alias,
    CheckName,
    Finding,
    Form,
    Function,
    Manager,
    MayWrite,
    ServedVersion,
    TeamFrom,
    TracingMode,
    Verdict,
)
from storage.saving import COLUMNS

W = TypeVar("W", bound=StrEnum)


def to_row(function: Function) -> Row:
    return dict(zip(COLUMNS, values_of(function), strict=True))


def values_of(function: Function) -> tuple[object, ...]:
    """In the order of `COLUMNS`. Plain texts: SQLite's adapter takes as long for three others as for the whole row;
    and `_value_`, for `.value` takes twice as long."""
    mode, role_may_write, published_mode = function.mode, function.role_may_write, function.published_mode
    managed_by, team_from, verdict = function.managed_by, function.team_from, function.verdict
    aliases = None if function.aliases is None else tuple(map(_alias_to_json, function.aliases))
    return (
        function.arn,
        function.account,
        function.region,
        function.name,
        mode and mode._value_,
        function.role,
        role_may_write and role_may_write._value_,
        function.runtime,
        maybe_text(function.last_modified),
        function.revision_id,
        function.code_sha256,
        function.team,
        None if aliases is None else as_json(aliases) if aliases else "[]",
        None if function.sources is None else _json_of(function.sources),
        int(function.edge),
        _json_of(function.layers),
        _json_of(function.environment_keys),
        function.package_type,
        function.handler,
        _json_of(function.forms),
        published_mode and published_mode._value_,
        _json_of(function.untraced_callers),
        managed_by and managed_by._value_,
        function.stack,
        function.stack_id,
        function.logical_id,
        function.production,
        team_from and team_from._value_,
        function.channel,
        function.tag_marks,
        verdict and verdict._value_,
        _findings_to_json(function.findings),
    )


def as_json(value: object) -> str:
    return orjson.dumps(value).decode()


# Most functions of an audit share their layers, settings' names and findings with many others.
_json_of = lru_cache(maxsize=10_000)(as_json)


@lru_cache(maxsize=10_000)
def _findings_to_json(findings: tuple[Finding, ...]) -> str:
    return as_json([{"check": str(finding.check), "text": finding.text} for finding in findings])


def _alias_to_json(alias: Alias) -> dict[str, object]:
    versions = [{"version": served.version, "mode": served.mode, "weight": served.weight} for served in alias.versions]
    return {"name": alias.name, "versions": versions}


def from_values(values: Sequence[Any]) -> Function:
    """What stands in the columns of `KEPT`, as its noun. A question may be about all of a team's 20,000 functions, most
    of which share their findings, layers and settings' names: each of these is made once."""
    (
        arn, account, region, name, mode, role, role_may_write, runtime, last_modified, revision_id, code_sha256, team,
        aliases, sources, edge, layers, environment_keys, package_type, handler, forms, published_mode,
        untraced_callers, managed_by, stack, stack_id, logical_id, production, team_from, channel, tag_marks, verdict,
        findings,
    ) = values  # fmt: skip
    return Function(
        arn=arn,
        account=account,
        region=region,
        name=name,
        mode=_MODES[mode],
        role=role,
        role_may_write=_MAY_WRITE[role_may_write],
        runtime=runtime,
        last_modified=maybe_time(last_modified),
        revision_id=revision_id,
        code_sha256=code_sha256,
        team=team,
        aliases=() if aliases == "[]" else _aliases(aliases),
        sources=_texts(sources),
        edge=bool(edge),
        layers=_texts(layers) or (),
        environment_keys=_texts(environment_keys),
        package_type=package_type,
        handler=handler,
        forms=() if forms == "[]" else tuple(map(Form, orjson.loads(forms))),
        published_mode=_MODES[published_mode],
        untraced_callers=_texts(untraced_callers) or (),
        managed_by=_MANAGERS[managed_by],
        stack=stack,
        stack_id=stack_id,
        logical_id=logical_id,
        production=None if production is None else bool(production),
        team_from=_TEAM_FROM[team_from],
        channel=channel,
        tag_marks=tag_marks,
        verdict=_VERDICTS[verdict],
        findings=_findings(findings),
    )


def _by_text(words: type[W]) -> Mapping[str | None, W | None]:
    """An enumeration's members by their texts: to ask it takes ten times as long."""
    return {None: None, **{str(word): word for word in words}}


_MODES, _MAY_WRITE, _MANAGERS, _TEAM_FROM = (
    _by_text(TracingMode),
    _by_text(MayWrite),
    _by_text(Manager),
    _by_text(TeamFrom),
)
_VERDICTS = {str(verdict): verdict for verdict in Verdict}


@lru_cache(maxsize=10_000)
def _texts(told: str | None) -> tuple[str, ...] | None:
    return None if told is None or told == "null" else tuple(orjson.loads(told))


@lru_cache(maxsize=10_000)
def _findings(told: str) -> tuple[Finding, ...]:
    return tuple(Finding(CheckName(item["check"]), item["text"]) for item in orjson.loads(told))


def _aliases(told: str | None) -> tuple[Alias, ...] | None:
    return None if told is None else tuple(map(_alias, orjson.loads(told)))


def _alias(item: Row) -> Alias:
    versions = tuple(
        ServedVersion(served["version"], TracingMode(served["mode"]) if served["mode"] else None, served["weight"])
        for served in item["versions"]
    )
    return Alias(item["name"], versions)
