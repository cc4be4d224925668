"""What differs from one audit to the next, as nouns and as pure rules; nothing here reads or writes anything."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

import msgspec

from storage.models import Form, Function, Verdict

# What is chosen when a function is made, and never again.
# https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
_CHOSEN_ONCE = {Form.TENANCY: "TenancyConfig", Form.DURABLE: "DurableConfig"}


class ChangeKind(StrEnum):
    """What an audit tells of one function that the audit before did not."""

    NEW = "new"
    FIXED = "fixed"
    REGRESSED = "regressed"
    GONE = "gone"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Change:
    """One function's difference from the audit before."""

    function_arn: str
    kind: ChangeKind
    before: Verdict | None = None  # None: it was not there
    after: Verdict | None = None  # None: it is not there any more
    # "made_anew": why this is another function than the one of that name before;
    # "fixed_by", "fixed_at": whose fix a regression has undone
    detail: Mapping[str, str] = field(default_factory=dict)
    audit_id: int = 0
    at: datetime | None = None  # UTC, when that audit began
    team: str | None = None

    @property
    def function_name(self) -> str:
        return self.function_arn.rsplit(":", 1)[-1]

    @property
    def fixed_at(self) -> datetime | None:
        text = self.detail.get("fixed_at")
        return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True, slots=True)
class Since:
    """What has changed since an earlier audit of the same places."""

    audit_id: int | None = None  # None: this was the first, and a first look is a baseline, not news
    at: datetime | None = None  # UTC, when that one began
    changes: tuple[Change, ...] = ()

    def of(self, kind: ChangeKind) -> list[Change]:
        return [change for change in self.changes if change.kind is kind]

    def of_team(self, team: str | None) -> "Since":
        return replace(self, changes=tuple(change for change in self.changes if change.team == team))

    def counts(self) -> dict[ChangeKind, int]:
        return {kind: len(self.of(kind)) for kind in ChangeKind}


class LastKnown(msgspec.Struct, frozen=True):
    """A function as it was when AWS last showed it; the audit at hand could not see its place."""

    function: Function
    seen_at: datetime  # UTC


class Before(NamedTuple):
    """A function as memory has it while an audit comes in; there are many, so times stay text until one is needed."""

    arn: str
    verdict: str
    # The last verdict that an audit told, unknown and exempt left out; "gone"; "": none has met it yet, for it was made
    # since the last one; None: none has told of it since the one that it took the place of was gone.
    told: str | None
    seen_at: str
    made_at: str  # when this function, and not an earlier one of its name, was first seen
    gone_at: str | None = None
    outside: int = 0  # gone from the settings, not from AWS
    package_type: str | None = None
    forms: str = "[]"  # JSON
    stack_id: str | None = None
    aliases: str | None = None  # JSON; None where there are none or they could not be read
    team: str | None = None

    @property
    def deleted(self) -> bool:
        return self.gone_at is not None and not self.outside

    def is_newer(self, asked_at: datetime, now: datetime) -> bool:
        """Whether this was learnt after `asked_at`. What was learnt after `now` was told by a clock set back since."""
        return asked_at < datetime.fromisoformat(max(self.seen_at, self.gone_at or "")) <= now

    def modes(self) -> dict[str, str]:
        """The tracing mode of each published version that an alias served and that could be read."""
        served = (version for alias in json.loads(self.aliases or "[]") for version in alias["versions"])
        return {version["version"]: version["mode"] for version in served if version["mode"]}


def turned(told: str | None, verdict: Verdict) -> ChangeKind | None:
    """What it means that `verdict` follows on what was told.

    `unknown` is never told, so what counts is the last verdict before it. `untraced` and `exempt` are one: what
    lies between them is a decision, not a change.
    """
    if told == Verdict.UNTRACED and verdict is Verdict.TRACED:
        return ChangeKind.FIXED
    if told == Verdict.TRACED and verdict is Verdict.UNTRACED:
        return ChangeKind.REGRESSED
    return None


def made_anew(before: Before, after: Function) -> str:
    """Why `after` is not the function of that name that was there before, as a sentence; empty where it may well be.

    AWS gives no creation date. What proves a new function is what never changes while one lives. Not among it:
    an earlier LastModified (a new function's is later too: an earlier one is a stale answer), other code, role or
    runtime (updates), and an alias that serves a lower version (a rollback).
    """
    if before.deleted:
        return "It was deleted and is there again."
    chosen = _chosen_otherwise(before, after)
    if chosen:
        return chosen
    if before.stack_id and after.stack_id and before.stack_id != after.stack_id:
        return _moved(before.stack_id, after.stack_id)
    return _republished(before, after) if before.aliases and after.aliases else ""


def _chosen_otherwise(before: Before, after: Function) -> str:
    if not before.package_type or not after.package_type:
        return ""  # one of the two was not described in full
    if before.package_type != after.package_type:
        return f"Its PackageType was {before.package_type} and is {after.package_type} now, which no update can change."
    for form, setting in _CHOSEN_ONCE.items() if after.forms or before.forms != "[]" else ():
        if (form in before.forms) != (form in after.forms):
            had, has = ("no", "one") if form in after.forms else ("a", "none")
            return f"It had {had} {setting} and has {has} now, which no update can change."
    return ""


def _moved(before: str, after: str) -> str:
    """A stack refactoring moves a function without making it anew, and looks the same from here. An exemption that
    is asked for twice does less harm than one that covers what nobody agreed on."""
    old, new = (stack_id.split("/")[1] if "/" in stack_id else stack_id for stack_id in (before, after))
    if old == new:
        return f"Its CloudFormation stack {new} was deleted and made anew."
    return f"It belonged to the CloudFormation stack {old} and belongs to {new} now."


def _republished(before: Before, after: Function) -> str:
    """A version's configuration is frozen and its number is never given out again, while the function lives."""
    modes = before.modes()
    for served in (version for alias in after.aliases or () for version in alias.versions):
        earlier = modes.get(served.version)
        if served.version != "$LATEST" and earlier and served.mode and earlier != served.mode:
            return f"Its version {served.version} was published as {earlier} and is {served.mode} now."
    return ""


def change(before: Before, after: Function, anew: str) -> Change | None:
    """What an audit has to tell of a function that was known; `anew` as `made_anew` says."""
    if before.deleted:
        return Change(after.arn, ChangeKind.RETURNED, Verdict(before.verdict), after.verdict, {"made_anew": anew})
    if before.told == "" and not anew:
        return Change(after.arn, ChangeKind.NEW, None, after.verdict)
    if anew or before.told is None:
        why = anew or "It was deleted and made anew."
        return Change(after.arn, ChangeKind.NEW, None, after.verdict, {"made_anew": why})
    kind = turned(before.told, after.verdict)
    return Change(after.arn, kind, Verdict(before.told), after.verdict) if kind else None


def net(changes: Iterable[Change]) -> list[Change]:
    """What several audits told, oldest first for each function, as one audit at the end would have told it."""
    ordered = sorted(changes, key=lambda one: (one.function_arn, one.audit_id))
    grouped = (list(group) for _, group in groupby(ordered, key=lambda one: one.function_arn))
    return [left for group in grouped if (left := _net(group))]


def _net(changes: Sequence[Change]) -> Change | None:
    first, last = changes[0], changes[-1]
    appeared = next((one for one in changes if one.kind in (ChangeKind.NEW, ChangeKind.RETURNED)), None)
    if last.kind is ChangeKind.GONE:
        return None if first is appeared else replace(last, before=first.before)
    if appeared:
        return replace(appeared, after=last.after, audit_id=last.audit_id, at=last.at)
    return last if first.before != last.after else None
