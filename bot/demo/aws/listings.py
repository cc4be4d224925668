"""Bulk listings that moto cuts short: tags, and the regions that an account has enabled."""

from collections.abc import Mapping
from typing import Any

from moto.resourcegroupstaggingapi.models import resourcegroupstaggingapi_backends

from bot.demo.aws.knobs import Knobs, page
from bot.demo.aws.protocol import AwsError, Handler, Request


class Tags:
    """The Resource Groups Tagging API: 100 resources a page, and every resource that was ever tagged."""

    def __init__(self) -> None:
        self._stacks: dict[tuple[str, str], dict[str, dict[str, str]]] = {}  # CloudFormation's, by ARN
        self._once: dict[tuple[str, str], set[str]] = {}  # ARNs of resources whose tags were taken off

    def handlers(self) -> dict[str, Handler]:
        return {"GetResources": self._resources, "GetTagKeys": self._keys}

    def stack(self, account: str, region: str, arn: str, tags: Mapping[str, str]) -> None:
        """A CloudFormation stack with these tags, of which moto's tagging API knows nothing."""
        self._stacks.setdefault((account, region), {})[arn] = dict(tags)

    def before(self, request: Request) -> None:
        """Notice resources that lose tags: AWS goes on listing them, without tags."""
        if request.action == "UntagResources":
            self._forgotten(request).update(request.params.get("ResourceARNList") or [])
        elif request.service == "lambda" and request.action == "UntagResource":
            self._forgotten(request).add(request.params["Resource"])

    def _forgotten(self, request: Request) -> set[str]:
        return self._once.setdefault((request.account, request.region), set())

    def _resources(self, request: Request) -> Mapping[str, Any]:
        asked = request.params
        filters, kinds, arns = asked.get("TagFilters"), asked.get("ResourceTypeFilters"), asked.get("ResourceARNList")
        if arns and (filters or kinds or asked.get("ResourcesPerPage")):
            raise AwsError("InvalidParameterException", "ResourceARNList cannot be combined with other parameters")
        size = int(asked.get("ResourcesPerPage") or 50)
        if not 1 <= size <= 100:
            raise AwsError("InvalidParameterException", "ResourcesPerPage must be between 1 and 100")
        backend = resourcegroupstaggingapi_backends[request.account][request.region]
        tagged = {item.arn: dict(item.tags) for item in backend._get_resources_generator(filters, kinds, arns)}
        if not filters:
            stacks = self._stacks.get((request.account, request.region), {})
            tagged |= {arn: tags for arn, tags in stacks.items() if tags and _wanted(arn, kinds, arns)}
            lost = {arn for arn in self._forgotten(request) if _wanted(arn, kinds, arns)}
            tagged |= {arn: {} for arn in lost - tagged.keys()}
        refusal = AwsError("PaginationTokenExpiredException", "The pagination token is not valid")
        shown, after = page(sorted(tagged), 100 if arns else size, asked.get("PaginationToken"), str, refusal)
        mappings = [
            {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tagged[arn].items()]}
            for arn in shown
        ]
        return {"PaginationToken": after or "", "ResourceTagMappingList": mappings}

    def _keys(self, request: Request) -> Mapping[str, Any]:
        backend = resourcegroupstaggingapi_backends[request.account][request.region]
        refusal = AwsError("PaginationTokenExpiredException", "The pagination token is not valid")
        keys = sorted(set(backend._get_tag_keys_generator()))
        shown, after = page(keys, 100, request.params.get("PaginationToken"), str, refusal)
        return {"PaginationToken": after or "", "TagKeys": shown}


class Regions:
    """Which regions an account has enabled."""

    # Enabled in no account unless it asks; DescribeRegions(AllRegions) shows them as not opted in.
    _OPT_IN = ("af-south-1", "ap-east-1", "eu-central-2", "eu-south-1", "me-south-1")

    def __init__(self, knobs: Knobs) -> None:
        self._default = knobs.regions
        self._enabled: dict[str, tuple[str, ...]] = {}

    def handlers(self) -> dict[str, Handler]:
        return {"DescribeRegions": self._describe}

    def enable(self, account: str, regions: tuple[str, ...]) -> None:
        self._enabled[account] = regions

    def of(self, account: str) -> tuple[str, ...]:
        return self._enabled.get(account, self._default)

    def list(self, request: Request) -> Mapping[str, Any]:
        """account:ListRegions, which moto lacks."""
        account = request.params.get("AccountId") or request.account
        statuses = dict.fromkeys(self.of(account), "ENABLED_BY_DEFAULT") | dict.fromkeys(self._OPT_IN, "DISABLED")
        wanted = request.params.get("RegionOptStatusContains")
        shown = [
            {"RegionName": n, "RegionOptStatus": s} for n, s in sorted(statuses.items()) if not wanted or s in wanted
        ]
        return {"Regions": shown}

    def _describe(self, request: Request) -> Mapping[str, Any]:
        enabled = dict.fromkeys(self.of(request.account), "opt-in-not-required")
        known = enabled | (dict.fromkeys(self._OPT_IN, "not-opted-in") if request.params.get("AllRegions") else {})
        wanted = request.params.get("RegionNames") or sorted(known)
        if unknown := [name for name in wanted if name not in known]:
            raise AwsError("InvalidParameterValue", f"Invalid region {unknown[0]}")
        regions = [
            {"RegionName": name, "Endpoint": f"ec2.{name}.amazonaws.com", "OptInStatus": known[name]} for name in wanted
        ]
        return {"Regions": regions}


def _wanted(arn: str, kinds: list[str] | None, arns: list[str] | None) -> bool:
    service, resource = arn.split(":")[2], arn.split(":")[5].partition("/")[0]
    fits = not kinds or service in kinds or f"{service}:{resource}" in kinds
    return fits and (not arns or arn in arns)
