"""All of AWS's functions as nouns. Reads only; what they are worth is said in `checks`.

How everything is read side by side is in `sweep`, which is loaded when it is asked for: it brings an HTTP client along.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from commands.aws.accounts import LOCAL
from storage.models import Inventory

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud
    from commands.aws.sweep import OnProgress


def take_inventory(
    cloud: "Cloud",
    *,
    accounts: Sequence[str] | None = None,
    regions: Sequence[str] | None = None,
    tag_keys: Sequence[str],
    on_progress: "OnProgress | None" = None,
    meanwhile: Callable[[], None] | None = None,
) -> Inventory:
    """Every function in every configured account and region; `accounts` and `regions` narrow that down.

    What could not be seen is a row with its reason. Raises AwsProblem only where nothing can be asked at all: without
    credentials, where AWS will not say whose they are, or where the cluster cannot be used. `on_progress` is told how
    many regions of how many are done; on a cluster, how many accounts. `meanwhile` is run in a thread beside the first
    questions; what it raises ends the audit.
    """
    settings = cloud.settings
    # Without a role to assume there is one account, and its credentials are here.
    if settings.pool != LOCAL and settings.role and not settings.aggregator:
        from commands.aws import cluster

        return cluster.run(
            cloud, accounts=accounts, regions=regions, tag_keys=tag_keys, on_progress=on_progress, meanwhile=meanwhile
        )
    from commands.aws import sweep

    reader = None
    if settings.aggregator:
        from commands.aws.config_source import ConfigSweep

        reader = ConfigSweep
    return sweep.run(
        cloud,
        accounts=accounts,
        regions=regions,
        tag_keys=tag_keys,
        on_progress=on_progress,
        meanwhile=meanwhile,
        reader=reader,
    )
