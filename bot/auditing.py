"""[aws] and [scan] of lamplighter.toml: which accounts and regions are audited, and how they are read."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from bot.values import (
    NO_LIST,
    AccountIds,
    Accounts,
    AccountTags,
    AggregatorName,
    CallsPerSecond,
    ExternalId,
    NamePatterns,
    Pool,
    ReadFrom,
    RegionName,
    RegionNames,
    RoleName,
    Units,
    says,
)
from commands.aws.accounts import LOCAL, Aggregator
from commands.aws.scope import Rules


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of lamplighter.toml; every key is optional."""


class AccountRules(Part, frozen=True):
    """[aws.include] or [aws.exclude]; every line names accounts."""

    units: Annotated[
        Units, says("organizational units, or the root, with everything below them", ["ou-ab12-11112222"])
    ] = NO_LIST
    accounts: Annotated[AccountIds, says("account ids", ["444455556666"])] = NO_LIST
    names: Annotated[NamePatterns, says("account names; case counts", ["sandbox-*"])] = NO_LIST
    tags: Annotated[
        AccountTags,
        says(
            'tags of accounts: key=value, or a key. Units, names and tags need "organization"', ["audit=no", "frozen"]
        ),
    ] = NO_LIST

    @property
    def rules(self) -> Rules:
        return Rules(tuple(self.accounts), tuple(self.units), tuple(self.names), tuple(self.tags))


class AwsSection(Part, frozen=True):
    accounts: Annotated[
        Accounts | None,
        says('all that are active in it; or ["111122223333"]; absent: the account of the credentials', "organization"),
    ] = None
    regions: Annotated[RegionNames | None, says("absent: those enabled in each account", ["eu-central-1"])] = None
    role: Annotated[
        RoleName | None, says("assumed in every account; absent: the credentials as they are", "lamplighter-audit")
    ] = None
    fix_role: Annotated[
        RoleName | None,
        says("assumed inside an approved fix only; absent: the credentials as they are", "lamplighter-fix"),
    ] = None
    external_id: Annotated[
        ExternalId | None, says("your own; what both roles' trust policies ask for", "lamplighter-4f9a12c8")
    ] = None
    calls_per_second: Annotated[
        CallsPerSecond,
        says("Lambda calls for each account and region, of the 15 that AWS gives to everybody; 0: no cap", 10),
    ] = 10.0
    source: Annotated[
        ReadFrom,
        says(
            'where functions are listed; or "config": an aggregator of AWS Config, in the account of the credentials',
            "lambda",
        ),
    ] = "lambda"
    aggregator: Annotated[
        AggregatorName | None,
        says('its name, with source = "config"; `accounts` absent then means all that it shows', "organization-view"),
    ] = None
    aggregator_region: Annotated[RegionName | None, says("absent: the session's", "eu-central-1")] = None
    include: Annotated[
        AccountRules,
        says(
            "an account is audited if any line here names it (no line: all of them) …",
            {"units": ["ou-ab12-11112222"], "accounts": ["444455556666"]},
        ),
    ] = AccountRules()
    exclude: Annotated[
        AccountRules,
        says(
            "… and no line here does; both tables take the same keys",
            {"names": ["sandbox-*"], "tags": ["audit=no", "frozen"]},
        ),
    ] = AccountRules()

    @property
    def read_from(self) -> Aggregator | None:
        if self.source != "config" or self.aggregator is None:
            return None
        return Aggregator(self.aggregator, self.aggregator_region)


class ScanSection(Part, frozen=True):
    pool: Annotated[
        Pool, says('where an audit runs; or a Dask scheduler, "tcp://scheduler:8786" (see A cluster)', LOCAL)
    ] = LOCAL


def audit_contradictions(aws: AwsSection, scan: ScanSection) -> Iterator[str]:
    """What cannot be used together."""
    if aws.source == "config" and scan.pool != LOCAL:
        yield (
            '[scan] pool: what AWS Config tells is read where the bot runs. Set pool = "local", '
            'or [aws] source = "lambda".'
        )
    if aws.source == "config" and aws.aggregator is None:
        yield (
            '[aws] aggregator is missing: source = "config" needs the name of an aggregator of AWS Config, '
            'as in aggregator = "organization-view".'
        )
    if aws.accounts == "organization":
        if not aws.role:
            yield (
                '[aws] role is missing: accounts = "organization" needs the name of a role to assume in each account, '
                'as in role = "lamplighter-audit".'
            )
        return
    for table, rules in (("include", aws.include), ("exclude", aws.exclude)):
        for key in ("units", "names", "tags"):
            if getattr(rules, key):
                yield (
                    f"[aws.{table}] {key}: only the organization knows these of an account. "
                    'Set [aws] accounts = "organization", or name accounts by their ids.'
                )
