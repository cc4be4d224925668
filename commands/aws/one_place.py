"""The functions of one account's region as Lambda lists them now. Reads only."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from commands.aws import selection, sweep
from storage.models import Account, Inventory

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud


def list_place(cloud: "Cloud", account: str, region: str, *, tag_keys: Sequence[str]) -> Inventory:
    """As an audit reads a place, whatever the settings say of where to read.

    AWS Config hears of a change minutes later, and an organization is not to be asked for all of its accounts because
    of one. What could not be seen is a row. Raises AwsProblem only where nothing can be asked at all.
    """
    return sweep.run(
        cloud, accounts=(account,), regions=(region,), tag_keys=tag_keys, on_progress=None, reader=_OfThese
    )


class _OfThese(sweep.Sweep):
    """Reads the accounts that it is told to."""

    async def choose(self, accounts: Sequence[str] | None, _regions: Sequence[str] | None) -> None:
        self.chosen = selection.Chosen(tuple(Account(account) for account in accounts or ()))
