"""AWS's own managed policies, made once in a process. Moto makes all 1,582 anew for each account: 0.1 CPU seconds."""

import json
from functools import cached_property, lru_cache

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy
from moto.settings import load_iam_aws_managed_policies

_SOME_ACCOUNT = "123456789012"


def make_once() -> None:
    """From now on every account of moto's gets copies. Before moto's chance is seeded, of which this takes some."""
    _of("aws")
    IAMBackend._init_aws_policies = _copies  # type: ignore[assignment]  # moto offers no other way in


def _copies(backend: IAMBackend) -> list[ManagedPolicy]:
    if not load_iam_aws_managed_policies():
        return []
    return [_copy(policy, backend.account_id) for policy in _of(backend.region_name)]


def _copy(policy: ManagedPolicy, account: str) -> ManagedPolicy:
    """Its versions are shared, for nobody but AWS can change them; who has it attached is the account's own."""
    made = object.__new__(type(policy))  # moto's own way keeps a list of all that were made, and takes 20 times as long
    made.__dict__ = policy.__dict__ | {"account_id": account, "tags": {}}
    return made


class _Policy(AWSManagedPolicy):
    """Knows its ARN, which moto puts together for all of them at each look for one."""

    @cached_property
    def arn(self) -> str:
        return str(super().arn)


@lru_cache
def _of(region_name: str) -> tuple[ManagedPolicy, ...]:
    """`region_name` as moto gives it to IAM: the partition's."""
    every = json.loads(aws_managed_policies_data)
    return tuple(_Policy.from_data(name, _SOME_ACCOUNT, region_name, data) for name, data in every.items())
